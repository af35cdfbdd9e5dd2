"""Whether settings of the kernel's storage drivers hold sticks up, or hide cards."""

import re
from pathlib import Path

from station.device.sysfs import SYSFS_SECTOR_BYTES, optional_text
from station.doctor.finding import Finding, advice
from station.doctor.machine import Machine
from station.units import KIB

# What usb-storage sends in one command on USB 2; on USB 3 it is more.
_USUAL_SECTORS = 240
_LONGEST_DELAY_S = 2.0
_DELAY = re.compile(r"(\d+(?:\.\d+)?)(ms)?")


def check_kernel_limits(machine: Machine) -> list[Finding]:
    """Look at the size of commands, the pause before a new stick, and the look for cards."""
    findings = [
        advice(
            f"the kernel sends {disk.node} in {machine.place(port)} at most"
            f" {disk.max_sectors * SYSFS_SECTOR_BYTES // KIB} KiB a command, which is slow",
            f"As root: echo {_USUAL_SECTORS} >/sys/block/{disk.name}/device/max_sectors, unless"
            " this make of stick is known to fail then.",
        )
        for disk, port in machine.disks()
        if port is not None and disk.max_sectors is not None and disk.max_sectors < _USUAL_SECTORS
    ]
    delay_s = _delay_s(machine.sysfs / "module" / "usb_storage" / "parameters" / "delay_use")
    if delay_s is not None and delay_s > _LONGEST_DELAY_S:
        findings.append(
            advice(
                f"the kernel waits {delay_s:g} s before it looks at a new stick",
                "Write `options usb-storage delay_use=1` to /etc/modprobe.d/station.conf, and"
                " restart the machine.",
            )
        )
    if _ignores_cards(machine):
        findings.append(
            advice(
                "the kernel doesn't look for cards that come and go in a reader",
                "As root: echo 2000 >/sys/module/block/parameters/events_dfl_poll_msecs, which"
                " udev's own rules (60-block.rules) do where nobody took them out.",
            )
        )
    return findings


def _ignores_cards(machine: Machine) -> bool:
    """Whether media are never looked for. Source: Documentation/ABI/testing/sysfs-block-device."""
    path = machine.sysfs / "module" / "block" / "parameters" / "events_dfl_poll_msecs"
    return optional_text(path) == "0"


def _delay_s(path: Path) -> float | None:
    """Seconds, or since Linux 6.12 also milliseconds with their unit."""
    try:
        found = _DELAY.fullmatch(path.read_text(encoding="ascii").strip())
    except FileNotFoundError:
        # The driver is loaded with the first stick.
        return None
    if found is None:
        return None
    return float(found[1]) / (1000 if found[2] else 1)
