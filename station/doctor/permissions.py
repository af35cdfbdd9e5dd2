"""Whether this user may write to the sticks, and to nothing else."""

from station.doctor.finding import Finding, advice, problem
from station.doctor.machine import Machine
from station.install.sysusers import STATION_USER


def check_permissions(machine: Machine) -> list[Finding]:
    """Look at the nodes of all disks that are there."""
    taught = machine.taught().names
    closed: list[str] = []
    exposed: list[str] = []
    for disk, port in machine.disks():
        node = machine.root / disk.node.removeprefix("/")
        if not node.exists() or _is_virtual(machine, disk.name):
            continue
        if port in taught and not machine.may_use(node):
            closed.append(f"{disk.node} in {machine.place(port)}")
        if port is None and machine.may_use(node):
            exposed.append(disk.node)
    findings: list[Finding] = []
    if closed:
        findings.append(
            problem(
                f"this user may not write to {', '.join(closed)}",
                f"Run `sudo station install` once, join the group (sudo adduser $USER"
                f" {STATION_USER}) and log in anew.",
            )
        )
    if exposed:
        findings.append(
            advice(
                f"this user may write to {', '.join(exposed)}, which the station never should",
                "Run the station as its own user (systemctl start station@PROFILE) or as one that"
                " is neither root nor in the group disk: then the kernel itself forbids it.",
            )
        )
    return findings


def _is_virtual(machine: Machine, disk_name: str) -> bool:
    """Whether a disk is the kernel's own making, such as a loop device: no hardware to protect."""
    path = (machine.sysfs / "block" / disk_name).resolve()
    return path.is_relative_to(machine.sysfs.resolve() / "devices" / "virtual")
