"""A drive that goes wrong at its n-th operation, in one of many ways."""

import errno
import os
from enum import Enum, auto, unique

from station.device.buffer import aligned_buffer
from station.device.simulated import SimulatedDrive
from station.job.progress import Operation


@unique
class Failure(Enum):
    """In which way the operation goes wrong."""

    ERROR = auto()  # EIO, and again whenever the same range is asked for
    ERROR_ONCE = auto()  # EIO, and fine when it is tried again
    VANISH = auto()  # the stick is pulled
    LOCK = auto()  # EROFS for this write and all that follow
    SHORT_WRITE = auto()  # half of it is written, then EIO, once
    TORN_WRITE = auto()  # half of it is written, and all of it acknowledged
    LOST_WRITE = auto()  # acknowledged, without effect: later reads give stale data
    FLIPPED_WRITE = auto()  # one bit is stored wrong
    FLIPPED_READ = auto()  # one bit is read wrong
    STALE_READ = auto()  # the read gives what the one before it gave


APPLIES_TO = {
    Failure.ERROR: frozenset({Operation.WRITE, Operation.READ, Operation.FLUSH}),
    Failure.ERROR_ONCE: frozenset({Operation.WRITE, Operation.READ, Operation.FLUSH}),
    Failure.VANISH: frozenset({Operation.WRITE, Operation.READ, Operation.FLUSH}),
    Failure.LOCK: frozenset({Operation.WRITE}),
    Failure.SHORT_WRITE: frozenset({Operation.WRITE}),
    Failure.TORN_WRITE: frozenset({Operation.WRITE}),
    Failure.LOST_WRITE: frozenset({Operation.WRITE}),
    Failure.FLIPPED_WRITE: frozenset({Operation.WRITE}),
    Failure.FLIPPED_READ: frozenset({Operation.READ}),
    Failure.STALE_READ: frozenset({Operation.READ}),
}


class FailingDrive:
    """Passes everything on to a simulated drive, but for the n-th operation, counted from 1.

    Args:
        drive: the drive that goes wrong.
        failure: in which way; None never.
        nth: at which operation.
    """

    def __init__(self, drive: SimulatedDrive, failure: Failure | None = None, nth: int = 0) -> None:
        self.drive = drive
        self.asked: list[Operation] = []
        self._failure = failure
        self._nth = nth
        self._broken: tuple[Operation, int] | None = None
        self._is_locked = False
        self._last_read = b""

    @property
    def capacity_bytes(self) -> int:
        return self.drive.capacity_bytes

    @property
    def sector_bytes(self) -> int:
        return self.drive.sector_bytes

    @property
    def takes_writes_to_sector_0(self) -> bool:
        """Whether it still lets itself be made unmountable."""
        return not (self._is_locked or self.drive.vanished or self._broken == (Operation.WRITE, 0))

    def write(self, offset_bytes: int, data: memoryview) -> None:
        failure = self._strike(Operation.WRITE, offset_bytes)
        half = len(data) // 2 // self.sector_bytes * self.sector_bytes
        match failure:
            case Failure.LOCK:
                self._is_locked = True
            case Failure.SHORT_WRITE:
                self.drive.write(offset_bytes, data[:half])
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            case Failure.TORN_WRITE:
                self.drive.write(offset_bytes, data[:half])
                return
            case Failure.LOST_WRITE:
                return
            case _:
                pass
        if self._is_locked:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        self.drive.write(offset_bytes, data)
        if failure is Failure.FLIPPED_WRITE:
            self._flip_stored(offset_bytes + len(data) // 3)

    def read(self, offset_bytes: int, into: memoryview) -> None:
        failure = self._strike(Operation.READ, offset_bytes)
        self.drive.read(offset_bytes, into)
        if failure is Failure.FLIPPED_READ:
            into[len(into) // 3] ^= 0x10
        if failure is Failure.STALE_READ:
            stale = self._last_read.ljust(len(into), b"\0")[: len(into)]
            into[:] = stale
        self._last_read = bytes(into[: 4 << 20])

    def flush(self) -> None:
        self._strike(Operation.FLUSH, 0)
        self.drive.flush()

    def close(self) -> None:
        self.drive.close()

    def _strike(self, operation: Operation, offset_bytes: int) -> Failure | None:
        """Count an operation; fail it, or tell in which silent way it goes wrong."""
        self.asked.append(operation)
        if self._broken == (operation, offset_bytes):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        if len(self.asked) != self._nth:
            return None
        match self._failure:
            case Failure.ERROR:
                self._broken = (operation, offset_bytes)
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            case Failure.ERROR_ONCE:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            case Failure.VANISH:
                self.drive.pull()
                return None
            case failure:
                return failure

    def _flip_stored(self, offset_bytes: int) -> None:
        sector = offset_bytes // self.sector_bytes * self.sector_bytes
        buffer = aligned_buffer(self.sector_bytes)
        self.drive.read(sector, buffer)
        buffer[offset_bytes - sector] ^= 0x10
        self.drive.write(sector, buffer)
