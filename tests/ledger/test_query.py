import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.device.drive import DriveInfo
from station.job.quality import Quality, SpeedProfile
from station.ledger import query
from station.ledger.ledger import Ledger
from station.ledger.records import JobEnd, JobFilter, JobOrder, JobRow, JobStart
from station.verdict import PASSED, FailReason, Outcome, RefusalReason, failed, refused

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
BATCHES = ("", "monday", "월요일")
HOURS = 48
JOBS = 60


def some_quality(choice: random.Random) -> Quality:
    profiles = [None, *(SpeedProfile(speed / 2, speed, speed * 2, 0) for speed in (1e6, 2e6, 3e6))]
    return Quality(
        choice.choice(profiles),
        choice.choice(profiles),
        choice.randrange(3),
        choice.choice([0.0, 0.5, 20.0]),
    )


@pytest.fixture(scope="module")
def busy_ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """Sixty jobs in three batches, ended in every way and running, over two days.

    Figures are few and small, so that many jobs share them.
    """
    choice = random.Random(1)
    now = BEGINNING
    location = tmp_path_factory.mktemp("query") / "ledger.sqlite"
    with Ledger.open(str(location), clock=lambda: now) as ledger:
        for number in range(JOBS):
            now = BEGINNING + timedelta(hours=choice.randrange(HOURS))
            ledger.begin_run("films", choice.choice(BATCHES))
            start = JobStart(DriveInfo(f"/dev/sd{number}", 10**9), "A1", "films")
            outcome = choice.choice([*Outcome, None])
            if outcome is Outcome.REFUSED:
                ledger.refuse(start, refused(RefusalReason.IN_USE))
                continue
            job = ledger.start_job(start)
            if outcome is not None:
                passed = outcome is Outcome.PASS
                verdict = PASSED if passed else failed(FailReason.STALLED)
                ledger.end_job(job, JobEnd(verdict, quality=some_quality(choice)))
        yield ledger


moments = st.none() | st.integers(-1, HOURS + 1).map(lambda hour: BEGINNING + timedelta(hours=hour))
filters = st.builds(
    JobFilter,
    outcomes=st.frozensets(st.sampled_from(Outcome)),
    since=moments,
    until=moments,
    batch=st.none() | st.sampled_from([*BATCHES, "no such batch"]),
    limit=st.none() | st.integers(1, JOBS + 1),
    order=st.sampled_from(JobOrder),
    is_reversed=st.booleans(),
)


def lets_through(wanted: JobFilter, row: JobRow) -> bool:
    return (
        (
            not wanted.outcomes
            or (row.end is not None and row.end.verdict.outcome in wanted.outcomes)
        )
        and (wanted.since is None or row.started >= wanted.since)
        and (wanted.until is None or row.started <= wanted.until)
        and (wanted.batch is None or row.batch == wanted.batch)
    )


def remarkable(order: JobOrder, row: JobRow) -> float:
    """How far back a job belongs; what has no such figure belongs to the front."""
    quality = row.end.quality if row.end else None
    speeds = {
        JobOrder.LOAD_SPEED: quality and quality.load,
        JobOrder.VERIFY_SPEED: quality and quality.verify,
    }
    if order is JobOrder.STARTED:
        return row.job
    if order in speeds:
        profile = speeds[order]
        return -profile.median_bytes_per_s if profile else -float("inf")
    if quality is None:
        return -float("inf")
    return quality.retries if order is JobOrder.RETRIES else quality.longest_pause_s


def test_without_a_filter_every_job_is_told_oldest_first(busy_ledger: Ledger) -> None:
    assert [row.job for row in busy_ledger.jobs(JobFilter())] == list(range(1, JOBS + 1))


@given(wanted=filters)
def test_a_filter_tells_the_last_of_the_jobs_it_lets_through_in_its_order(
    busy_ledger: Ledger, wanted: JobFilter
) -> None:
    through = [row for row in busy_ledger.jobs(JobFilter()) if lets_through(wanted, row)]
    through.sort(key=lambda row: remarkable(wanted.order, row))
    expected = through[-(wanted.limit or JOBS) :]

    assert list(busy_ledger.jobs(wanted)) == (expected[::-1] if wanted.is_reversed else expected)


@given(wanted=filters, page_rows=st.integers(1, JOBS + 1))
def test_the_size_of_a_page_does_not_show(
    busy_ledger: Ledger, wanted: JobFilter, page_rows: int
) -> None:
    whole = list(busy_ledger.jobs(wanted))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(query, "_PAGE_ROWS", page_rows)
        paged = list(busy_ledger.jobs(wanted))

    assert paged == whole


def test_a_reader_who_pauses_does_not_hold_back_the_log(tmp_path: Path) -> None:
    location = tmp_path / "ledger.sqlite"
    with Ledger.open(str(location)) as ledger:
        ledger.begin_run("films", "")
        for number in range(3):
            ledger.start_job(JobStart(DriveInfo(f"/dev/sd{number}", 10**9), "A1", "films"))
        with Ledger.open(str(location), read_only=True) as reader:
            jobs = reader.jobs(JobFilter())
            next(jobs)
            with ledger._engine.connect() as connection:
                busy = connection.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
                held_back = busy.fetchone()[0]

            assert held_back == 0
            assert len(list(jobs)) == 2
