"""Whether the kernel numbers media, so that no swap goes unnoticed."""

import re

from station.doctor.finding import Finding, problem
from station.doctor.machine import Machine

_RELEASE = re.compile(r"(\d+)\.(\d+)")
# The first with /sys/block/*/diskseq and BLKGETDISKSEQ.
_OLDEST = (5, 15)


def check_kernel(machine: Machine) -> list[Finding]:
    """Look at the kernel's release."""
    path = machine.proc / "sys" / "kernel" / "osrelease"
    release = path.read_text(encoding="ascii").strip()
    found = _RELEASE.match(release)
    if found is not None and (int(found[1]), int(found[2])) >= _OLDEST:
        return []
    return [
        problem(
            f"Linux {release} gives disks no sequence numbers, so a swap would pass unnoticed",
            "Use Linux 5.15 or newer.",
        )
    ]
