"""Tens of workers, and several stations, on one ledger."""

import multiprocessing
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path

from station.ledger.fault import JobEndedError
from station.ledger.ledger import Ledger
from station.ledger.records import JobEnd, JobFilter, JobStart
from station.verdict import PASSED, FailReason, RefusalReason, failed, refused

Stick = Callable[..., JobStart]
fork = multiprocessing.get_context("fork")


def test_each_of_many_workers_ends_its_own_jobs_once(ledger: Ledger, stick: Stick) -> None:
    workers, rounds = 24, 6

    def work(worker: int) -> None:
        for _ in range(rounds):
            job = ledger.start_job(stick(f"worker {worker}"))
            ledger.end_job(job, JobEnd(failed(FailReason.IO_ERROR, f"worker {worker}")))
            ledger.refuse(stick(f"worker {worker}"), refused(RefusalReason.IN_USE))

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, range(workers)))

    rows = list(ledger.jobs(JobFilter()))
    assert Counter(row.start.drive.node for row in rows) == {
        f"worker {worker}": 2 * rounds for worker in range(workers)
    }
    assert all(
        row.end.verdict.detail in (row.start.drive.node, "") for row in rows if row.end is not None
    )
    assert all(row.end is not None for row in rows)


def test_of_many_ends_of_one_job_exactly_one_stands(ledger: Ledger, stick: Stick) -> None:
    job = ledger.start_job(stick())

    def end(worker: int) -> bool:
        try:
            ledger.end_job(job, JobEnd(PASSED, written_bytes=worker))
        except JobEndedError:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        won = list(pool.map(end, range(16)))

    (row,) = ledger.jobs(JobFilter())
    assert row.end is not None
    assert [worker for worker, success in enumerate(won) if success] == [row.end.written_bytes]


def run_station(location: str, answer: Connection, start: JobStart, jobs: int) -> None:
    with Ledger.open(location) as ledger:
        closed = ledger.begin_run("films", "")
        for _ in range(jobs):
            ledger.end_job(ledger.start_job(start), JobEnd(PASSED))
    answer.send(closed)


def test_stations_that_open_a_new_ledger_at_once_share_it(location: Path, stick: Stick) -> None:
    stations, jobs = 4, 15
    receiver, sender = fork.Pipe(duplex=False)
    children = [
        fork.Process(target=run_station, args=(str(location), sender, stick(), jobs))
        for _ in range(stations)
    ]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0] * stations
    closed = [receiver.recv() for _ in children]

    with Ledger.open(str(location), read_only=True) as ledger:
        rows = list(ledger.jobs(JobFilter()))
    assert closed == [0] * stations
    assert [row.end for row in rows] == [JobEnd(PASSED)] * (stations * jobs)


def test_a_starting_station_leaves_the_jobs_of_a_live_one_alone(
    ledger: Ledger, location: Path, stick: Stick
) -> None:
    job = ledger.start_job(stick())
    receiver, sender = fork.Pipe(duplex=False)
    child = fork.Process(target=run_station, args=(str(location), sender, stick(), 1))
    child.start()
    child.join()

    assert receiver.recv() == 0
    ledger.end_job(job, JobEnd(PASSED))
    assert [row.end for row in ledger.jobs(JobFilter())] == [JobEnd(PASSED)] * 2
