"""The sockets of the box, as QEMU, the kernel, udev and the station name them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Self

from station.usb.labels import Port, PortMap
from station.usb.map_file import render_port_map


class Controller(Enum):
    """A USB controller of the box; its value is its PCI slot."""

    XHCI_0 = 0x10
    # Sixteen sticks are one more than a controller has sockets.
    XHCI_1 = 0x11
    # What is plugged into this one runs at USB 2 speed.
    EHCI = 0x12

    @property
    def pci_address(self) -> str:
        """Address of the controller, as in sysfs."""
        return f"0000:00:{self.value:02x}.0"

    @property
    def device(self) -> str:
        """QEMU's description of the controller."""
        driver = {
            Controller.XHCI_0: "qemu-xhci,p2=15,p3=15",
            # The last socket has no USB 2 half.
            Controller.XHCI_1: "qemu-xhci,p2=14,p3=15",
            Controller.EHCI: "usb-ehci",
        }[self]
        return f"{driver},id={self.name},addr={self.value:#x}"


@dataclass(frozen=True, slots=True)
class Socket:
    """A socket of a controller, or of a hub that is plugged into it.

    Attributes:
        controller: what it belongs to.
        chain: port numbers from the controller's socket down the hubs, counted from 1.
    """

    controller: Controller
    chain: tuple[int, ...]

    @property
    def port(self) -> str:
        """Port numbers as QEMU and sysfs write them: `5.1`."""
        return ".".join(map(str, self.chain))

    @property
    def name(self) -> str:
        """A name that is unique in the box and that QEMU takes for an identifier."""
        return f"{self.controller.name}-{self.port}"

    @classmethod
    def named(cls, name: str) -> Self:
        """The socket of a name as `name` gives it; ValueError when it is none."""
        controller, _, port = name.partition("-")
        if controller not in Controller.__members__:
            raise ValueError(f"{name!r} is no socket")
        return cls(Controller[controller], tuple(int(number) for number in port.split(".")))

    @property
    def taught(self) -> str:
        """The name that the station has for this port."""
        bus = "/usb3" if self == USB3_ALONE else ""
        return f"{self.controller.pci_address}{bus}/{self.port}"

    @property
    def disk(self) -> Path:
        """The link that udev makes for a disk in this socket."""
        return Path(
            f"/dev/disk/by-path/pci-{self.controller.pci_address}-usb-0:{self.port}:1.0-scsi-0:0:0:0"
        )


USB3_ALONE = Socket(Controller.XHCI_1, (15,))


def sockets(count: int) -> list[Socket]:
    """As many USB 3 sockets, taken from both controllers in turn."""
    return [
        Socket(controller, (number,))
        for number in range(1, 16)
        for controller in (Controller.XHCI_0, Controller.XHCI_1)
    ][:count]


def map_of(labels: Mapping[str, Socket]) -> str:
    """The map of sockets that were taught, by their labels, as TOML."""
    ports = (Port(socket.taught, label) for label, socket in labels.items())
    return render_port_map(PortMap(tuple(ports)))
