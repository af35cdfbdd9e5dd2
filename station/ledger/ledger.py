"""The ledger as the station uses it: begin a run, start jobs, end each of them once, look back."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine, Insert, insert
from sqlalchemy.exc import IntegrityError

from station.device.drive import DriveInfo
from station.job.state import Stage
from station.ledger import query
from station.ledger.connection import for_writing, open_engine
from station.ledger.fault import JobEndedError, explained
from station.ledger.group_commit import GroupCommit
from station.ledger.location import ledger_path
from station.ledger.process import is_dead, this_process
from station.ledger.records import JobEnd, JobFilter, JobRow, JobStart, PassSpeeds, Tally
from station.ledger.schema import job, run, sealing, verdict
from station.ledger.speeds import speed_values
from station.verdict import FailReason, Outcome, Verdict, failed

# What SQLite says of a row that stands already: the key's own refusal, or the trigger before it.
_STANDS_ALREADY = frozenset({"SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_TRIGGER"})

# Made once: what is made anew for each row is worked through anew, too.
_INTO_RUN = insert(run)
_INTO_JOB = insert(job)
_INTO_SEALING = insert(sealing)
_INTO_VERDICT = insert(verdict)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Ledger:
    """The durable, append-only record of jobs.

    Every method may be called from any thread; what is entered at the same moment shares one
    transaction. What a method has returned is on the disk: it outlives the process and the power.
    What it raised is not in the ledger, not even in part; but when it was the commit that failed,
    it may come to light in full at the next start, for SQLite can't tell whether its log had
    reached the disk. All methods raise StationFaultError when the database fails.
    """

    def __init__(self, engine: Engine, path: Path, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._writing = for_writing(engine)
        self._commits = GroupCommit(self._transaction)
        self._path = path
        self._clock = clock
        self._run_id: int | None = None

    @classmethod
    def open(
        cls,
        location: str,
        *,
        read_only: bool = False,
        clock: Callable[[], datetime] = _utc_now,
    ) -> Self:
        """Open the ledger at a path or `sqlite:///` URL, and create it unless it is only read.

        Args:
            location: where it lies; `station.ledger.location.default_location` where nothing else
                was asked for.
            read_only: open what exists, and change nothing in it.
            clock: tells the time, timezone-aware.

        Raises:
            OperatorError: when the location is no place for a ledger, or holds something else.
            StationFaultError: when the database fails.
        """
        path = ledger_path(location)
        return cls(open_engine(path, read_only=read_only), path, clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    @property
    def _begun_run_id(self) -> int:
        if self._run_id is None:
            raise RuntimeError("begin_run comes before the first job")
        return self._run_id

    def begin_run(self, profile: str, batch: str) -> int:
        """Enter this process, after the jobs of processes that died were ended as interrupted.

        Jobs of a live process, and of another host, are left alone: several stations may share
        one ledger.

        Returns:
            How many jobs were ended as interrupted.
        """
        here = this_process()
        now = self._clock()

        def enter(connection: Connection) -> tuple[int, int]:
            orphans = [
                orphan for orphan in query.read_running(connection) if is_dead(orphan.process, here)
            ]
            for orphan in orphans:
                detail = f"the station (process {orphan.process.pid}) ended before the job did"
                if orphan.may_be_sealed:
                    detail += "; the drive was read back and right, and may be mountable"
                end = JobEnd(failed(FailReason.INTERRUPTED, detail))
                _insert_verdict(connection, orphan.job, end, now)
            run_id = _insert(
                connection,
                _INTO_RUN,
                started=now,
                profile=profile,
                batch=batch,
                host=here.host,
                boot_id=here.boot_id,
                pid=here.pid,
                start_ticks=here.start_ticks,
            )
            return run_id, len(orphans)

        self._run_id, ended = self._commits.run(enter)
        return ended

    def start_job(self, start: JobStart) -> int:
        """Enter a drive that was accepted, before the first byte is written to it.

        Returns:
            The number of the job, by which `end_job` is told of its end.
        """
        now = self._clock()
        return self._commits.run(lambda connection: self._insert_job(connection, start, now))

    def begin_seal(self, job_id: int) -> None:
        """Enter that a drive was read back and found right, before it becomes mountable."""
        now = self._clock()
        self._commits.run(
            lambda connection: _insert(connection, _INTO_SEALING, job_id=job_id, began=now)
        )

    def end_job(self, job_id: int, end: JobEnd) -> None:
        """Enter the one verdict on a job.

        Raises:
            JobEndedError: when the job has a verdict; the first one stands.
        """
        now = self._clock()
        self._commits.run(lambda connection: _insert_verdict(connection, job_id, end, now))

    def refuse(self, start: JobStart, refusal: Verdict) -> int:
        """Enter a drive that was refused, together with its verdict.

        Returns:
            The number of the job.
        """
        if refusal.outcome is not Outcome.REFUSED:
            raise ValueError(f"a verdict of {refusal.outcome} is no refusal")
        now = self._clock()

        def enter(connection: Connection) -> int:
            job_id = self._insert_job(connection, start, now)
            _insert_verdict(connection, job_id, JobEnd(refusal), now)
            return job_id

        return self._commits.run(enter)

    def jobs(self, wanted: JobFilter) -> Iterator[JobRow]:
        """The jobs that a filter lets through, in its order, read bit by bit."""
        with explained(self._path):
            yield from query.read_jobs(self._engine, wanted)

    def passes_of_this_run(self) -> Iterator[JobRow]:
        """The jobs of this process that passed, oldest first."""
        return self.jobs(JobFilter(frozenset({Outcome.PASS}), run=self._begun_run_id))

    def kind_speeds(self, drive: DriveInfo) -> list[PassSpeeds]:
        """How fast sticks of the same kind were that passed in any run; the newest hundreds.

        Of one kind are sticks of the same USB id, model and link speed. A drive without a USB id is
        of no kind.
        """
        with explained(self._path), self._engine.begin() as connection:
            return query.read_kind_speeds(connection, drive)

    def tally(self, since: datetime, batch: str | None = None) -> Tally:
        """Count the verdicts given since a moment (timezone-aware), of all batches or of one."""
        with explained(self._path), self._engine.begin() as connection:
            return query.read_tally(connection, since, batch)

    def find_pass(self, volume_id: int, profile: str) -> int | None:
        """The job under a profile that gave a drive this volume id and passed; None if none did."""
        with explained(self._path), self._engine.begin() as connection:
            return query.read_pass(connection, volume_id, profile)

    def close(self) -> None:
        """Let go of the file; SQLite folds its log into it when nobody else has it open."""
        with self._commits.at_rest():
            self._engine.dispose()

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """A transaction that is on the disk when the block is left, or has left no trace."""
        with explained(self._path), self._writing.begin() as connection:
            yield connection

    def _insert_job(self, connection: Connection, start: JobStart, now: datetime) -> int:
        drive = start.drive
        return _insert(
            connection,
            _INTO_JOB,
            run_id=self._begun_run_id,
            started=now,
            node=drive.node,
            capacity_bytes=drive.capacity_bytes,
            sector_bytes=drive.sector_bytes,
            diskseq=drive.diskseq,
            port=drive.port,
            port_label=start.port_label,
            vendor=drive.vendor,
            model=drive.model,
            serial=drive.serial,
            usb_id=drive.usb_id,
            link_mbps=drive.link_mbps,
            profile=start.profile,
            bundles=start.bundles,
            erase=start.erase,
            content_bytes=start.content_bytes,
        )


def _insert(connection: Connection, into: Insert, **values: object) -> int:
    return int(connection.execute(into, values).lastrowid)


def _insert_verdict(connection: Connection, job_id: int, end: JobEnd, now: datetime) -> None:
    try:
        _insert(
            connection,
            _INTO_VERDICT,
            job_id=job_id,
            ended=now,
            outcome=end.verdict.outcome,
            reason=end.verdict.reason,
            detail=end.verdict.detail,
            volume_id=end.volume_id,
            written_bytes=end.written_bytes,
            read_bytes=end.read_bytes,
            stage_s=end.stage_s,
            retries=end.quality.retries,
            longest_pause_s=end.quality.longest_pause_s,
            **speed_values(Stage.LOAD, end.quality.load),
            **speed_values(Stage.VERIFY, end.quality.verify),
        )
    except IntegrityError as error:
        if isinstance(error.orig, sqlite3.Error) and error.orig.sqlite_errorname in _STANDS_ALREADY:
            raise JobEndedError(f"job {job_id} has a verdict already") from error
        raise
