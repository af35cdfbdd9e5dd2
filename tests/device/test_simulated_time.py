import errno
import os
import threading
from collections.abc import Callable
from contextlib import closing

import pytest

from station.device.buffer import aligned_buffer
from station.device.fault import (
    READS,
    WRITES,
    Hang,
    Operation,
    Vanish,
)
from station.device.pace import DriveSpeed
from station.device.simulated import SimulatedDrive
from tests.device.clocks import FakeClock, WatchedClock
from tests.device.contents import content, memory
from tests.device.simulated_stick import CAPACITY, SECTOR, error_of


class InThread:
    """A call in a thread of its own, and what came of it."""

    def __init__(self, call: Callable[[], object]) -> None:
        self._error: OSError | None = None
        self._thread = threading.Thread(target=self._run, args=(call,), daemon=True)
        self._thread.start()

    def _run(self, call: Callable[[], object]) -> None:
        try:
            call()
        except OSError as error:
            self._error = error

    def errno(self) -> int | None:
        self._thread.join(timeout=60)
        assert not self._thread.is_alive(), "the drive still hangs"
        return self._error.errno if self._error else None


def test_a_vanished_stick_is_gone_for_good(stick: Callable[..., SimulatedDrive]) -> None:
    told: list[str] = []
    vanish = Vanish(8 * SECTOR, operations=WRITES)
    with closing(stick(vanish, on_vanish=lambda: told.append("gone"))) as drive:
        assert content(drive) == bytes(CAPACITY)
        drive.write(0, memory(b"x" * 8 * SECTOR))
        assert told == []
        assert error_of(lambda: drive.write(4 * SECTOR, memory(b"y" * CAPACITY)[: 8 * SECTOR])) == (
            errno.ENODEV
        )
        assert drive.vanished
        assert error_of(lambda: drive.write(0, aligned_buffer(SECTOR))) == errno.ENODEV
        assert error_of(lambda: content(drive)) == errno.ENODEV
        # As QEMU's sticks do: what fsync says of a device that left is EIO.
        assert error_of(drive.flush) == errno.EIO
        drive.pull()
    assert told == ["gone"]
    with closing(stick()) as again:
        assert content(again, 0, 8 * SECTOR) == b"x" * 4 * SECTOR + b"y" * 4 * SECTOR


@pytest.mark.parametrize("operation", Operation)
def test_pulling_a_stick_ends_a_hang_at_once(
    stick: Callable[..., SimulatedDrive], operation: Operation
) -> None:
    clock = WatchedClock()
    with closing(stick(Hang(), clock=clock)) as drive:
        use = drive.write if operation is Operation.WRITE else drive.read
        call = InThread(lambda: use(0, aligned_buffer(SECTOR)))
        clock.waiting.wait()
        drive.pull()

        assert call.errno() == errno.ENODEV


def test_closing_a_drive_ends_a_hang_at_once(stick: Callable[..., SimulatedDrive]) -> None:
    clock = WatchedClock()
    drive = stick(Hang(operations=READS), clock=clock)
    drive.write(0, aligned_buffer(CAPACITY))
    call = InThread(lambda: content(drive))
    clock.waiting.wait()
    drive.close()

    assert call.errno() == errno.EBADF


def test_pulling_a_slow_stick_ends_its_transfer_at_once(
    stick: Callable[..., SimulatedDrive],
) -> None:
    clock = WatchedClock()
    with closing(stick(clock=clock, speed=DriveSpeed(1, 1))) as drive:
        call = InThread(lambda: drive.write(0, aligned_buffer(CAPACITY)))
        clock.waiting.wait()
        drive.pull()

        assert call.errno() == errno.ENODEV
        assert drive.bytes_written == 0


def test_a_hang_of_a_certain_length_passes_and_does_not_come_again(
    stick: Callable[..., SimulatedDrive],
) -> None:
    clock = FakeClock()
    with closing(stick(Hang(SECTOR, 2 * SECTOR, duration_s=90), clock=clock)) as drive:
        drive.write(0, memory(b"x" * CAPACITY))
        assert clock.time_s == 1090
        assert content(drive) == b"x" * CAPACITY
        assert clock.time_s == 1090


def test_a_transfer_takes_as_long_as_the_drive_needs_for_it(
    stick: Callable[..., SimulatedDrive],
) -> None:
    clock = FakeClock()
    speed = DriveSpeed(write_bytes_per_s=SECTOR, read_bytes_per_s=4 * SECTOR)
    with closing(stick(clock=clock, speed=speed)) as drive:
        drive.write(0, aligned_buffer(CAPACITY))
        assert clock.time_s == pytest.approx(1000 + 32)
        content(drive)
        assert clock.time_s == pytest.approx(1000 + 32 + 8)


def test_waking_late_does_not_add_up(stick: Callable[..., SimulatedDrive]) -> None:
    clock = FakeClock(oversleep_s=0.5)
    with closing(stick(clock=clock, speed=DriveSpeed(SECTOR, SECTOR))) as drive:
        for sector in range(32):
            drive.write(sector * SECTOR, aligned_buffer(SECTOR))

    assert clock.time_s == pytest.approx(1000 + 32 + 0.5)


def test_a_host_that_dawdles_loses_the_time_for_good(stick: Callable[..., SimulatedDrive]) -> None:
    clock = FakeClock(oversleep_s=0.01)
    with closing(stick(clock=clock, speed=DriveSpeed(SECTOR, SECTOR))) as drive:
        for sector in range(32):
            drive.write(sector * SECTOR, aligned_buffer(SECTOR))
            clock.time_s += 0.25

    assert clock.time_s == pytest.approx(1000 + 32 * 1.25 + 0.01)


def test_time_lost_on_a_slow_backing_file_is_not_made_up_for(
    stick: Callable[..., SimulatedDrive], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    pwrite = os.pwrite

    def slow_pwrite(fd: int, data: memoryview, at: int) -> int:
        clock.time_s += 3
        return pwrite(fd, data, at)

    with closing(stick(clock=clock, speed=DriveSpeed(SECTOR, SECTOR))) as drive:
        with monkeypatch.context() as patch:
            patch.setattr(os, "pwrite", slow_pwrite)
            drive.write(0, aligned_buffer(SECTOR))
        assert clock.time_s == pytest.approx(1003)
        drive.write(SECTOR, aligned_buffer(SECTOR))

    assert clock.time_s == pytest.approx(1004)
