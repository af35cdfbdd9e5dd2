"""Which process wrote into the ledger, and whether it still lives."""

import os
import platform
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
# Fields of /proc/PID/stat behind the command name, counted from there: see proc_pid_stat(5).
_STATE = 0
_START_TIME = 19
_DEAD_STATES = frozenset("ZXx")


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """One process among all that ever were on any machine.

    Attributes:
        host: name of the machine.
        boot_id: the kernel's random id of this boot.
        pid: process id, used again by the kernel after the process has ended.
        start_ticks: clock ticks from boot to the start of the process. Unlike psutil's creation
            time it doesn't move when the wall clock is set, so a live process is never mistaken
            for a dead one whose id it was given.
    """

    host: str
    boot_id: str
    pid: int
    start_ticks: int


def this_process() -> ProcessIdentity:
    """The identity of the caller.

    Raises:
        OSError: when /proc isn't there.
    """
    pid = os.getpid()
    _, start_ticks = _state_and_start(pid)
    boot_id = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return ProcessIdentity(platform.node(), boot_id, pid, start_ticks)


def is_dead(process: ProcessIdentity, here: ProcessIdentity) -> bool:
    """Whether a process has certainly ended; of another host nothing is certain.

    A zombie is dead: none of its code will run again. So ends a killed station of which one thread
    hangs in the kernel on a stick that stopped answering.
    """
    if process.host != here.host:
        return False
    if process.boot_id != here.boot_id:
        return True
    try:
        state, start_ticks = _state_and_start(process.pid)
    except (FileNotFoundError, ProcessLookupError):
        return not _takes_signals(process.pid)
    return state in _DEAD_STATES or start_ticks != process.start_ticks


def _state_and_start(pid: int) -> tuple[str, int]:
    stat = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    # The command name stands in parentheses and may itself hold spaces and parentheses.
    fields = stat.rpartition(")")[2].split()
    return fields[_STATE], int(fields[_START_TIME])


def _takes_signals(pid: int) -> bool:
    """Whether a process exists; where /proc hides other users' processes only the kernel tells."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
