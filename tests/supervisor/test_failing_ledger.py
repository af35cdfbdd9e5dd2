"""A pass is told only once it stands in the ledger, and one that can't be entered is none."""

import sqlite3
from pathlib import Path
from threading import Event

import pytest

from station.dashboard.event import JobEnded, StageBegan, StationEvent
from station.dashboard.snapshot import TileState
from station.device.pace import DriveSpeed
from station.errors import StationFaultError
from station.hotplug.events import PlugEvent
from station.job.state import Stage
from station.ledger.ledger import Ledger
from station.ledger.records import JobEnd, Tally
from station.verdict import PASSED
from tests.supervisor.table import (
    PATIENCE_S,
    ZEROS,
    Table,
    Tape,
    shift_at,
    stick_at,
    wait_until,
)


def test_whenever_a_verdict_is_told_its_row_is_there_for_others_to_read(tmp_path: Path) -> None:
    found: list[object] = []

    def look(event: StationEvent) -> None:
        if isinstance(event, JobEnded):
            # A connection of its own, as another process has it.
            with sqlite3.connect(tmp_path / "ledger.sqlite") as connection:
                query = "SELECT outcome FROM verdict WHERE job_id = ?"
                found.append(connection.execute(query, (event.job,)).fetchone())
            connection.close()

    sticks = [stick_at("a"), stick_at("b"), stick_at("small", capacity_bytes=1 << 20)]
    with shift_at(tmp_path, *sticks, tape=Tape(on_tell=look)) as shift:
        tally = shift.end()

    assert tally == Tally(passed=2, refused=1)
    assert sorted(map(str, found)) == ["('pass',)", "('pass',)", "('refused',)"]


class SlowLedger(Ledger):
    """Enters an end when a test lets it."""

    may_end = Event()
    is_ending = Event()

    def end_job(self, job_id: int, end: JobEnd) -> None:
        self.is_ending.set()
        assert self.may_end.wait(PATIENCE_S)
        super().end_job(job_id, end)


def test_no_tile_shows_a_pass_before_its_row_is_durable(tmp_path: Path) -> None:
    with shift_at(tmp_path, stick_at("a"), ledger=SlowLedger) as shift:
        wait_until(SlowLedger.is_ending.is_set)
        tile, told = shift.tile("a"), list(shift.tape.verdicts("a"))
        SlowLedger.may_end.set()
        shift.end()

    assert tile.state is not TileState.DONE
    assert (tile.verdict, told) == (None, [])
    assert shift.tape.verdicts("a") == [PASSED]


SLOW = DriveSpeed(write_bytes_per_s=40 << 20, read_bytes_per_s=80 << 20)


def break_ledger(path: Path, table: str) -> None:
    """Take a table away, under the hands of the running station."""
    with sqlite3.connect(path) as connection:
        connection.execute(f"DROP TABLE {table}")
    connection.close()


@pytest.mark.parametrize(
    ("breaks_in", "table", "is_sealed"),
    [(Stage.LOAD, "sealing", False), (Stage.SEAL, "verdict", True)],
)
def test_when_the_ledger_fails_nothing_is_told_and_only_what_it_knows_to_be_right_is_sealed(
    tmp_path: Path, breaks_in: Stage, table: str, *, is_sealed: bool
) -> None:
    broken = Event()

    def break_once(event: StationEvent) -> None:
        is_due = isinstance(event, StageBegan) and event.stage is breaks_in
        if is_due and not broken.is_set():
            break_ledger(tmp_path / "ledger.sqlite", table)
            broken.set()

    class LedgerThatWaits(Ledger):
        """Enters nothing into the table before it is gone, however late the view hears."""

        def begin_seal(self, job_id: int) -> None:
            assert breaks_in is Stage.SEAL or broken.wait(PATIENCE_S)
            super().begin_seal(job_id)

        def end_job(self, job_id: int, end: JobEnd) -> None:
            assert broken.wait(PATIENCE_S)
            super().end_job(job_id, end)

    tape = Tape(on_tell=break_once)
    with shift_at(
        tmp_path, stick_at("a"), stick_at("b"), tape=tape, ledger=LedgerThatWaits
    ) as shift:
        assert shift.has_ended.wait(PATIENCE_S)

    assert isinstance(shift.fault, StationFaultError)
    assert shift.end() is None
    for port in ("a", "b"):
        assert shift.tape.verdicts(port) == []
        assert (shift.table.sector_0(f"{port}.img") != ZEROS) == is_sealed


class LedgerWithoutTally(Ledger):
    """A ledger that can be written and not be counted, from the first verdict on."""

    def end_job(self, job_id: int, end: JobEnd) -> None:
        super().end_job(job_id, end)
        self.__dict__["tally"] = self._fail

    def _fail(self, *_arguments: object) -> Tally:
        raise StationFaultError("the ledger can't be read")


def test_sticks_under_way_are_finished_when_the_station_fails(tmp_path: Path) -> None:
    sticks = [stick_at("quick"), stick_at("late", speed=SLOW)]
    with shift_at(tmp_path, *sticks, ledger=LedgerWithoutTally) as shift:
        assert shift.has_ended.wait(PATIENCE_S)

    assert isinstance(shift.fault, StationFaultError)
    assert shift.reasons_in_ledger("quick") == [None]
    assert shift.reasons_in_ledger("late") == [None]


def test_sticks_under_way_are_finished_when_no_more_can_be_listened_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_hub: Table, _timeout_s: float) -> list[PlugEvent]:
        raise StationFaultError("udev can't be listened to")

    with shift_at(tmp_path, stick_at("late", speed=SLOW)) as shift:
        wait_until(lambda: shift.tape.is_in("late", Stage.PROBE))
        monkeypatch.setattr(Table, "poll", fail)
        assert shift.has_ended.wait(PATIENCE_S)

    assert isinstance(shift.fault, StationFaultError)
    assert shift.reasons_in_ledger("late") == [None]
