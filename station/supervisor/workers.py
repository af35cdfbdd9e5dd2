"""What the thread of one drive does, from opening it to its verdict in the ledger."""

import threading
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from station.content.profile import ErasePolicy, Profile, ReadBack
from station.dashboard.event import JobEnded, StageBegan, StationEvent
from station.device.drive import Drive, DriveInfo
from station.errors import (
    DriveTooLargeError,
    DriveTooSmallError,
    OperatorError,
    StationError,
    StationFaultError,
)
from station.hotplug.events import Hub, Port
from station.image.geometry import Layout
from station.job.counted_drive import CountedDrive
from station.job.identity import random_identity, read_identity
from station.job.meter import Meter
from station.job.order import WIPE_PATTERNS, Order, OrderBook
from station.job.pipeline import make, withdraw
from station.job.progress import Operation, Progress
from station.job.state import LOADING, Stage
from station.job.verify import MismatchError
from station.ledger.ledger import Ledger
from station.ledger.records import JobEnd, JobStart
from station.supervisor.seat import Seat
from station.verdict import (
    PASSED,
    DriveFailedError,
    DriveRefusedError,
    FailReason,
    Outcome,
    RefusalReason,
    Verdict,
    failed,
    refused,
)

# The kernel may report a failed command a moment before udev reports that the stick was pulled.
_REMOVAL_GRACE_S = 1.5
_UNENTERED = "the drive was read back and right, but its pass could not be entered"


class Workers:
    """Gives each seat its thread. `settle` is the one way to a verdict.

    Args:
        hub: opens drives.
        book: tells what is to become of them.
        ledger: where every verdict is entered before anyone sees it.
        profile: what drives are to become.
        tell: takes events from any thread.
        report: takes the station's own failures from any thread.
        reloads: whether to load drives anew that passed under this profile before.
    """

    def __init__(  # noqa: PLR0913 - the parts of the station that a worker uses, each once
        self,
        *,
        hub: Hub,
        book: OrderBook,
        ledger: Ledger,
        profile: Profile,
        tell: Callable[[StationEvent], None],
        report: Callable[[StationError], None],
        reloads: bool,
    ) -> None:
        self._reloads = reloads
        self._hub = hub
        self._book = book
        self._ledger = ledger
        self._profile = profile
        self._tell = tell
        self._report = report

    def seat(self, port: Port, drive: DriveInfo) -> Seat:
        """A seat for a drive that was inserted."""

        def tell_stage(progress: Progress, stage: Stage) -> None:
            now, total_bytes = datetime.now(UTC), progress.stage_total_bytes
            self._tell(StageBegan(now, port.label, drive, _job_of(seat), stage, total_bytes))

        seat = Seat(port, drive, Progress(LOADING, tell_stage))
        return seat

    def attend(self, seat: Seat) -> None:
        """Start a thread that works on a drive until its verdict.

        A daemon: a drive that never answers must not keep the station from ending.
        """
        threading.Thread(
            target=self._work, args=(seat,), name=f"drive {seat.port.name}", daemon=True
        ).start()

    def settle(self, seat: Seat, verdict: Verdict) -> bool:
        """Enter the verdict on a drive, unless it has one already.

        Returns:
            Whether this verdict is the one that stands.

        Raises:
            StationFaultError: when the ledger fails; the drive has no verdict then.
        """
        with seat.settling:
            if seat.verdict is not None:
                return False
            if verdict.outcome is Outcome.REFUSED:
                seat.job = self._ledger.refuse(self._start_of(seat, None), verdict)
            else:
                if seat.job is None:
                    seat.job = self._ledger.start_job(self._start_of(seat, None))
                self._ledger.end_job(seat.job, _end_of(seat, verdict))
            seat.verdict = verdict
        self._tell(JobEnded(datetime.now(UTC), seat.port.label, seat.drive, _job_of(seat), verdict))
        return True

    def _work(self, seat: Seat) -> None:
        try:
            self._open_and_make(seat)
        except OperatorError as error:
            # Refusing the command as a whole comes too late: other drives may be written already.
            self._report(StationFaultError(error.problem, error.remedy))
        except StationError as error:
            self._report(error)
        except BaseException as error:  # noqa: BLE001 - reported, and it ends the run
            where = traceback.extract_tb(error.__traceback__)[-1]
            self._report(
                StationFaultError(
                    f"a worker at {seat.port.label} failed: {error!r}"
                    f" ({Path(where.filename).name}, line {where.lineno})",
                    "This is a defect of the station; the stick is not sealed.",
                )
            )
        finally:
            seat.finished.set()

    def _open_and_make(self, seat: Seat) -> None:
        seat.progress.begin_operation(Operation.OPEN)
        try:
            drive = self._hub.open(seat.drive)
        except DriveRefusedError as error:
            self.settle(seat, error.verdict)
            return
        except OSError as error:
            reason = FailReason.REMOVED if _was_removed(seat) else FailReason.IO_ERROR
            self.settle(seat, failed(reason, f"could not be opened: {error.strerror or error}"))
            return
        finally:
            seat.progress.end_operation()
        try:
            self._make(seat, drive)
        finally:
            drive.close()
        if seat.verdict == PASSED and self._profile.volume.layout is Layout.MBR:
            self._hub.show(seat.drive)

    def _make(self, seat: Seat, drive: Drive) -> None:
        try:
            order = self._book.order_for(drive.capacity_bytes, drive.sector_bytes)
        except DriveTooSmallError as error:
            self.settle(seat, refused(RefusalReason.TOO_SMALL, error.problem))
            return
        except DriveTooLargeError as error:
            self.settle(seat, refused(RefusalReason.TOO_LARGE, error.problem))
            return
        if not self._reloads and (earlier := self._passed_as(seat, drive, order)) is not None:
            detail = f"it passed as job {earlier}: pull it, or run with --reload to load it anew"
            self.settle(seat, refused(RefusalReason.ALREADY_LOADED, detail))
            return
        if not self._accept(seat, order):
            return
        identity = random_identity()
        seat.volume_id = identity.volume_id
        seat.meter = Meter(seat.progress, order.stage_bytes)
        verdict = make(order, identity, drive, seat.progress, lambda: self._before_seal(seat))
        if verdict.reason is FailReason.IO_ERROR and _was_removed(seat):
            verdict = failed(FailReason.REMOVED, verdict.detail)
        try:
            stands = self.settle(seat, verdict)
        except StationFaultError:
            if verdict.outcome is Outcome.PASS and self._will_never_pass(seat):
                withdraw(drive, verdict)
            raise
        if not stands:
            # It was given up as hung, and answered after all.
            withdraw(drive, verdict)

    def _before_seal(self, seat: Seat) -> None:
        self._ledger.begin_seal(_job_of(seat))

    def _will_never_pass(self, seat: Seat) -> bool:
        """Make sure that a pass which could not be entered never comes to light.

        A commit that failed may have reached the disk. Only another end of the same job, which
        takes its place, makes certain that it did not.

        Returns:
            Whether it is certain. If not, the seal has to stay: the drive was read back and is
            right, as the ledger knows since before the seal, and its pass may yet be found there.
        """
        try:
            self.settle(seat, failed(FailReason.INTERRUPTED, _UNENTERED))
        except StationFaultError:
            return False
        return True

    def _passed_as(self, seat: Seat, drive: Drive, order: Order) -> int | None:
        """The job in which this very drive passed under this profile; None if it did not.

        When a hub loses power for a moment, all its sticks seem to be new.
        """
        try:
            counted = CountedDrive(drive, seat.progress)
            identity = read_identity(order.volume.geometry, counted)
        except (MismatchError, DriveFailedError):
            # It bears no volume, or can't be read: the job will tell which.
            return None
        return self._ledger.find_pass(identity.volume_id, self._profile.name)

    def _accept(self, seat: Seat, order: Order) -> bool:
        """Enter the job, unless the drive was given up while it was opened."""
        with seat.settling:
            if seat.verdict is not None:
                return False
            seat.job = self._ledger.start_job(self._start_of(seat, order))
        return True

    def _start_of(self, seat: Seat, order: Order | None) -> JobStart:
        if order is None:
            return JobStart(seat.drive, seat.port.label, self._profile.name)
        return JobStart(
            seat.drive,
            seat.port.label,
            self._profile.name,
            tuple(offer.name for offer in order.selection.taken),
            method_in_words(order.erase, order.read_back),
            order.volume.content_bytes,
        )


def method_in_words(erase: ErasePolicy, read_back: ReadBack) -> str:
    """What was done about the donor's data: a method by its name, never a seal of approval."""
    patterns = " and ".join(f"{value:#04x}" for value in WIPE_PATTERNS)
    methods = {
        ErasePolicy.OVERWRITE: "overwritten once",
        ErasePolicy.TWO_PASS: f"overwritten with {patterns}, then once more",
        ErasePolicy.QUICK: "not erased",
    }
    if erase is ErasePolicy.QUICK:
        return methods[erase]
    extent = "in full" if read_back is ReadBack.FULL else "in samples"
    return f"{methods[erase]}; read back {extent}"


def _end_of(seat: Seat, verdict: Verdict) -> JobEnd:
    progress = seat.progress
    return JobEnd(
        verdict,
        seat.volume_id,
        progress.written_bytes,
        progress.read_bytes,
        {str(stage): seconds for stage, seconds in progress.stage_s.items()},
        progress.quality(),
    )


def _job_of(seat: Seat) -> int:
    if seat.job is None:
        raise AssertionError("a drive without a job has neither stages nor a verdict")
    return seat.job


def _was_removed(seat: Seat) -> bool:
    return seat.removed.wait(_REMOVAL_GRACE_S)
