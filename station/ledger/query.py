"""What the ledger can be asked, as statements, and its answers as values."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from sqlalchemy import ColumnElement, Connection, Engine, Row, Select, func, select

from station.device.drive import DriveInfo
from station.ledger.process import ProcessIdentity
from station.ledger.records import JobEnd, JobFilter, JobRow, JobStart, Tally
from station.ledger.schema import job, run, verdict
from station.verdict import FailReason, Outcome, RefusalReason, Verdict

# Rows read in one transaction: a reader who pages slowly must not hold back the write-ahead log.
_PAGE_ROWS = 500

_JOBS = select(
    job,
    run.c.batch,
    verdict.c.ended,
    verdict.c.outcome,
    verdict.c.reason,
    verdict.c.detail,
    verdict.c.volume_id,
    verdict.c.written_bytes,
    verdict.c.read_bytes,
    verdict.c.stage_s,
).select_from(job.join(run).outerjoin(verdict))


def read_jobs(engine: Engine, wanted: JobFilter) -> Iterator[JobRow]:
    """The jobs that a filter lets through, oldest first; a limit keeps the newest of them."""
    conditions = _conditions(wanted)
    page = _JOBS.where(*conditions).order_by(job.c.id).limit(_PAGE_ROWS)
    with engine.begin() as connection:
        first = _first_job(connection, wanted)
    if first is None:
        return
    yield from islice(_pages(engine, page, first), wanted.limit)


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


def read_running(connection: Connection) -> list[tuple[int, ProcessIdentity]]:
    """The jobs that have no verdict, each with the process that runs or ran it."""
    statement = (
        select(job.c.id, run.c.host, run.c.boot_id, run.c.pid, run.c.start_ticks)
        .select_from(job.join(run).outerjoin(verdict))
        .where(verdict.c.job_id.is_(None))
        .order_by(job.c.id)
    )
    return [
        (job_id, ProcessIdentity(host, boot_id, pid, start_ticks))
        for job_id, host, boot_id, pid, start_ticks in connection.execute(statement)
    ]


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
    return conditions


def _first_job(connection: Connection, wanted: JobFilter) -> int | None:
    """Where the newest `limit` jobs begin."""
    newest = (
        select(job.c.id)
        .select_from(job.join(run).outerjoin(verdict))
        .where(*_conditions(wanted))
        .order_by(job.c.id.desc())
        .limit(wanted.limit)
        .subquery()
    )
    first: int | None = connection.execute(select(func.min(newest.c.id))).scalar_one()
    return first


def _pages(engine: Engine, page: Select[tuple[object, ...]], first: int) -> Iterator[JobRow]:
    while True:
        with engine.begin() as connection:
            rows = connection.execute(page.where(job.c.id >= first)).all()
        yield from map(_job_row, rows)
        if len(rows) < _PAGE_ROWS:
            return
        first = rows[-1].id + 1


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
    )


def _reason(outcome: str, reason: str | None) -> FailReason | RefusalReason | None:
    if reason is None:
        return None
    return FailReason(reason) if outcome == Outcome.FAIL else RefusalReason(reason)
