"""Where a taught port's disks appear in sysfs: once for each bus that its socket belongs to.

The map knows a socket by its USB 2 half. Whoever has to recognise the disks of that socket by their
paths alone, as udev's rules do, needs the other half as well, and has to tell the two buses apart:
the same chain of port numbers may be another socket on the other bus.
"""

from dataclasses import dataclass
from pathlib import Path

from station.device.sysfs import SYSFS
from station.errors import OperatorError
from station.text import printable
from station.usb.labels import Port
from station.usb.ports import bus_mbps, usb_path
from station.usb.topology import (
    HIGH_SPEED_MBPS,
    Unit,
    controller_of,
    controller_of_port,
    parse_port_name,
    parse_port_path,
)
from station.usb.tree import root_hubs


@dataclass(frozen=True, slots=True)
class BusRoute:
    """A chain of ports on one of a controller's buses.

    Attributes:
        controller_path: sysfs path of the controller, `/devices/pci0000:00/0000:00:14.0`.
        is_usb3: whether it is the faster one of the controller's buses.
        chain: port numbers from the root hub down.
    """

    controller_path: str
    is_usb3: bool
    chain: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PortRoutes:
    """One name of a taught port and all the ways to it.

    Attributes:
        name: the name.
        label: of the taught port.
        unit: which of the disks there it is.
        routes: one, or two for a socket that does USB 3.
    """

    name: str
    label: str
    unit: Unit
    routes: tuple[BusRoute, ...]


def find_routes(port: Port, sysfs: Path = SYSFS) -> list[PortRoutes]:
    """Find all ways to a taught port on this machine; nothing needs to be plugged in there.

    Returns:
        The ways for each name of the port.

    Raises:
        OperatorError: when this machine hasn't got the port's controller.
        OSError: when sysfs can't be read.
    """
    return [_routes_of(name, port.label, sysfs) for name in port.names]


def _routes_of(name: str, label: str, sysfs: Path) -> PortRoutes:
    controller, is_usb3_alone = controller_of_port(name)
    _, chain, unit = parse_port_name(name)
    hubs = [hub for hub in root_hubs(sysfs) if controller_of(usb_path(hub, sysfs)) == controller]
    routes: list[BusRoute] = []
    for hub in hubs:
        is_usb3 = bus_mbps(hub) > HIGH_SPEED_MBPS
        if is_usb3_alone:
            own_chain = chain if is_usb3 else None
        else:
            own_chain = _chain_on(hub, chain, sysfs) if is_usb3 else chain
        if own_chain is not None:
            routes.append(BusRoute(usb_path(hub.parent, sysfs), is_usb3, own_chain))
    if not routes:
        raise OperatorError(
            f"port {printable(label)} is on the controller {printable(controller)}, which this"
            " machine hasn't got",
            "Teach the ports anew: station ports teach.",
        )
    return PortRoutes(name, label, unit, tuple(sorted(routes, key=lambda route: route.is_usb3)))


def _chain_on(usb3_root: Path, usb2_chain: tuple[int, ...], sysfs: Path) -> tuple[int, ...] | None:
    """What a USB 2 chain is on the controller's USB 3 bus; None when the socket isn't on it.

    Ports whose peer is known lead; below the last of them both halves of a hub count alike.
    """
    for port in sorted(usb3_root.rglob("*-port[0-9]*"), key=lambda path: -len(path.parts)):
        own = parse_port_path(usb_path(port, sysfs))
        if own is None or not (port / "peer").exists():
            continue
        peer = parse_port_path(usb_path((port / "peer").resolve(strict=True), sysfs))
        if peer is not None and usb2_chain[: len(peer.chain)] == peer.chain:
            return own.chain + usb2_chain[len(peer.chain) :]
    return None
