"""Whether the sockets on the table were taught, and are there."""

from station.doctor.finding import Finding, advice, problem
from station.doctor.machine import Machine
from station.errors import OperatorError
from station.usb.labels import load_port_map
from station.usb.teaching import without_usb2_half
from station.usb.topology import parse_port_name
from station.usb.tree import read_usb_tree


def check_taught_ports(machine: Machine) -> list[Finding]:
    """Look for the map, and for each socket in it."""
    if not machine.port_map.exists():
        return [
            problem(
                f"no ports were taught: there is no {machine.port_map}",
                "Teach them: station ports teach. Sticks on other ports are refused.",
            )
        ]
    try:
        port_map = load_port_map(machine.port_map)
    except OperatorError as error:
        return [problem(error.problem, error.remedy)]
    present = {
        parse_port_name(socket.name)[:2]
        for controller in read_usb_tree(machine.sysfs)
        for socket in controller.walk()
    }
    missing = [
        port.label
        for port in port_map.ports
        if not any(parse_port_name(name)[:2] in present for name in port.names)
    ]
    findings: list[Finding] = []
    if missing:
        findings.append(
            problem(
                f"{len(missing)} of {len(port_map.ports)} taught sockets are not there:"
                f" {', '.join(missing)}",
                "Plug their hub in where it was, switch it on, or teach the ports anew.",
            )
        )
    if halves := without_usb2_half(port_map):
        findings.append(
            advice(
                f"the kernel doesn't say where USB 2 sticks show up in {', '.join(halves)}: they"
                " are refused there",
                "Go round once more with one: station ports teach --join.",
            )
        )
    return findings
