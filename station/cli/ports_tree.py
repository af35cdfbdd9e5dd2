"""Draws the USB sockets as a tree."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from station.text import printable
from station.usb.labels import PortMap
from station.usb.topology import controller_of_port, parse_port_name
from station.usb.tree import HostController, SocketNode, UsbDevice

_GUIDES = "dim"
_MBPS_PER_GBPS = 1000


def draw_tree(controllers: Sequence[HostController], port_map: PortMap) -> RenderableType:
    """Draw every controller with its sockets.

    Args:
        controllers: what to draw.
        port_map: the labels.
    """
    if not controllers:
        return Text("This machine has no USB.")
    labels = labels_by_socket(port_map)
    trees: list[RenderableType] = []
    for controller in controllers:
        speeds = ", ".join(speed_text(hub) for hub in controller.root_hubs)
        tree = Tree(
            _line((f"controller {controller.name}", "bold"), (speeds, "")), guide_style=_GUIDES
        )
        for socket in controller.sockets:
            _add(tree, socket, labels)
        trees.append(tree)
    missing = _missing(controllers, port_map)
    if missing:
        trees.append(Text(printable(f"Taught, but not there now: {', '.join(missing)}")))
    return Group(*trees)


def labels_by_socket(port_map: PortMap) -> dict[str, list[str]]:
    """The labels at each socket: several where the slots of a card reader have their own."""
    labels: dict[str, list[str]] = {}
    for port in port_map.ports:
        for socket in dict.fromkeys(map(socket_of, port.names)):
            labels.setdefault(socket, []).append(port.label)
    return labels


def socket_of(port_name: str) -> str:
    """The socket at which a port is, whichever slot of a card reader it means."""
    controller, chain, _ = parse_port_name(port_name)
    return f"{controller}/{'.'.join(map(str, chain))}"


def speed_text(device: UsbDevice) -> str:
    """A link's speed as it is printed on boxes: `480 Mbit/s`, `5 Gbit/s`."""
    mbps = device.speed_mbps
    if mbps is None:
        return "speed unknown"
    if mbps >= _MBPS_PER_GBPS:
        return f"{mbps / _MBPS_PER_GBPS:g} Gbit/s"
    return f"{mbps:g} Mbit/s"


def _add(tree: Tree, socket: SocketNode, labels: dict[str, list[str]]) -> None:
    chain = socket.name.rpartition("/")[2]
    _, is_usb3_alone = controller_of_port(socket.name)
    pieces = [(f"USB 3 port {chain}" if is_usb3_alone else f"port {chain}", "")]
    if socket.name in labels:
        pieces.append((" ".join(labels[socket.name]), "bold reverse"))
    if not socket.devices:
        pieces.append(("empty, USB 3" if socket.has_usb3 else "empty", "dim"))
    pieces += _described(socket.devices)
    branch = tree.add(_line(*pieces))
    for below in socket.sockets:
        _add(branch, below, labels)


def _described(devices: Sequence[UsbDevice]) -> list[tuple[str, str]]:
    """One device, or the halves of a hub as one."""
    if not devices:
        return []
    first = devices[0]
    repeats = first.product.startswith(first.manufacturer)
    name = first.product if repeats else f"{first.manufacturer} {first.product}"
    name = name.strip() or first.usb_id
    pieces = [(f"hub: {name}" if first.is_hub else name, "bold" if first.is_hub else "")]
    pieces.append((" + ".join(speed_text(device) for device in devices), ""))
    supply = "self-powered" if any(each.is_self_powered for each in devices) else "bus-powered"
    drawn_ma = max((each.max_power_ma or 0 for each in devices), default=0)
    pieces.append((f"{supply}, {drawn_ma} mA", ""))
    pieces += [(f"/dev/{disk}", "bold") for device in devices for disk in device.disks]
    if any(not interface.authorized for device in devices for interface in device.interfaces):
        pieces.append(("not all of it authorised", "bold"))
    return pieces


def _missing(controllers: Sequence[HostController], port_map: PortMap) -> list[str]:
    present = {socket.name for controller in controllers for socket in controller.walk()}
    return [port.label for port in port_map.ports if present.isdisjoint(map(socket_of, port.names))]


def _line(*pieces: tuple[str, str]) -> Text:
    line = Text(no_wrap=True, overflow="ignore")
    for number, (text, style) in enumerate(pieces):
        line.append("  " if number else "")
        line.append(printable(text), style)
    return line
