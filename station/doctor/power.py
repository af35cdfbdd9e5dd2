"""Whether hubs have the power that their sticks draw."""

from station.doctor.finding import Finding, advice, problem
from station.doctor.machine import Machine
from station.usb.topology import parse_port_name
from station.usb.tree import SocketNode, read_usb_tree

# What a port gives to a hub without a supply of its own, and what the hub keeps for itself
# (USB 2.0, 7.2.1; USB 3.2, 11.4.5).
_USB2_BUDGET_MA = 500
_USB3_BUDGET_MA = 900
_HUB_ITSELF_MA = 100


def check_power(machine: Machine) -> list[Finding]:
    """Look at every hub that lives on its cable."""
    taught = {parse_port_name(name)[:2] for name in machine.taught().names}
    findings: list[Finding] = []
    for controller in read_usb_tree(machine.sysfs):
        for socket in controller.walk():
            hubs = [device for device in socket.devices if device.is_hub]
            if not hubs or any(hub.is_self_powered for hub in hubs):
                continue
            drawn_ma = _HUB_ITSELF_MA + _drawn_ma(socket)
            budget_ma = _USB3_BUDGET_MA if any(hub.is_on_usb3 for hub in hubs) else _USB2_BUDGET_MA
            remedy = "Plug in the hub's own power supply, or use a hub that has one."
            if drawn_ma > budget_ma:
                findings.append(
                    problem(
                        f"the hub at {socket.name} has no power supply, and what is plugged in may"
                        f" draw {drawn_ma} mA where its cable gives {budget_ma}",
                        remedy,
                    )
                )
            elif any(parse_port_name(below.name)[:2] in taught for below in socket.sockets):
                findings.append(
                    advice(
                        f"the hub at {socket.name}, with taught sockets, has no power supply",
                        remedy,
                    )
                )
    return findings


def _drawn_ma(hub: SocketNode) -> int:
    """What is plugged in directly; hubs further down with a supply draw next to nothing."""
    return sum(
        max((device.max_power_ma or 0 for device in socket.devices), default=0)
        for socket in hub.sockets
    )
