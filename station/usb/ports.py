"""One name for each physical socket, whichever of its two buses a stick runs on."""

from pathlib import Path

from station.device.sysfs import SYSFS, read_speed_mbps
from station.usb.topology import (
    HIGH_SPEED_MBPS,
    Socket,
    is_root_hub_name,
    parse_disk_path,
    parse_port_path,
)


def port_of_disk(disk: Path, sysfs: Path = SYSFS) -> str | None:
    """Name the port of a disk; None when the disk is not on USB.

    A USB 3 socket belongs to two buses. The port is named by its USB 2 half, so that a stick that
    only does USB 2 and one that does USB 3 are found at one port. Where the kernel can't tell the
    USB 2 half (firmware says which root ports are one socket), each half has a name of its own.

    Args:
        disk: the disk's folder in sysfs, or a link to it such as `/sys/block/sdb`.
        sysfs: where sysfs is mounted.

    Raises:
        OSError: when the disk has left meanwhile.
    """
    path = disk.resolve(strict=True)
    location = parse_disk_path(usb_path(path, sysfs))
    if location is None:
        return None
    # Up from the disk to the USB device itself, which is named after the last hop of the chain.
    device_name = f"{location.socket.bus}-{'.'.join(map(str, location.socket.chain))}"
    device = next(folder for folder in path.parents if folder.name == device_name)
    return f"{_usb2_half(device, location.socket, sysfs).name}{location.unit.suffix}"


def port_of_device(device: Path, sysfs: Path = SYSFS) -> str:
    """Name the socket that a USB device is plugged in at.

    Args:
        device: the device's folder in sysfs, links resolved; no root hub.
        sysfs: where sysfs is mounted.

    Raises:
        OSError: when the device has left meanwhile.
    """
    location = parse_disk_path(usb_path(device, sysfs))
    if location is None:
        raise OSError(f"{device} is no USB device below a port")
    return _usb2_half(device, location.socket, sysfs).name


def port_of_port(port: Path, sysfs: Path = SYSFS) -> str:
    """Name the socket that one of its two ports belongs to, whether anything is plugged in or not.

    Args:
        port: folder of a hub's port, links resolved, such as `…/usb1/1-0:1.0/usb1-port4`.
        sysfs: where sysfs is mounted.

    Raises:
        OSError: when the hub has left meanwhile.
    """
    own = parse_port_path(usb_path(port, sysfs))
    if own is None:
        raise OSError(f"{port} is no port of a USB hub")
    return _usb2_half_of_port(port, own, port.parent.parent, sysfs).name


def _usb2_half(device: Path, socket: Socket, sysfs: Path) -> Socket:
    """The socket as the slower of its buses knows it.

    Args:
        device: folder of the USB device that is plugged in at the socket.
        socket: the socket as the device's own bus knows it.
        sysfs: where sysfs is mounted.
    """
    return _usb2_half_of_port(device / "port", socket, device.parent, sysfs)


def _usb2_half_of_port(port: Path, socket: Socket, hub_folder: Path, sysfs: Path) -> Socket:
    """As `_usb2_half`, for a port of the hub in `hub_folder`."""
    peer_link = port / "peer"
    if peer_link.exists():
        peer_port = peer_link.resolve(strict=True)
        peer = parse_port_path(usb_path(peer_port, sysfs))
        if peer is not None and bus_mbps(peer_port) < bus_mbps(hub_folder):
            return peer
        return socket
    *hub_chain, port_number = socket.chain
    if not hub_chain:
        return socket.without_usb2() if bus_mbps(hub_folder) > HIGH_SPEED_MBPS else socket
    # The ports of a hub have no peers while its other half is missing; those above it may still
    # have theirs. Both halves of a hub count their ports alike: the kernel's own rule for finding
    # peers (drivers/usb/core/port.c, find_and_link_peer).
    hub = Socket(socket.controller, socket.bus, tuple(hub_chain))
    return _usb2_half(hub_folder, hub, sysfs).below(port_number)


def bus_mbps(below: Path) -> float:
    """Speed of the bus that a device or port is on, in megabits per second.

    Raises:
        OSError: when the bus has left.
    """
    root_hub = next(folder for folder in (below, *below.parents) if is_root_hub_name(folder.name))
    mbps = read_speed_mbps(root_hub)
    if mbps is None:
        raise OSError(f"{root_hub} has no speed")
    return mbps


def usb_path(path: Path, sysfs: Path = SYSFS) -> str:
    """A folder's path below sysfs, as udev writes it: `/devices/pci0000:00/…`; links resolved."""
    return f"/{path.relative_to(sysfs.resolve())}"
