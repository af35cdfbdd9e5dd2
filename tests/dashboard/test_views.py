from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from station.dashboard.event import JobEnded, StationEvent
from station.dashboard.snapshot import StationSnapshot
from station.dashboard.views import Views
from station.errors import StationFaultError
from station.verdict import PASSED
from tests.dashboard.samples import CRUZER, NOON, station

ENDED = JobEnded(NOON, "A1", CRUZER, 1, PASSED)


@dataclass(slots=True)
class Watcher:
    """A view that notes what it is told."""

    name: str
    log: list[str]
    breaks: bool = False
    samples: list[StationSnapshot] = field(default_factory=list)

    def start(self, sample: Callable[[], StationSnapshot]) -> None:
        self.log.append(f"start {self.name}")
        self.samples.append(sample())

    def tell(self, event: StationEvent) -> None:
        assert event is ENDED
        self.log.append(f"tell {self.name}")

    def stop(self) -> None:
        self.log.append(f"stop {self.name}")
        if self.breaks:
            raise StationFaultError(f"{self.name} is broken")


def test_each_view_sees_all_in_order() -> None:
    log: list[str] = []
    first, second = Watcher("1", log), Watcher("2", log)
    views = Views([first, second])
    views.start(station)
    views.tell(ENDED)
    views.stop()

    assert log == ["start 1", "start 2", "tell 1", "tell 2", "stop 1", "stop 2"]
    assert first.samples == second.samples == [station()]


def test_a_view_that_breaks_keeps_no_other_from_being_stopped() -> None:
    log: list[str] = []
    views = Views([Watcher("1", log, breaks=True), Watcher("2", log)])
    with pytest.raises(StationFaultError, match="1 is broken"):
        views.stop()

    assert log == ["stop 1", "stop 2"]
