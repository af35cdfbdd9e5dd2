"""How fast a simulated drive is, and what time is to it."""

import time
from dataclasses import dataclass
from threading import Condition
from typing import Protocol

from station.device.fault import Operation


@dataclass(frozen=True, slots=True)
class DriveSpeed:
    """How fast a drive is.

    Attributes:
        write_bytes_per_s: what the medium and its bus carry.
        read_bytes_per_s: likewise.
        write_apart_s: what a write costs besides, that doesn't begin where the last command ended:
            flash copies what else lies in the block.
        read_apart_s: likewise.
    """

    write_bytes_per_s: float
    read_bytes_per_s: float
    write_apart_s: float = 0.0
    read_apart_s: float = 0.0

    def duration_s(
        self, operation: Operation, length_bytes: int, *, is_apart: bool = False
    ) -> float:
        """How long a transfer takes at least."""
        if operation is Operation.WRITE:
            return self.write_apart_s * is_apart + length_bytes / self.write_bytes_per_s
        return self.read_apart_s * is_apart + length_bytes / self.read_bytes_per_s


class Clock(Protocol):
    """Time that passes; a test brings one that need not be waited for."""

    def now_s(self) -> float:
        """Seconds since some moment; never goes back."""

    def wait(self, condition: Condition, timeout_s: float | None) -> None:
        """Give up the held condition until it is notified, or the time is over."""


class WallClock:
    """The time of this machine."""

    def now_s(self) -> float:
        """Seconds since boot."""
        return time.monotonic()

    def wait(self, condition: Condition, timeout_s: float | None) -> None:
        """Wait as `Condition.wait` does."""
        condition.wait(timeout_s)


class Pace:
    """When each command of a drive that does one at a time is done.

    A command begins when it is issued, never before the last one ended, so a host that dawdles
    between commands loses that time for good, as it does with usb-storage. What the host did not
    choose, that it was woken late after the last command, is not held against it: late wake-ups
    would add up, and the drive would be slower than its figure on a busy machine.
    """

    def __init__(self) -> None:
        self._woken_late_s = 0.0

    def begin(self, issued_s: float, duration_s: float) -> float:
        """Tell when a command issued now is done."""
        return issued_s - self._woken_late_s + duration_s

    def end(self, done_s: float, returned_s: float) -> None:
        """Note when a command was done, and when the host learned of it."""
        self._woken_late_s = returned_s - done_s
