from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from station.device.drive import DriveInfo
from station.ledger.ledger import Ledger
from station.ledger.records import JobStart


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **step: float) -> None:
        self.now += timedelta(**step)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def location(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def ledger(location: Path, clock: Clock) -> Iterator[Ledger]:
    with Ledger.open(str(location), clock=clock) as opened:
        opened.begin_run("films", "monday")
        yield opened


@pytest.fixture
def stick() -> Callable[..., JobStart]:
    def make(node: str = "/dev/sdx") -> JobStart:
        return JobStart(DriveInfo(node, 8_000_000_000), "A1", "films", ("films",))

    return make
