"""Clocks for simulated drives, which wait by them."""

import threading
from threading import Condition

from station.device.pace import WallClock


class FakeClock:
    """Time that passes only by waiting, and by a bit more than was asked for."""

    def __init__(self, oversleep_s: float = 0.0) -> None:
        self.time_s = 1000.0
        self.oversleep_s = oversleep_s

    def now_s(self) -> float:
        return self.time_s

    def wait(self, condition: Condition, timeout_s: float | None) -> None:
        del condition
        assert timeout_s is not None
        self.time_s += timeout_s + self.oversleep_s


class WatchedClock(WallClock):
    """Tells when a drive began to wait."""

    def __init__(self) -> None:
        self.waiting = threading.Event()

    def wait(self, condition: Condition, timeout_s: float | None) -> None:
        # Whoever wakes the drive needs the condition, which is held until the wait has begun.
        self.waiting.set()
        super().wait(condition, timeout_s)
