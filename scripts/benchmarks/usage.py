"""What this process has used of the machine."""

import resource
from dataclasses import dataclass
from pathlib import Path

_KIB = 1024


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds on the clock and seconds of a processor that something took."""

    total_s: float
    cpu_s: float


def cpu_s() -> float:
    """Processor time of this process so far, in user code and in the kernel, in seconds."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def children_cpu_s() -> float:
    """Processor time of the programs that were run and waited for, in seconds."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def peak_memory_bytes() -> int:
    """The most memory that this process ever had, files that it maps included.

    From /proc, because getrusage also counts what the parent had when it forked.
    """
    return _status_bytes("VmHWM")


def own_memory_bytes() -> int:
    """Memory that this process has now and that is no file's: VmRSS without RssFile, proc(5)."""
    return _status_bytes("RssAnon") + _status_bytes("RssShmem")


def _status_bytes(key: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == key:
            return int(value.split()[0]) * _KIB
    raise AssertionError(f"the kernel tells no {key}")
