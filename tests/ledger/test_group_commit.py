"""What is entered at the same moment reaches the disk together, and fails together."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from station.errors import StationFaultError
from station.ledger.fault import JobEndedError
from station.ledger.group_commit import GroupCommit
from station.ledger.ledger import Ledger
from station.ledger.records import JobEnd, JobFilter, JobStart
from station.verdict import PASSED, FailReason, failed
from tests.faults.failing_database import Calls, DatabaseError, counted
from tests.ledger.test_fault import limit_pages

Stick = Callable[..., JobStart]

WORKERS = 16


def at_the_same_moment(
    ledger: Ledger, acts: Sequence[Callable[[], object]]
) -> list[Future[object]]:
    """Have each act wait in a thread of its own until all do, then let them be carried out."""
    with ThreadPoolExecutor(len(acts)) as pool, ledger._commits.at_rest():
        futures = [pool.submit(act) for act in acts]
        while len(ledger._commits._waiting) < len(acts):
            time.sleep(0.001)
    return futures


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def ledger(location: Path, calls: Calls) -> Iterator[Ledger]:
    with counted(calls), Ledger.open(str(location)) as opened:
        opened.begin_run("films", "monday")
        yield opened


def test_rows_of_the_same_moment_take_one_flush(ledger: Ledger, calls: Calls, stick: Stick) -> None:
    calls.made.clear()
    jobs = at_the_same_moment(ledger, [lambda: ledger.start_job(stick())] * WORKERS)
    ends = [lambda job=job: ledger.end_job(job.result(), JobEnd(PASSED)) for job in jobs]
    at_the_same_moment(ledger, ends)

    assert calls.made.count("COMMIT") == 2
    assert len({job.result() for job in jobs}) == WORKERS
    assert [row.end for row in ledger.jobs(JobFilter())] == [JobEnd(PASSED)] * WORKERS


def test_a_row_that_is_refused_keeps_no_other_from_the_ledger(ledger: Ledger, stick: Stick) -> None:
    ended, job = ledger.start_job(stick()), ledger.start_job(stick())
    first = JobEnd(failed(FailReason.REMOVED, "first"))
    ledger.end_job(ended, first)
    again, other, more = at_the_same_moment(
        ledger,
        [
            lambda: ledger.end_job(ended, JobEnd(PASSED)),
            lambda: ledger.end_job(job, JobEnd(PASSED)),
            lambda: ledger.start_job(stick()),
        ],
    )

    assert isinstance(again.exception(), JobEndedError)
    assert other.exception() is None
    rows = {row.job: row.end for row in ledger.jobs(JobFilter())}
    assert rows == {ended: first, job: JobEnd(PASSED), more.result(): None}


def test_a_full_disk_keeps_out_all_that_was_entered_with_what_did_not_fit(
    ledger: Ledger, stick: Stick
) -> None:
    job = ledger.start_job(stick())
    limit_pages(ledger, 2)
    huge = JobEnd(failed(FailReason.IO_ERROR, "x" * 100_000))
    futures = at_the_same_moment(
        ledger, [lambda: ledger.start_job(stick()), lambda: ledger.end_job(job, huge)]
    )
    errors = [future.exception() for future in futures]

    assert all(isinstance(error, StationFaultError) for error in errors)
    assert all("disk is full. Free some space" in str(error) for error in errors)
    # Each thread raises an error of its own.
    assert errors[0] is not errors[1]
    assert [(row.job, row.end) for row in ledger.jobs(JobFilter())] == [(job, None)]


@pytest.mark.parametrize("error", DatabaseError)
def test_nobody_is_told_of_a_row_whose_commit_failed(
    location: Path, stick: Stick, error: DatabaseError
) -> None:
    counting = Calls()
    with counted(counting), Ledger.open(str(location)) as ledger:
        ledger.begin_run("films", "")
        start = [lambda: ledger.start_job(stick())] * WORKERS
        counting._nth = len(counting.made) + 1 + WORKERS + 1
        counting._error = error
        futures = at_the_same_moment(ledger, start)

        assert counting.made[-1] == "COMMIT"
        assert all(isinstance(future.exception(), StationFaultError) for future in futures)
        assert list(ledger.jobs(JobFilter())) == []

        assert [future.exception() for future in at_the_same_moment(ledger, start)] == (
            [None] * WORKERS
        )


def test_a_transaction_that_is_broken_off_fails_for_those_that_shared_it(
    ledger: Ledger,
) -> None:
    began = 0

    @contextmanager
    def interrupted_once() -> Iterator[None]:
        nonlocal began
        began += 1
        yield
        if began == 1:
            raise KeyboardInterrupt

    commits = GroupCommit(interrupted_once)  # type: ignore[arg-type]  # nobody asks for the connection
    ledger._commits = commits
    futures = at_the_same_moment(ledger, [lambda: commits.run(lambda _: 1)] * 3)
    errors = [type(future.exception()) for future in futures]

    assert sorted(error.__name__ for error in errors) == [
        "KeyboardInterrupt",
        "StationFaultError",
        "StationFaultError",
    ]
    assert commits.run(lambda _: 1) == 1
