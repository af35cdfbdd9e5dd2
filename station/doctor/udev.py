"""Whether udev tells of sticks that come and go."""

from station.doctor.finding import Finding, problem
from station.doctor.machine import Machine


def check_udev(machine: Machine) -> list[Finding]:
    """Look for udev's socket."""
    control = machine.root / "run" / "udev" / "control"
    if control.exists():
        return []
    return [
        problem(
            f"udev doesn't run: there is no {control}",
            "Start systemd-udevd, or run outside of the container.",
        )
    ]
