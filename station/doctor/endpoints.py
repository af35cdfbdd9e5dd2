"""Whether a controller can take as many sticks as there are taught sockets."""

from station.doctor.finding import Finding, advice
from station.doctor.machine import Machine
from station.usb.labels import PortMap
from station.usb.topology import parse_port_name
from station.usb.tree import HostController, read_usb_tree

# Control, in and out of a bulk-only stick.
_ENDPOINTS_OF_A_STICK = 3
# Many controllers end here, some a little later, and none says so beforehand.
_SAFE_ENDPOINTS = 64
_SAFE_DEVICES = 32


def check_endpoints(machine: Machine) -> list[Finding]:
    """Count what is plugged in, and what would be with a stick in each taught socket."""
    taught = machine.taught()
    findings: list[Finding] = []
    for controller in read_usb_tree(machine.sysfs):
        devices, endpoints = _when_full(controller, taught)
        if devices > _SAFE_DEVICES or endpoints > _SAFE_ENDPOINTS:
            findings.append(
                advice(
                    f"with a stick in each taught socket, controller {controller.name} would have"
                    f" {devices} devices with {endpoints} endpoints; many end at {_SAFE_DEVICES}"
                    f" and {_SAFE_ENDPOINTS}, and the sticks beyond don't show up",
                    "Give each hub of 16 ports a controller of its own, such as a PCIe card. The"
                    ' kernel says "Not enough host controller resources" when it comes to that.',
                )
            )
    return findings


def _when_full(controller: HostController, taught: PortMap) -> tuple[int, int]:
    plugged = {parse_port_name(socket.name)[:2]: socket.devices for socket in controller.walk()}
    devices = [device for there in plugged.values() for device in there]
    # Of a socket with two names a stick takes one, and the slots of a card reader are one device.
    sockets = {tuple(parse_port_name(name)[:2] for name in port.names) for port in taught.ports}
    halves = ([plugged[half] for half in socket if half in plugged] for socket in sockets)
    empty = sum(bool(here) and not any(here) for here in halves)
    return (
        len(devices) + empty,
        sum(device.endpoint_count for device in devices) + empty * _ENDPOINTS_OF_A_STICK,
    )
