"""A stick that is a file: as large, slow and broken as it is told to be.

It stands behind the same interface as the real drive and fails with the same errnos, so the virtual
hub, the fault tests and the benchmarks send it through the very pipeline that real sticks go
through.
"""

import errno
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from threading import Condition

from station.device.fault import (
    ArmedFault,
    Fault,
    FlushError,
    Hang,
    Interruption,
    Operation,
    ReadError,
    ReadOnly,
    Vanish,
    WriteError,
    armed,
)
from station.device.medium import SimulatedMedium
from station.device.pace import Clock, DriveSpeed, Pace, WallClock
from station.device.transfer import READ_BEYOND, WRITE_BEYOND, require_transfer
from station.verdict import DriveRefusedError, RefusalReason


@dataclass(frozen=True, slots=True)
class WriteRecord:
    """One write that the drive acknowledged, whole or up to a fault."""

    offset_bytes: int
    length_bytes: int


class SimulatedDrive:
    """A drive whose medium is a file.

    The file is made, sparse, when it is missing, and keeps what was written: opened again, it is
    the same stick. The page cache stands for flash; nothing promises that it survives a power cut.

    A transfer runs up to the first byte that a fault strikes, and the fault takes effect there. The
    bytes of a write are never looked at, only handed to the kernel: they may map a source file that
    was cut short.

    Args:
        backing: the file.
        capacity_bytes: what the stick claims to hold.
        sector_bytes: its logical sector size.
        speed: how fast it is; None as fast as the file.
        faults: what is wrong with it; counterfeits exclude each other.
        writable: whether to write to it.
        keep_log: whether to note each write in `write_log`.
        on_vanish: called once, by whichever thread made it vanish, when the stick leaves.
        clock: what time is to it.

    Raises:
        DriveRefusedError: WRITE_PROTECTED for a ReadOnly stick that is to be written to.
        ValueError: when capacity or faults make no drive.
        OSError: when the file can't be opened.
    """

    def __init__(  # noqa: PLR0913 - all but two have a default; each is one property of the stick
        self,
        backing: Path,
        capacity_bytes: int,
        *,
        sector_bytes: int = 512,
        speed: DriveSpeed | None = None,
        faults: Sequence[Fault] = (),
        writable: bool = True,
        keep_log: bool = False,
        on_vanish: Callable[[], None] | None = None,
        clock: Clock | None = None,
    ) -> None:
        if capacity_bytes <= 0 or capacity_bytes % sector_bytes:
            raise ValueError(f"{capacity_bytes} bytes are no whole number of sectors")
        if writable and any(isinstance(fault, ReadOnly) for fault in faults):
            raise DriveRefusedError(
                RefusalReason.WRITE_PROTECTED, f"{backing}: {os.strerror(errno.EROFS)}"
            )
        self._capacity_bytes = capacity_bytes
        self._sector_bytes = sector_bytes
        self._writable = writable
        self._speed = speed
        self._pace = Pace()
        self._clock = clock if clock is not None else WallClock()
        self._keep_log = keep_log
        self._write_log: list[WriteRecord] = []
        self._next_bytes = 0  # where the last command ended
        self._bytes_written = 0
        self._bytes_read = 0
        self._operations = 0
        self._on_vanish = on_vanish
        # Guards `_vanished` and `_closed`, and is notified when one of them is set.
        self._changed = Condition()
        self._vanished = False
        self._closed = False
        self._interruptions = [armed(fault) for fault in faults if isinstance(fault, Interruption)]
        self._flush_fails = any(isinstance(fault, FlushError) for fault in faults)
        self._medium = SimulatedMedium(backing, capacity_bytes, faults)

    @property
    def capacity_bytes(self) -> int:
        """Size of the medium in bytes, as claimed."""
        return self._capacity_bytes

    @property
    def sector_bytes(self) -> int:
        """Logical sector size in bytes."""
        return self._sector_bytes

    @property
    def bytes_written(self) -> int:
        """Bytes of writes that were acknowledged; may be read from any thread."""
        return self._bytes_written

    @property
    def bytes_read(self) -> int:
        """Bytes that reads gave; may be read from any thread."""
        return self._bytes_read

    @property
    def operations(self) -> int:
        """How many reads, writes and flushes were asked for."""
        return self._operations

    @property
    def write_log(self) -> Sequence[WriteRecord]:
        """The acknowledged writes in order; empty unless the log is kept."""
        return self._write_log

    @property
    def vanished(self) -> bool:
        """Whether the stick has left."""
        return self._vanished

    def write(self, offset_bytes: int, data: memoryview) -> None:
        """Write all of `data`.

        Raises:
            ValueError: when the transfer is not aligned.
            OSError: as the kernel would: EIO, ENODEV, ENOSPC, and EBADF after `close` or when
                opened for reading only.
        """
        if not self._writable:
            raise OSError(errno.EBADF, "the drive was opened for reading only")
        self._transfer(Operation.WRITE, offset_bytes, data)

    def read(self, offset_bytes: int, into: memoryview) -> None:
        """Fill all of `into`.

        Raises:
            ValueError: when the transfer is not aligned.
            OSError: as the kernel would: EIO, ENODEV, and EBADF after `close`.
        """
        self._transfer(Operation.READ, offset_bytes, into)

    def flush(self) -> None:
        """Return at once: what was acknowledged is on the medium.

        Raises:
            OSError: EIO when flushes fail, and once the stick has left, as fsync does; EBADF after
                `close`.
        """
        self._operations += 1
        with self._changed:
            if (self._vanished or self._flush_fails) and not self._closed:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            self._require_present()

    def pull(self) -> None:
        """Pull the stick out; what is under way fails with ENODEV at once. From any thread."""
        with self._changed:
            if self._vanished:
                return
            self._vanished = True
            self._changed.notify_all()
        if self._on_vanish is not None:
            self._on_vanish()

    def close(self) -> None:
        """Let go of the drive; what is under way fails with EBADF at once. From any thread."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._medium.close()

    def _transfer(self, operation: Operation, offset_bytes: int, memory: memoryview) -> None:
        require_transfer(
            memory,
            offset_bytes,
            sector_bytes=self._sector_bytes,
            capacity_bytes=self._capacity_bytes,
            beyond=WRITE_BEYOND if operation is Operation.WRITE else READ_BEYOND,
        )
        self._operations += 1
        done_bytes = 0
        for stop_bytes, interruption in self._stops(operation, offset_bytes, memory.nbytes):
            reached_bytes = stop_bytes - offset_bytes
            self._command(operation, offset_bytes + done_bytes, memory[done_bytes:reached_bytes])
            done_bytes = reached_bytes
            interruption.strike()
            self._suffer(interruption.fault, stop_bytes)
        self._command(operation, offset_bytes + done_bytes, memory[done_bytes:])

    def _stops(
        self, operation: Operation, offset_bytes: int, length_bytes: int
    ) -> list[tuple[int, ArmedFault[Interruption]]]:
        """What will stop a transfer, and at which offset, in ascending order."""
        stops = [
            (touch_bytes, interruption)
            for interruption in self._interruptions
            if operation in interruption.fault.operations
            and (touch_bytes := interruption.first_touch(offset_bytes, length_bytes)) is not None
        ]
        return sorted(stops, key=itemgetter(0))

    def _suffer(self, fault: Interruption, offset_bytes: int) -> None:
        match fault:
            case ReadError() | WriteError():
                raise OSError(errno.EIO, f"{os.strerror(errno.EIO)} at {offset_bytes}")
            case Vanish():
                self.pull()
            case Hang(duration_s=duration_s):
                self._wait_until(None if duration_s is None else self._clock.now_s() + duration_s)

    def _command(self, operation: Operation, offset_bytes: int, memory: memoryview) -> None:
        """Do one uninterrupted transfer, and take as long over it as the drive would."""
        with self._changed:
            self._require_present()
        is_apart, self._next_bytes = offset_bytes != self._next_bytes, offset_bytes + memory.nbytes
        duration_s = 0.0
        if self._speed is not None:
            duration_s = self._speed.duration_s(operation, memory.nbytes, is_apart=is_apart)
        due_s = self._pace.begin(self._clock.now_s(), duration_s)
        if operation is Operation.WRITE:
            self._medium.write(offset_bytes, memory)
        else:
            self._medium.read(offset_bytes, memory)
        # The file may be slower than the drive that it plays.
        done_s = max(due_s, self._clock.now_s())
        self._wait_until(due_s)
        self._pace.end(done_s, self._clock.now_s())
        if operation is Operation.READ:
            self._bytes_read += memory.nbytes
            return
        self._bytes_written += memory.nbytes
        if self._keep_log and memory.nbytes:
            self._write_log.append(WriteRecord(offset_bytes, memory.nbytes))

    def _wait_until(self, deadline_s: float | None) -> None:
        """Wait for a moment, or for ever; wake at once when the stick leaves or is closed."""
        with self._changed:
            self._require_present()
            while deadline_s is None or (left_s := deadline_s - self._clock.now_s()) > 0:
                self._clock.wait(self._changed, None if deadline_s is None else left_s)
                self._require_present()

    def _require_present(self) -> None:
        if self._closed:
            raise OSError(errno.EBADF, "the drive was closed")
        if self._vanished:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
