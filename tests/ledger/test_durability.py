"""What was reported is in the ledger, whatever happens to the process or the machine."""

import multiprocessing
import os
import shutil
import signal
import sqlite3
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from station.ledger.ledger import Ledger
from station.ledger.records import JobEnd, JobFilter, JobStart
from station.verdict import PASSED, FailReason, Outcome, RefusalReason, failed, refused

Stick = Callable[..., JobStart]

# The child shares the parent's loaded modules: twenty of them start in a second.
fork = multiprocessing.get_context("fork")


def work_until_killed(location: str, reports: Connection, start: JobStart) -> None:
    """Start two jobs, end one, refuse one, and so on, reporting what has returned."""
    ledger = Ledger.open(location)
    ledger.begin_run("films", "")
    while True:
        left_open = ledger.start_job(start)
        reports.send((left_open, None))
        job = ledger.start_job(start)
        reports.send((job, None))
        ledger.end_job(job, JobEnd(PASSED))
        reports.send((job, Outcome.PASS))
        job = ledger.refuse(start, refused(RefusalReason.IN_USE))
        reports.send((job, Outcome.REFUSED))


def run_and_kill(location: Path, start: JobStart, reports_wanted: int) -> dict[int, Outcome | None]:
    """Run a station, kill it as soon as it has made so many reports, and return what it told."""
    receiver, sender = fork.Pipe(duplex=False)
    child = fork.Process(target=work_until_killed, args=(str(location), sender, start))
    child.start()
    sender.close()
    told: dict[int, Outcome | None] = {}
    for _ in range(reports_wanted):
        job, outcome = receiver.recv()
        told[job] = outcome
    child.kill()
    child.join()
    # What it reported between the last report that was read and its death.
    while True:
        try:
            job, outcome = receiver.recv()
        except (EOFError, OSError):
            break
        told[job] = outcome
    receiver.close()
    return told


def judged_whole(location: Path) -> bool:
    judge = sqlite3.connect(location)
    try:
        checked = judge.execute("PRAGMA integrity_check").fetchall()
        strays = judge.execute("PRAGMA foreign_key_check").fetchall()
    finally:
        judge.close()
    return (checked, strays) == ([("ok",)], [])


def test_a_killed_station_loses_nothing_that_it_reported(location: Path, stick: Stick) -> None:
    told: dict[int, Outcome | None] = {}
    for reports_wanted in range(20):
        told |= run_and_kill(location, stick(), reports_wanted)

        with Ledger.open(str(location)) as ledger:
            running = [row.job for row in ledger.jobs(JobFilter()) if row.end is None]
            closed = ledger.begin_run("films", "")
            rows = {row.job: row for row in ledger.jobs(JobFilter())}

        assert judged_whole(location)
        assert closed == len(running)
        assert told.keys() <= rows.keys()
        for job, outcome in told.items():
            end = rows[job].end
            assert end is not None
            if outcome is not None:
                assert end.verdict.outcome is outcome
    assert len(told) > 100


def test_jobs_of_a_killed_station_become_interrupted_once(location: Path, stick: Stick) -> None:
    run_and_kill(location, stick(), 1)
    with Ledger.open(str(location)) as ledger:
        running = [row.job for row in ledger.jobs(JobFilter()) if row.end is None]
        first = ledger.begin_run("films", "")
        second = ledger.begin_run("films", "")
        interrupted = [
            row.job
            for row in ledger.jobs(JobFilter())
            if row.end and row.end.verdict.reason is FailReason.INTERRUPTED
        ]

    assert first >= 1
    assert (first, second) == (len(running), 0)
    assert interrupted == running


def seal_and_die(location: Path, stick: JobStart) -> None:
    ledger = Ledger.open(str(location))
    ledger.begin_run("films", "")
    ledger.start_job(stick)
    ledger.begin_seal(ledger.start_job(stick))
    os.kill(os.getpid(), signal.SIGKILL)


def test_an_interrupted_job_says_whether_its_stick_may_be_mountable(
    location: Path, stick: Stick
) -> None:
    child = fork.Process(target=seal_and_die, args=(location, stick()))
    child.start()
    child.join()
    with Ledger.open(str(location)) as ledger:
        ledger.begin_run("films", "")
        details = [row.end.verdict.detail for row in ledger.jobs(JobFilter()) if row.end]

    assert ["may be mountable" in detail for detail in details] == [False, True]


def test_a_log_torn_anywhere_leaves_the_beginning_of_the_story(
    location: Path, tmp_path: Path, stick: Stick
) -> None:
    """A power failure while a log is written: what was never synced may be missing from it."""
    with Ledger.open(str(location)) as ledger:
        ledger.begin_run("films", "")
        for _ in range(3):
            ledger.refuse(stick(), refused(RefusalReason.IN_USE))
            ledger.end_job(ledger.start_job(stick()), JobEnd(failed(FailReason.REMOVED)))
        story = list(ledger.jobs(JobFilter()))
        log = location.with_name("ledger.sqlite-wal").read_bytes()
        kept = shutil.copy(location, tmp_path / "kept.sqlite")

    seen = set()
    for length_bytes in range(0, len(log) + 1, max(1, len(log) // 60)):
        torn = Path(shutil.copy(kept, tmp_path / f"torn{length_bytes}.sqlite"))
        torn.with_name(f"{torn.name}-wal").write_bytes(log[:length_bytes])
        assert judged_whole(torn)
        with Ledger.open(str(torn), read_only=False) as ledger:
            rows = list(ledger.jobs(JobFilter()))
        ended = [row for row in rows if row.end is not None]
        assert ended == story[: len(ended)]
        assert len(rows) - len(ended) <= 1
        assert all(row.start == stick() for row in rows)
        seen.add(len(rows))
    assert len(seen) > 3


@pytest.mark.parametrize(("pragma", "value"), [("synchronous", 2), ("foreign_keys", 1)])
def test_every_commit_waits_for_the_disk(ledger: Ledger, pragma: str, value: int) -> None:
    with ledger._writing.connect() as connection:
        actual = connection.exec_driver_sql(f"PRAGMA {pragma}").scalar_one()

    assert actual == value
