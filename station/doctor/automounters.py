"""Whether something on this machine would mount the sticks before the station gets them."""

from pathlib import Path

from station.doctor.finding import Finding, problem
from station.doctor.machine import Machine
from station.install.files import RULES_PATH
from station.install.writer import below

# Names as the kernel shows them, 15 characters at most. Desktops mount through udisks, which leaves
# alone what the rules of `station install` mark.
_UDISKS = "udisksd"
_HEEDLESS = frozenset({"devmon", "udevil", "ldm", "usbmount"})


def check_automounters(machine: Machine) -> list[Finding]:
    """Look at the processes that run."""
    running = _process_names(machine.proc)
    findings = [
        problem(
            f"{name} runs and may mount sticks that are inserted; they would be refused as in use",
            "Stop it while the station works.",
        )
        for name in sorted(running & _HEEDLESS)
    ]
    if _UDISKS in running and not below(machine.root, RULES_PATH).exists():
        findings.append(
            problem(
                "udisks runs, and a desktop may mount sticks through it; they would be refused as"
                " in use",
                "Run `sudo station install`: its udev rules keep udisks off the taught ports.",
            )
        )
    return findings


def _process_names(proc: Path) -> set[str]:
    names: set[str] = set()
    for process in proc.iterdir():
        if process.name.isdecimal():
            try:
                names.add((process / "comm").read_text(errors="replace").strip())
            except OSError:
                # It has ended meanwhile.
                continue
    return names
