"""What the summary of a real run says of its sticks."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from station.dashboard.event import RunEnded
from station.device.drive import DriveInfo
from station.errors import StationFaultError
from station.job.quality import Quality, SpeedProfile
from station.ledger.ledger import Ledger
from station.ledger.records import JobEnd, JobFilter, JobRow, JobStart
from station.verdict import PASSED
from tests.supervisor.table import Shift, shift_at, stick_at

# Nothing on this machine writes a terabyte a second.
IMPOSSIBLY_FAST = SpeedProfile(1e12, 1e12, 1e12, 0)
CRUZER = DriveInfo(
    "sdx", 10**9, vendor="SanDisk", model="Cruzer", usb_id="0781:5151", link_mbps=480
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder whose ledger holds three passes of Cruzers that were fast at writing."""
    with Ledger.open(str(tmp_path / "ledger.sqlite")) as ledger:
        ledger.begin_run("films", "yesterday")
        for _ in range(3):
            job = ledger.start_job(JobStart(CRUZER, "A1", "films"))
            ledger.end_job(job, JobEnd(PASSED, quality=Quality(load=IMPOSSIBLY_FAST)))
    return tmp_path


def summary(shift: Shift) -> RunEnded:
    (ended,) = (event for event in shift.tape.events if isinstance(event, RunEnded))
    return ended


def test_a_stick_far_slower_than_its_kind_is_named_in_the_summary(folder: Path) -> None:
    slow = stick_at("a", vendor=CRUZER.vendor, model=CRUZER.model, usb_id=CRUZER.usb_id)
    with shift_at(folder, slow, stick_at("b", model="Other")) as shift:
        shift.end()
        rows = shift.rows()

    (note,) = summary(shift).notes
    job = next(row.job for row in rows if row.start.port_label == "a")
    assert note.startswith("a SanDisk Cruzer ")
    assert f"[job {job}]: writes " in note
    assert note.endswith(", others of its kind 1 TB/s")


def test_the_ledger_has_a_record_of_each_stick_that_went_through(tmp_path: Path) -> None:
    with shift_at(tmp_path, stick_at("a")) as shift:
        shift.end()
        (row,) = shift.rows()

    assert row.end is not None
    quality = row.end.quality
    assert quality.load is not None
    assert quality.verify is not None
    assert quality.retries == 0
    assert quality.longest_pause_s > 0


class ForgetfulLedger(Ledger):
    """Fails when it is asked about a whole run, and only then."""

    def passes_of_this_run(self) -> Iterator[JobRow]:
        with sqlite3.connect(self.path) as connection:
            connection.execute("DROP TABLE verdict")
        connection.close()
        return self.jobs(JobFilter())


def test_a_ledger_that_fails_at_the_end_costs_the_notes_and_not_the_summary(
    tmp_path: Path,
) -> None:
    with shift_at(tmp_path, stick_at("a"), ledger=ForgetfulLedger) as shift:
        shift.end()

    assert (summary(shift).passed, summary(shift).notes) == (1, ())
    assert isinstance(shift.fault, StationFaultError)
