"""A drive whose operations are counted, timed and interruptible, and whose faults have names."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from station.content.source import SourceChangedError
from station.device.drive import Drive
from station.job.progress import Operation, Progress
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
        with self._operation(Operation.WRITE, offset_bytes, len(data)):
            self._drive.write(offset_bytes, data)
        self._progress.written_bytes += len(data)
        self._progress.stage_done_bytes += len(data)

    def read(self, offset_bytes: int, into: memoryview) -> None:
        """Fill all of `into`.

        Raises:
            DriveFailedError: when the drive fails, or when the job was asked to end.
        """
        with self._operation(Operation.READ, offset_bytes, len(into)):
            self._drive.read(offset_bytes, into)
        self._progress.read_bytes += len(into)
        self._progress.stage_done_bytes += len(into)

    def flush(self) -> None:
        """Empty the caches.

        Raises:
            DriveFailedError: when the drive fails, or when the job was asked to end.
        """
        with self._operation(Operation.FLUSH, 0, 0):
            self._drive.flush()

    def close(self) -> None:
        """Let go of the drive."""
        self._drive.close()

    @contextmanager
    def _operation(self, kind: Operation, offset_bytes: int, length_bytes: int) -> Iterator[None]:
        self._progress.require_wanted()
        self._progress.begin_operation(kind)
        try:
            yield
        except OSError as error:
            what = (
                str(kind)
                if kind is Operation.FLUSH
                else (f"{kind} of {length_bytes} bytes at byte {offset_bytes}")
            )
            if kind is Operation.WRITE and error.errno == errno.EFAULT:
                raise SourceChangedError(
                    f"a file became shorter or unreadable during a {what}"
                ) from error
            raise DriveFailedError(
                _REASONS.get(error.errno or 0, FailReason.IO_ERROR), f"{what}: {error.strerror}"
            ) from error
        finally:
            self._progress.end_operation()
