"""The USB sockets as JSON."""

from collections.abc import Sequence

from station.cli.ports_tree import labels_by_socket
from station.usb.labels import PortMap
from station.usb.tree import HostController, SocketNode, UsbDevice


def tree_as_json(controllers: Sequence[HostController], port_map: PortMap) -> list[object]:
    """Every controller with its sockets, nested as they are plugged."""
    labels = labels_by_socket(port_map)
    return [
        {
            "controller": controller.name,
            "buses": [_device(hub) for hub in controller.root_hubs],
            "sockets": [_socket(socket, labels) for socket in controller.sockets],
        }
        for controller in controllers
    ]


def _socket(socket: SocketNode, labels: dict[str, list[str]]) -> dict[str, object]:
    return {
        "port": socket.name,
        "labels": labels.get(socket.name, []),
        "usb3": socket.has_usb3,
        "devices": [_device(device) for device in socket.devices],
        "sockets": [_socket(below, labels) for below in socket.sockets],
    }


def _device(device: UsbDevice) -> dict[str, object]:
    return {
        "name": device.name,
        "usb_id": device.usb_id,
        "manufacturer": device.manufacturer,
        "product": device.product,
        "speed_mbps": device.speed_mbps,
        "max_power_ma": device.max_power_ma,
        "self_powered": device.is_self_powered,
        "hub": device.is_hub,
        "authorized": all(interface.authorized for interface in device.interfaces),
        "disks": [f"/dev/{disk}" for disk in device.disks],
    }
