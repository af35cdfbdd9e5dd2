"""What the ledger can be asked, as statements, and its answers as values."""

from array import array
from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Engine, Row, func, select

from station.device.drive import DriveInfo
from station.job.quality import Quality
from station.job.state import Stage
from station.ledger.fault import values_as_written
from station.ledger.process import ProcessIdentity
from station.ledger.records import (
    JobEnd,
    JobFilter,
    JobOrder,
    JobRow,
    JobStart,
    PassSpeeds,
    RunningJob,
    Tally,
)
from station.ledger.schema import job, run, sealing, verdict
from station.ledger.speeds import speed_profile_of
from station.verdict import FailReason, Outcome, RefusalReason, Verdict

# Rows read in one transaction: a reader who pages slowly must not hold back the write-ahead log.
_PAGE_ROWS = 500

# How many passes of one kind are compared: more would not move the median.
_KIND_ROWS = 500

_JOBS = select(
    job,
    run.c.batch,
    *(column for column in verdict.c if column is not verdict.c.job_id),
).select_from(job.join(run).outerjoin(verdict))

# What comes first here comes last when it is told.
_REMARKABLE_FIRST: dict[JobOrder, ColumnElement[object]] = {
    JobOrder.STARTED: job.c.id.desc(),
    JobOrder.LOAD_SPEED: verdict.c.load_median_bytes_per_s.asc().nulls_last(),
    JobOrder.VERIFY_SPEED: verdict.c.verify_median_bytes_per_s.asc().nulls_last(),
    JobOrder.RETRIES: verdict.c.retries.desc().nulls_last(),
    JobOrder.PAUSE: verdict.c.longest_pause_s.desc().nulls_last(),
}


def read_jobs(engine: Engine, wanted: JobFilter) -> Iterator[JobRow]:
    """The jobs that a filter lets through, in its order."""
    statement = (
        select(job.c.id)
        .select_from(job.join(run).outerjoin(verdict))
        .where(*_conditions(wanted))
        .order_by(_REMARKABLE_FIRST[wanted.order], job.c.id.desc())
        .limit(wanted.limit)
    )
    with engine.begin() as connection:
        ids = array("q", connection.execute(statement).scalars())
    if not wanted.is_reversed:
        ids.reverse()
    for first in range(0, len(ids), _PAGE_ROWS):
        page = ids[first : first + _PAGE_ROWS]
        with engine.begin() as connection, values_as_written():
            rows = connection.execute(_JOBS.where(job.c.id.in_(page))).all()
            by_id = {row.id: _job_row(row) for row in rows}
            told = [by_id[job_id] for job_id in page]
        yield from told


def read_kind_speeds(connection: Connection, drive: DriveInfo) -> list[PassSpeeds]:
    """The speeds of the newest passes of the same kind of stick."""
    if not drive.usb_id:
        return []
    statement = (
        select(job.c.id, verdict.c.load_median_bytes_per_s, verdict.c.verify_median_bytes_per_s)
        .select_from(job.join(verdict))
        .where(
            verdict.c.outcome == Outcome.PASS,
            job.c.usb_id == drive.usb_id,
            job.c.model == drive.model,
            job.c.link_mbps.is_not_distinct_from(drive.link_mbps),
        )
        .order_by(job.c.id.desc())
        .limit(_KIND_ROWS)
    )
    return [PassSpeeds(*row) for row in connection.execute(statement)]


def read_tally(connection: Connection, since: datetime, batch: str | None) -> Tally:
    """Verdicts given since a moment, counted."""
    statement = (
        select(verdict.c.outcome, func.count())
        .select_from(verdict.join(job).join(run))
        .where(verdict.c.ended >= since)
        .group_by(verdict.c.outcome)
    )
    if batch is not None:
        statement = statement.where(run.c.batch == batch)
    counts = {Outcome(outcome): count for outcome, count in connection.execute(statement)}
    return Tally(
        passed=counts.get(Outcome.PASS, 0),
        failed=counts.get(Outcome.FAIL, 0),
        refused=counts.get(Outcome.REFUSED, 0),
    )


def read_running(connection: Connection) -> list[RunningJob]:
    """The jobs that have no verdict."""
    statement = (
        select(
            job.c.id,
            sealing.c.job_id.is_not(None),
            *(run.c.host, run.c.boot_id, run.c.pid, run.c.start_ticks),
        )
        .select_from(
            job.join(run)
            .outerjoin(sealing, sealing.c.job_id == job.c.id)
            .outerjoin(verdict, verdict.c.job_id == job.c.id)
        )
        .where(verdict.c.job_id.is_(None))
        .order_by(job.c.id)
    )
    return [
        RunningJob(job_id, ProcessIdentity(*process), may_be_sealed)
        for job_id, may_be_sealed, *process in connection.execute(statement)
    ]


def read_pass(connection: Connection, volume_id: int, profile: str) -> int | None:
    """The last job under a profile that gave a drive this volume id, and passed."""
    statement = (
        select(job.c.id)
        .select_from(job.join(verdict))
        .where(
            verdict.c.volume_id == volume_id,
            verdict.c.outcome == Outcome.PASS,
            job.c.profile == profile,
        )
        .order_by(job.c.id.desc())
        .limit(1)
    )
    return connection.execute(statement).scalar_one_or_none()


def _conditions(wanted: JobFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.outcomes:
        conditions.append(verdict.c.outcome.in_(sorted(wanted.outcomes)))
    if wanted.since is not None:
        conditions.append(job.c.started >= wanted.since)
    if wanted.until is not None:
        conditions.append(job.c.started <= wanted.until)
    if wanted.batch is not None:
        conditions.append(run.c.batch == wanted.batch)
    if wanted.run is not None:
        conditions.append(run.c.id == wanted.run)
    return conditions


def _job_row(row: Row[tuple[object, ...]]) -> JobRow:
    start = JobStart(
        drive=DriveInfo(
            node=row.node,
            capacity_bytes=row.capacity_bytes,
            sector_bytes=row.sector_bytes,
            diskseq=row.diskseq,
            port=row.port,
            vendor=row.vendor,
            model=row.model,
            serial=row.serial,
            usb_id=row.usb_id,
            link_mbps=row.link_mbps,
        ),
        port_label=row.port_label,
        profile=row.profile,
        bundles=row.bundles,
        erase=row.erase,
        content_bytes=row.content_bytes,
    )
    return JobRow(
        job=row.id,
        batch=row.batch,
        started=row.started,
        ended=row.ended,
        start=start,
        end=None if row.ended is None else _job_end(row),
    )


def _job_end(row: Row[tuple[object, ...]]) -> JobEnd:
    return JobEnd(
        verdict=Verdict(Outcome(row.outcome), _reason(row.outcome, row.reason), row.detail),
        volume_id=row.volume_id,
        written_bytes=row.written_bytes,
        read_bytes=row.read_bytes,
        stage_s=row.stage_s,
        quality=Quality(
            speed_profile_of(Stage.LOAD, row),
            speed_profile_of(Stage.VERIFY, row),
            row.retries,
            row.longest_pause_s,
        ),
    )


def _reason(outcome: str, reason: str | None) -> FailReason | RefusalReason | None:
    if reason is None:
        return None
    return FailReason(reason) if outcome == Outcome.FAIL else RefusalReason(reason)
