"""What the figures were measured on."""

import os
import platform
from pathlib import Path

import blake3
import psutil

_GIB = 1 << 30


def describe_machine() -> str:
    """One line: processor, memory, kernel, versions, and how busy others keep it."""
    cpu = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    memory_gib = psutil.virtual_memory().total / _GIB
    return (
        f"{os.cpu_count()} cores, {cpu}, {memory_gib:.0f} GiB, Linux {platform.release()},"
        f" Python {platform.python_version()}, blake3 {blake3.__version__};"
        f" load average {os.getloadavg()[0]:.1f} when it began"
    )
