"""A drive whose operations are counted, timed and interruptible, and whose faults have names."""

import errno
import time
from collections.abc import Callable

from station.content.source import SourceChangedError
from station.device.drive import Drive
from station.job.progress import Operation, Progress
from station.job.quality import Transfer
from station.verdict import DriveFailedError, FailReason

# What the kernel says of a medium that left its socket, and of one that is locked. All else is the
# drive's failure to do what it was told.
_REASONS = {
    errno.ENODEV: FailReason.REMOVED,
    errno.ENXIO: FailReason.REMOVED,
    errno.ENOMEDIUM: FailReason.REMOVED,
    errno.ESHUTDOWN: FailReason.REMOVED,
    errno.EROFS: FailReason.WRITE_PROTECTED,
}

# What may go well when it is tried again. A stick that needs it more often than now and then is not
# worth anybody's journey.
_PASSING = frozenset({errno.EIO, errno.EAGAIN, errno.ETIMEDOUT})
ATTEMPTS = 3
MOST_RETRIES = 16
_RETRY_PAUSE_S = 0.05


class CountedDrive:
    """Passes operations on to a drive and keeps a job's counters.

    Args:
        drive: the drive itself.
        progress: the counters of the job that uses it.
    """

    def __init__(self, drive: Drive, progress: Progress) -> None:
        self._drive = drive
        self._progress = progress

    @property
    def capacity_bytes(self) -> int:
        """Size of the medium in bytes."""
        return self._drive.capacity_bytes

    @property
    def sector_bytes(self) -> int:
        """Logical sector size in bytes."""
        return self._drive.sector_bytes

    def write(self, offset_bytes: int, data: memoryview) -> None:
        """Write all of `data`.

        Raises:
            DriveFailedError: when the drive fails, or when the job was asked to end.
            SourceChangedError: when `data` is a mapped file that became shorter.
        """
        what = f"{Operation.WRITE} of {len(data)} bytes at byte {offset_bytes}"
        took_s = self._retried(Operation.WRITE, what, lambda: self._drive.write(offset_bytes, data))
        self._progress.note_transfer(Transfer(offset_bytes, len(data), took_s))
        self._progress.written_bytes += len(data)
        self._progress.stage_done_bytes += len(data)

    def read(self, offset_bytes: int, into: memoryview) -> None:
        """Fill all of `into`.

        Raises:
            DriveFailedError: when the drive fails, or when the job was asked to end.
        """
        what = f"{Operation.READ} of {len(into)} bytes at byte {offset_bytes}"
        took_s = self._retried(Operation.READ, what, lambda: self._drive.read(offset_bytes, into))
        self._progress.note_transfer(Transfer(offset_bytes, len(into), took_s))
        self._progress.read_bytes += len(into)
        self._progress.stage_done_bytes += len(into)

    def flush(self) -> None:
        """Empty the caches.

        Never tried twice: the kernel tells of a failed write-back once and forgets it, so a second
        answer of "all is written" would mean nothing.

        Raises:
            DriveFailedError: when the drive fails, or when the job was asked to end.
        """
        try:
            self._once(Operation.FLUSH, self._drive.flush)
        except OSError as error:
            raise _named(Operation.FLUSH, str(Operation.FLUSH), error) from error

    def close(self) -> None:
        """Let go of the drive."""
        self._drive.close()

    def _retried(self, kind: Operation, what: str, act: Callable[[], None]) -> float:
        """Do something on one range, again after a passing error; every retry is counted.

        Returns:
            Seconds that the attempt took which went well.
        """
        attempt = 1
        while True:
            try:
                return self._once(kind, act)
            except OSError as error:
                may_pass = error.errno in _PASSING and attempt < ATTEMPTS
                if not may_pass or self._progress.retries >= MOST_RETRIES:
                    raise _named(kind, what, error) from error
                self._progress.retries += 1
                attempt += 1
                time.sleep(_RETRY_PAUSE_S)

    def _once(self, kind: Operation, act: Callable[[], None]) -> float:
        """Do something once, and return the seconds that it took."""
        self._progress.require_wanted()
        self._progress.begin_operation(kind)
        try:
            act()
        except BaseException:
            self._progress.end_operation()
            raise
        return self._progress.end_operation()


def _named(kind: Operation, what: str, error: OSError) -> DriveFailedError | SourceChangedError:
    """A fault with its reason, and where it happened."""
    if kind is Operation.WRITE and error.errno == errno.EFAULT:
        return SourceChangedError(f"a file became shorter or unreadable during a {what}")
    reason = _REASONS.get(error.errno or 0, FailReason.IO_ERROR)
    return DriveFailedError(reason, f"{what}: {error.strerror}")
