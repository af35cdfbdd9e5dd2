"""A database that fails is the station's fault, said in one line with the file and the remedy."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from station.errors import StationFaultError
from station.ledger import connection as connection_module
from station.ledger.fault import explained
from station.ledger.ledger import Ledger
from station.ledger.records import JobEnd, JobFilter, JobStart
from station.verdict import PASSED, FailReason, RefusalReason, failed, refused

Stick = Callable[..., JobStart]


def limit_pages(ledger: Ledger, pages: int | None) -> None:
    """Let SQLite itself find its disk full once the file has so many pages more."""
    with ledger._engine.connect() as connection:
        used: int = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        most = 1_000_000 if pages is None else used + pages
        connection.exec_driver_sql(f"PRAGMA max_page_count = {most}")


def test_a_full_disk_leaves_no_half_of_a_refusal(ledger: Ledger, stick: Stick) -> None:
    limit_pages(ledger, 2)
    huge = refused(RefusalReason.IN_USE, "x" * 100_000)
    with pytest.raises(StationFaultError, match=r"disk is full\. Free some space"):
        ledger.refuse(stick(), huge)

    assert list(ledger.jobs(JobFilter())) == []


def test_a_station_goes_on_when_its_disk_has_space_again(ledger: Ledger, stick: Stick) -> None:
    job = ledger.start_job(stick())
    end = JobEnd(failed(FailReason.IO_ERROR, "x" * 100_000))
    limit_pages(ledger, 2)
    with pytest.raises(StationFaultError, match="disk is full"):
        ledger.end_job(job, end)
    limit_pages(ledger, None)
    ledger.end_job(job, end)

    assert [row.end for row in ledger.jobs(JobFilter())] == [end]


def test_a_ledger_that_stays_locked_is_said_to_be(
    location: Path, stick: Stick, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "_BUSY_TIMEOUT_S", 0.05)
    with Ledger.open(str(location)) as ledger:
        ledger.begin_run("films", "")
        with closing(sqlite3.connect(location)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StationFaultError, match="is locked by another program"):
                ledger.start_job(stick())
        job = ledger.start_job(stick())
        ledger.end_job(job, JobEnd(PASSED))

        assert [row.job for row in ledger.jobs(JobFilter())] == [job]


def test_a_damaged_ledger_is_said_to_be(location: Path, stick: Stick) -> None:
    with Ledger.open(str(location)) as ledger:
        ledger.begin_run("films", "")
        ledger.start_job(stick())
    with location.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xd1" * (location.stat().st_size - 4096))
    with (
        pytest.raises(StationFaultError, match=r"is damaged\. Keep the file"),
        Ledger.open(str(location)) as ledger,
    ):
        ledger.begin_run("films", "")


def test_the_file_is_named_in_its_printable_form() -> None:
    with (
        pytest.raises(StationFaultError) as caught,
        explained(Path("/srv/\x1b[31m.sqlite")),
        closing(sqlite3.connect(":memory:")) as connection,
    ):
        connection.execute("SELECT * FROM nowhere")

    assert caught.value.problem == (
        "the ledger /srv/\\x1b[31m.sqlite refused an operation: no such table: nowhere"
    )
