from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from station.dashboard.event import LinksMeasured, RunEnded, StageProgressed
from station.device.drive import DriveInfo
from station.hotplug.events import Port
from station.job.meter import Reading
from station.job.progress import Progress
from station.job.state import LOADING, Stage
from station.ledger.ledger import Ledger
from station.supervisor.seat import Seat
from station.supervisor.telling import Teller
from station.verdict import PASSED
from tests.supervisor.table import Tape

ROOT = "0000:00:14.0"
Kind = TypeVar("Kind")


class Hands:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def tape() -> Tape:
    return Tape()


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def teller(tmp_path: Path, tape: Tape, clock: Hands) -> Iterator[Teller]:
    with Ledger.open(str(tmp_path / "ledger.sqlite")) as ledger:
        ledger.begin_run("test", "")
        yield Teller(tape, ledger, clock)


def at_work(label: str, chain: str, megabytes_per_s: float) -> Seat:
    """A stick that is being loaded below a USB 2 hub."""
    drive = DriveInfo("/dev/sdb", 10**9, diskseq=1, port=f"{ROOT}/{chain}", upstream_mbps=480)
    seat = Seat(Port(drive.port, label), drive, Progress(LOADING, lambda *_: None), job=1)
    seat.reading = Reading(stage=Stage.LOAD, speed_bytes_per_s=megabytes_per_s * 1e6)
    seat.told_stage = Stage.LOAD
    return seat


def of_kind(tape: Tape, kind: type[Kind]) -> list[Kind]:
    return [event for event in tape.events if isinstance(event, kind)]


def test_the_links_are_told_with_what_their_sticks_carry_together(
    teller: Teller, tape: Tape
) -> None:
    teller.tell_progress(
        [at_work("A1", "1.1", 20), at_work("B1", "2.1", 8), at_work("A2", "1.2", 19)]
    )

    (event,) = of_kind(tape, LinksMeasured)
    assert [(load.labels, load.bytes_per_s, load.is_full) for load in event.loads] == [
        (("A1", "A2"), 39e6, True),
        (("B1",), 8e6, False),
    ]


def test_links_that_became_idle_are_told_once_and_none_where_nothing_is_shared(
    teller: Teller, tape: Tape
) -> None:
    teller.tell_progress([at_work("C1", "3", 20)])
    assert of_kind(tape, LinksMeasured) == []

    teller.tell_progress([at_work("A1", "1.1", 20)])
    teller.tell_progress([])
    teller.tell_progress([])
    assert [len(event.loads) for event in of_kind(tape, LinksMeasured)] == [1, 0]


def test_a_stick_that_has_its_verdict_is_neither_told_of_nor_on_a_link(
    teller: Teller, tape: Tape
) -> None:
    seat = at_work("A1", "1.1", 20)
    seat.verdict = PASSED
    teller.tell_progress([seat])

    assert tape.events == []


def test_the_run_ends_with_how_long_each_link_was_full(
    teller: Teller, tape: Tape, clock: Hands
) -> None:
    for second in range(8):
        clock.now_s = float(second)
        teller.tell_progress([at_work("A1", "1.1", 39 if second < 4 else 3)])
    teller.tell_end(())

    (end,) = of_kind(tape, RunEnded)
    assert [(use.labels, use.full_s) for use in end.full_links] == [(("A1",), 3.0)]
    assert end.elapsed_s == 7.0
    assert len(of_kind(tape, StageProgressed)) == 8
