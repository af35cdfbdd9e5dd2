"""Where a disk sits on the USB tree, read from the path that sysfs gives to it.

    /devices/pci0000:00/0000:00:14.0/usb1/1-1/1-1.4/1-1.4:1.0/host6/target6:0:0/6:0:0:2/block/sdb
                        ^ controller ^ bus    ^ port chain ^ interface         ^ target, LUN

A port is named by its controller's own path and the chain of port numbers below it, never by the
number of the bus, which changes between boots: `0000:00:14.0/1.4`. A slot of a card reader is a
port of its own: `0000:00:14.0/1.4:lun2`. The two halves of a USB 3 socket go by the USB 2 half's
name. Where the kernel knows no USB 2 half, `usb3` stands before the chain, since each bus counts
its own ports: `0000:00:14.0/usb3/1.4` is another socket than `0000:00:14.0/1.4`.

Sources: Linux, Documentation/ABI/stable/sysfs-bus-usb and drivers/usb/core/{usb,port}.c (names of
devices and ports); drivers/scsi/scsi_sysfs.c (`host:channel:target:lun`).
"""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

# Speed of USB 2 in megabits per second; whatever is faster is USB 3.
HIGH_SPEED_MBPS = 480

_USB3_ALONE = "/usb3"

_ROOT_HUB = re.compile(r"usb(?P<bus>\d+)")
_DEVICE = re.compile(r"\d+-(?P<chain>\d+(?:\.\d+)*)")
_INTERFACE = re.compile(r"\d+-\d+(?:\.\d+)*:\d+\.(?P<interface>\d+)")
_SCSI_UNIT = re.compile(r"\d+:\d+:(?P<target>\d+):(?P<lun>\d+)")
_PORT = re.compile(r"(?:usb\d+|\d+-\d+(?:\.\d+)*)-port(?P<number>\d+)")
_PCI_FUNCTION = re.compile(r"[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f]")
_PORT_NAME = re.compile(
    r"(?P<controller>.+)/(?P<chain>\d+(?:\.\d+)*)"
    r"(?::if(?P<interface>\d+))?(?::target(?P<target>\d+))?(?::lun(?P<lun>\d+))?"
)
_DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True, slots=True)
class Socket:
    """A USB port as one bus knows it; a USB 3 socket is two of them, one on each bus.

    Attributes:
        controller: PCI address of the host controller; for one that sits elsewhere its path below
            `/sys/devices`, without `platform/`.
        bus: number of the bus in this boot.
        chain: port numbers from the root hub down.
    """

    controller: str
    bus: int
    chain: tuple[int, ...]

    @property
    def name(self) -> str:
        """Name of the port, without the number of the bus: `0000:00:14.0/1.4.3`."""
        return f"{self.controller}/{'.'.join(map(str, self.chain))}"

    def without_usb2(self) -> "Socket":
        """The same, for a socket of a USB 3 bus whose USB 2 half isn't known."""
        return Socket(f"{self.controller}{_USB3_ALONE}", self.bus, self.chain)

    def below(self, port_number: int) -> "Socket":
        """The port of this number on the hub that is plugged in here."""
        return Socket(self.controller, self.bus, (*self.chain, port_number))


@dataclass(frozen=True, slots=True)
class Unit:
    """Which disk of a USB device: card readers and some sticks hold several.

    Attributes:
        interface: number of the USB interface.
        target: SCSI target; other than 0 only behind bridges to real SCSI.
        lun: logical unit; the slot of a card reader.
    """

    interface: int = 0
    target: int = 0
    lun: int = 0

    @property
    def suffix(self) -> str:
        """What tells this disk from the others at its socket; empty for the first one."""
        parts = (("if", self.interface), ("target", self.target), ("lun", self.lun))
        return "".join(f":{word}{number}" for word, number in parts if number)


@dataclass(frozen=True, slots=True)
class UsbLocation:
    """Where a USB disk sits: the socket of its device, and which of the device's disks it is."""

    socket: Socket
    unit: Unit = Unit()


def parse_disk_path(devpath: str) -> UsbLocation | None:
    """Read the sysfs path of a disk, from `/devices/` on; None when no USB device is above it."""
    parts = PurePosixPath(devpath).parts
    socket = _parse_socket(parts)
    if socket is None or not socket.chain:
        return None
    interface = next((int(found["interface"]) for found in _matches(_INTERFACE, parts)), 0)
    target, lun = next(
        ((int(found["target"]), int(found["lun"])) for found in _matches(_SCSI_UNIT, parts)), (0, 0)
    )
    return UsbLocation(socket, Unit(interface, target, lun))


def parse_port_path(devpath: str) -> Socket | None:
    """Read the sysfs path of a hub's port, such as `…/usb1/1-1/1-1:1.0/1-1-port4`."""
    parts = PurePosixPath(devpath).parts
    hub = _parse_socket(parts)
    port = _PORT.fullmatch(parts[-1]) if parts else None
    if hub is None or port is None:
        return None
    return hub.below(int(port["number"]))


def controller_of(devpath: str) -> str:
    """Name the controller that a root hub, or anything below one, hangs on.

    Raises:
        ValueError: when no root hub is on the path.
    """
    socket = _parse_socket(PurePosixPath(devpath).parts)
    if socket is None:
        raise ValueError(f"{devpath} is not on USB")
    return socket.controller


def parse_port_name(name: str) -> tuple[str, tuple[int, ...], Unit]:
    """Take the name of a port apart: `0000:00:14.0/1.4:lun2` into controller, chain and disk.

    Raises:
        ValueError: when it is no such name.
    """
    found = _PORT_NAME.fullmatch(name)
    if found is None:
        raise ValueError(f"{name!r} is no name of a port")
    return (
        found["controller"],
        tuple(map(int, found["chain"].split("."))),
        Unit(*(int(found[word] or 0) for word in ("interface", "target", "lun"))),
    )


def controller_of_port(name: str) -> tuple[str, bool]:
    """The controller of a port, by the port's name.

    Returns:
        Its name, and whether the port counts on the USB 3 bus alone.

    Raises:
        ValueError: when it is no name of a port.
    """
    controller = parse_port_name(name)[0]
    return controller.removesuffix(_USB3_ALONE), controller.endswith(_USB3_ALONE)


def is_device_name(name: str) -> bool:
    """Whether `1-1.4` names a device below a port, and no root hub, interface or port."""
    return _DEVICE.fullmatch(name) is not None


def is_root_hub_name(name: str) -> bool:
    """Whether `usb1` names a root hub."""
    return _ROOT_HUB.fullmatch(name) is not None


def port_order(name: str) -> tuple[tuple[str, int], ...]:
    """Key that sorts port names as people count: port 2 before port 10."""
    pieces = _DIGITS.split(name)
    numbers = [int(digits) for digits in pieces[1::2]]
    return tuple(zip(pieces[::2], [*numbers, -1], strict=True))


def _parse_socket(parts: tuple[str, ...]) -> Socket | None:
    """The lowest USB device on a path; its chain is empty when that is the root hub itself."""
    for depth, part in enumerate(parts):
        if root_hub := _ROOT_HUB.fullmatch(part):
            devices = _matches(_DEVICE, parts[depth + 1 :])
            chain = tuple(map(int, devices[-1]["chain"].split("."))) if devices else ()
            return Socket(_controller(parts[:depth]), int(root_hub["bus"]), chain)
    return None


def _controller(above_root_hub: tuple[str, ...]) -> str:
    if above_root_hub and _PCI_FUNCTION.fullmatch(above_root_hub[-1]):
        return above_root_hub[-1]
    # Names of platform controllers, such as `xhci-hcd.0`, are told apart by what is above them.
    return "/".join(part for part in above_root_hub if part not in ("/", "devices", "platform"))


def _matches(pattern: re.Pattern[str], parts: tuple[str, ...]) -> list[re.Match[str]]:
    return [found for part in parts if (found := pattern.fullmatch(part))]
