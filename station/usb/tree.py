"""The USB sockets of this machine as a tree: controllers, hubs, and what is plugged in.

A USB 3 hub is two hubs in one case, and each of its sockets two ports on two buses. The tree has
them as one: a node is a socket, named by its USB 2 half, with what is plugged in on either bus.

Sources: Linux, Documentation/ABI/stable/sysfs-bus-usb and testing/sysfs-bus-usb; USB 2.0, table
9-10 (bmAttributes, bMaxPower); USB 3.2, 9.6.2 (device capability descriptors).
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from station.device.sysfs import (
    SYSFS,
    USB_CLASS_MASS_STORAGE,
    optional_text,
    read_speed_mbps,
)
from station.usb.ports import port_of_device, port_of_port, usb_path
from station.usb.topology import HIGH_SPEED_MBPS, controller_of, is_device_name, port_order

USB_CLASS_HUB = 0x09

_SELF_POWERED = 0x40  # bmAttributes, bit 6
_DESCRIPTOR_DEVICE_CAPABILITY = 0x10
_CAPABILITY_SUPERSPEED = 0x03
# A USB 3 device that runs on USB 2 gives itself this version (USB 3.2, 9.2.6.6).
_USB3_DEVICE_ON_USB2 = "2.10"


@dataclass(frozen=True, slots=True)
class UsbInterface:
    """One function of a device.

    Attributes:
        usb_class: bInterfaceClass; 0x08 is mass storage, 0x03 a keyboard or mouse.
        driver: driver bound to it; empty when none is.
        authorized: whether the kernel lets a driver have it.
    """

    usb_class: int
    driver: str
    authorized: bool


@dataclass(frozen=True, slots=True)
class UsbDevice:
    """A device, or one of the two hubs that a USB 3 hub is.

    Strings are the device's own and may hold anything.

    Attributes:
        name: the kernel's name, `1-1.4`, or `usb1` for a root hub.
        usb_id: `vvvv:pppp` in hexadecimal.
        manufacturer: string descriptor; empty where there is none.
        product: string descriptor; empty where there is none.
        speed_mbps: negotiated speed in megabits per second; None while unknown.
        max_power_ma: what its configuration may draw from the port; None while not configured.
        is_self_powered: whether its configuration says to have a supply of its own.
        is_hub: whether it is one.
        port_count: ports of a hub; 0 for any other device.
        endpoint_count: endpoints in use, the control endpoint included.
        has_superspeed: whether it could run on USB 3, as far as it tells while it doesn't.
        interfaces: its functions.
        disks: kernel names of its disks, sorted.
    """

    name: str
    usb_id: str
    manufacturer: str
    product: str
    speed_mbps: float | None
    max_power_ma: int | None
    is_self_powered: bool
    is_hub: bool
    port_count: int
    endpoint_count: int
    has_superspeed: bool
    interfaces: tuple[UsbInterface, ...]
    disks: tuple[str, ...]

    @property
    def is_mass_storage(self) -> bool:
        """Whether one of its functions is a disk."""
        return any(each.usb_class == USB_CLASS_MASS_STORAGE for each in self.interfaces)

    @property
    def is_on_usb3(self) -> bool:
        """Whether it runs faster than USB 2 can."""
        return self.speed_mbps is not None and self.speed_mbps > HIGH_SPEED_MBPS


@dataclass(frozen=True, slots=True)
class SocketNode:
    """A socket and all that hangs on it.

    Attributes:
        name: name of the port, as in the map of the taught ports.
        has_usb3: whether the socket has a USB 3 half.
        devices: what is plugged in: nothing, a device, or the two halves of a hub.
        sockets: the sockets of the hub that is plugged in, as people count.
    """

    name: str
    has_usb3: bool = False
    devices: tuple[UsbDevice, ...] = ()
    sockets: tuple["SocketNode", ...] = ()

    def walk(self) -> Iterator["SocketNode"]:
        """This socket and all below it."""
        yield self
        for socket in self.sockets:
            yield from socket.walk()


@dataclass(frozen=True, slots=True)
class HostController:
    """A host controller.

    Attributes:
        name: as port names begin, such as its PCI address.
        root_hubs: its buses, the slowest first.
        sockets: its root ports, as people count.
    """

    name: str
    root_hubs: tuple[UsbDevice, ...]
    sockets: tuple[SocketNode, ...]

    def walk(self) -> Iterator[SocketNode]:
        """All sockets, hubs before what is below them."""
        for socket in self.sockets:
            yield from socket.walk()


def read_usb_tree(sysfs: Path = SYSFS) -> tuple[HostController, ...]:
    """Read all controllers, in the order of their names; none on a machine without USB.

    A device that leaves while it is looked at is left out.

    Raises:
        OSError: when sysfs can't be read.
    """
    roots: dict[str, list[Path]] = {}
    for root_hub in root_hubs(sysfs):
        roots.setdefault(controller_of(usb_path(root_hub, sysfs)), []).append(root_hub)
    return tuple(
        _read_controller(name, roots[name], sysfs) for name in sorted(roots, key=port_order)
    )


def root_hubs(sysfs: Path = SYSFS) -> list[Path]:
    """Folders of all root hubs, links resolved, sorted."""
    buses = (sysfs / "bus" / "usb" / "devices").glob("usb[0-9]*")
    return sorted(bus.resolve(strict=True) for bus in buses)


def _read_controller(name: str, roots: list[Path], sysfs: Path) -> HostController:
    hubs = [(device, root) for root in roots if (device := _read_device(root)) is not None]
    hubs.sort(key=lambda hub: hub[0].speed_mbps or 0.0)
    return HostController(
        name, tuple(device for device, _ in hubs), _read_sockets([root for _, root in hubs], sysfs)
    )


def _read_sockets(hubs: list[Path], sysfs: Path) -> tuple[SocketNode, ...]:
    """The sockets of a hub, or of the two that a USB 3 hub is."""
    ports: dict[str, bool] = {}
    plugged: dict[str, list[Path]] = {}
    for hub in hubs:
        # A hub that is being pulled takes its ports along, one after the other.
        with suppress(FileNotFoundError):
            is_usb3 = _is_faster_than_usb2(hub)
            for port in hub.glob("*:1.*/*-port[0-9]*"):
                name = port_of_port(port, sysfs)
                ports[name] = ports.get(name, False) or is_usb3
            for device in _children(hub):
                name = port_of_device(device, sysfs)
                plugged.setdefault(name, []).append(device)
                ports.setdefault(name, is_usb3)
    return tuple(
        _read_socket(name, plugged.get(name, []), sysfs, has_usb3=ports[name])
        for name in sorted(ports, key=port_order)
    )


def _read_socket(name: str, folders: list[Path], sysfs: Path, *, has_usb3: bool) -> SocketNode:
    devices: list[UsbDevice] = []
    hubs: list[Path] = []
    for folder in sorted(folders):
        device = _read_device(folder)
        if device is not None:
            devices.append(device)
            if device.is_hub:
                hubs.append(folder)
    return SocketNode(name, has_usb3, tuple(devices), _read_sockets(hubs, sysfs))


def _children(hub: Path) -> list[Path]:
    return [
        entry
        for entry in sorted(hub.iterdir())
        if is_device_name(entry.name) and (entry / "idVendor").exists()
    ]


def _read_device(folder: Path) -> UsbDevice | None:
    try:
        interfaces = tuple(
            _read_interface(entry)
            for entry in sorted(folder.glob("*:*"))
            if (entry / "bInterfaceClass").exists()
        )
        port_count = int(optional_text(folder / "maxchild") or "0")
        return UsbDevice(
            name=folder.name,
            usb_id=f"{optional_text(folder / 'idVendor')}:{optional_text(folder / 'idProduct')}",
            manufacturer=optional_text(folder / "manufacturer"),
            product=optional_text(folder / "product"),
            speed_mbps=read_speed_mbps(folder),
            max_power_ma=_milliamperes(optional_text(folder / "bMaxPower")),
            is_self_powered=bool(
                int(optional_text(folder / "bmAttributes") or "0", 16) & _SELF_POWERED
            ),
            is_hub=port_count > 0
            or any(interface.usb_class == USB_CLASS_HUB for interface in interfaces),
            port_count=port_count,
            endpoint_count=1 + len(list(folder.glob("*:*/ep_*"))),
            has_superspeed=_has_superspeed(folder),
            interfaces=interfaces,
            disks=tuple(sorted(path.name for path in folder.glob("*:*/host*/target*/*/block/*"))),
        )
    except FileNotFoundError:
        return None
    except OSError:
        # Reading an attribute of a device that was just pulled fails in several ways.
        if folder.exists():
            raise
        return None


def _read_interface(folder: Path) -> UsbInterface:
    driver = folder / "driver"
    return UsbInterface(
        usb_class=int(optional_text(folder / "bInterfaceClass"), 16),
        driver=driver.resolve().name if driver.exists() else "",
        authorized=optional_text(folder / "authorized") != "0",
    )


def _has_superspeed(folder: Path) -> bool:
    """Whether a device can do USB 3, by its capability descriptors where the kernel shows them."""
    speed_mbps = read_speed_mbps(folder)
    if speed_mbps is not None and speed_mbps > HIGH_SPEED_MBPS:
        return True
    try:
        return is_superspeed_capable((folder / "bos_descriptors").read_bytes())
    except FileNotFoundError:
        return optional_text(folder / "version") == _USB3_DEVICE_ON_USB2


def is_superspeed_capable(bos: bytes) -> bool:
    """Find the SuperSpeed capability in a binary device object store (USB 3.2, 9.6.2).

    Args:
        bos: the BOS descriptor, five bytes, and the descriptors that follow it. It is the device's
            own word: cut short or wrong in itself, it says nothing.
    """
    offset = 0
    while offset + 2 < len(bos):
        length, kind, capability = bos[offset], bos[offset + 1], bos[offset + 2]
        if kind == _DESCRIPTOR_DEVICE_CAPABILITY and capability == _CAPABILITY_SUPERSPEED:
            return True
        if length == 0:
            return False
        offset += length
    return False


def _is_faster_than_usb2(hub: Path) -> bool:
    return (read_speed_mbps(hub) or 0.0) > HIGH_SPEED_MBPS


def _milliamperes(text: str) -> int | None:
    digits = text.removesuffix("mA")
    return int(digits) if digits.isdecimal() else None
