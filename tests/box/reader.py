"""A card reader in the box: its slots get and lose cards while the reader stays plugged in.

QEMU's sticks can't change their media. So the guest's own kernel plays the reader (its mass storage
gadget), and a cable that is a kernel module (dummy_hcd) leads from there to a USB 2 socket.

Sources: Linux, Documentation/usb/gadget_configfs.rst and mass-storage.rst,
Documentation/ABI/testing/configfs-usb-gadget-mass-storage.
"""

from pathlib import Path
from typing import Self

from tests.box.machine import GUEST_EXCHANGE, Machine

SOCKET = "dummy_hcd.0/1"
"""The station's name for the socket that the reader is plugged into."""

_GADGET = Path("/sys/kernel/config/usb_gadget/reader")
_FUNCTION = _GADGET / "functions/mass_storage.0"
_PLUG = """
modprobe --all dummy_hcd libcomposite
mkdir "$0" && cd "$0"
echo 0x1d6b >idVendor
echo 0x0104 >idProduct
mkdir strings/0x409 configs/c.1 functions/mass_storage.0
echo reader >strings/0x409/serialnumber
echo Acme >strings/0x409/manufacturer
echo Reader >strings/0x409/product
for slot in $(seq 0 $(($1 - 1))); do
    lun=functions/mass_storage.0/lun.$slot
    # The first one is there by itself.
    [ -d $lun ] || mkdir $lun
    echo 1 >$lun/removable
done
ln -s functions/mass_storage.0 configs/c.1/
echo dummy_udc.0 >UDC
"""
_UNPLUG = """
cd "$0"
echo >UDC
rm configs/c.1/mass_storage.0
rmdir functions/mass_storage.0/lun.[1-9]*
rmdir functions/mass_storage.0 configs/c.1 strings/0x409
cd / && rmdir "$0"
modprobe --remove dummy_hcd
"""


class CardReader:
    """The hands of a volunteer who has cards.

    Args:
        machine: into which the reader is plugged; cards are files of its exchange folder.
    """

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    @classmethod
    def plug(cls, machine: Machine, slots: int) -> Self:
        """Plug in a reader with empty slots, and wait until all of them are disks."""
        machine.run("sh", "-ec", _PLUG, _GADGET, str(slots))
        reader = cls(machine)
        for slot in range(slots):
            reader.disk(slot)
        return reader

    def unplug(self) -> None:
        """Take the reader away, with what is in it."""
        self._machine.run("sh", "-ec", _UNPLUG, _GADGET)

    def disk(self, slot: int) -> Path:
        """Wait for the disk that a slot is, whether a card is in it or not; its node."""
        link = f"/dev/disk/by-path/platform-dummy_hcd.0-usb-0:1:1.0-scsi-0:0:0:{slot}"
        self._machine.run("udevadm", "wait", "--timeout=60", link)
        return Path(self._machine.run("readlink", "--canonicalize-existing", link).strip())

    def insert(self, cards: dict[int, Path]) -> None:
        """Push cards into empty slots, by the number of the slot, all at one moment."""
        self._do("; ".join(_push(slot, card) for slot, card in cards.items()))

    def eject(self, *slots: int) -> None:
        """Take the cards out, whatever is being done with them."""
        self._do("; ".join(_take_out(slot) for slot in slots))

    def swap(self, slot: int, card: Path, pause_s: float = 0.0) -> None:
        """Take the card out, and push in another one at once or a moment later."""
        self._do(f"{_take_out(slot)}; sleep {pause_s}; {_push(slot, card)}")

    def _do(self, script: str) -> None:
        self._machine.run("sh", "-ec", script)


def _push(slot: int, card: Path) -> str:
    return f"echo {GUEST_EXCHANGE / card.name} >{_FUNCTION}/lun.{slot}/file"


def _take_out(slot: int) -> str:
    return f"echo 1 >{_FUNCTION}/lun.{slot}/forced_eject"
