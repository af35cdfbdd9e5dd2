import errno
import mmap
import os
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from station.device.buffer import aligned_buffer
from station.device.fault import (
    Beyond,
    CorruptReads,
    CorruptWrites,
    Fault,
    Hang,
    Limbo,
    LostWrites,
    Operation,
    RangeFault,
    ReadError,
    ReadOnly,
    Vanish,
    Wraparound,
    WriteError,
)
from station.device.simulated import SimulatedDrive, WriteRecord
from station.verdict import DriveRefusedError, RefusalReason
from tests.device.clocks import FakeClock
from tests.device.contents import content, memory
from tests.device.simulated_stick import CAPACITY, SECTOR, error_of


@dataclass(frozen=True)
class Reference:
    """What a stick of 32 sectors does, told in the simplest way."""

    place: Callable[[int], int | None] = lambda sector: sector  # on the medium, if anywhere
    beyond: int = 0  # the byte that reads give where there is no medium
    lost: frozenset[int] = frozenset()  # sectors whose writes have no effect


@st.composite
def transfers(draw: st.DrawFn) -> list[tuple[Operation, int, int, int]]:
    """Reads and writes: operation, first sector, sectors, and a byte to write."""
    steps = []
    for _ in range(draw(st.integers(1, 12))):
        first = draw(st.integers(0, CAPACITY // SECTOR - 1))
        count = draw(st.integers(1, CAPACITY // SECTOR - first))
        steps.append((draw(st.sampled_from(Operation)), first, count, draw(st.integers(0, 0xFF))))
    return steps


def require_like(
    reference: Reference,
    path: Path,
    faults: Sequence[Fault],
    steps: Sequence[tuple[Operation, int, int, int]],
) -> None:
    """Compare a drive with a list of sectors, each of which holds one byte over and over."""
    sectors = [0] * (CAPACITY // SECTOR)
    with closing(SimulatedDrive(path, CAPACITY, faults=faults)) as drive:
        for operation, first, count, value in steps:
            touched = range(first, first + count)
            if operation is Operation.WRITE:
                drive.write(first * SECTOR, memory(bytes([value]) * count * SECTOR))
                for sector in touched:
                    target = reference.place(sector)
                    if target is not None and sector not in reference.lost:
                        sectors[target] = value
            else:
                expected = b"".join(
                    bytes([reference.beyond if source is None else sectors[source]]) * SECTOR
                    for source in map(reference.place, touched)
                )

                assert content(drive, first * SECTOR, count * SECTOR) == expected


@pytest.fixture(scope="session")
def backings(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    folder = tmp_path_factory.mktemp("sticks")
    count = iter(range(1_000_000))
    return lambda: folder / f"{next(count)}.img"


@given(steps=transfers())
@settings(deadline=None, max_examples=50)
def test_a_sound_stick_gives_back_what_it_was_given(
    backings: Callable[[], Path], steps: list[tuple[Operation, int, int, int]]
) -> None:
    require_like(Reference(), backings(), (), steps)


@given(steps=transfers(), real=st.integers(1, 32))
@settings(deadline=None, max_examples=50)
def test_a_wraparound_counterfeit_lands_at_the_beginning_again(
    backings: Callable[[], Path], steps: list[tuple[Operation, int, int, int]], real: int
) -> None:
    reference = Reference(lambda sector: sector % real)

    require_like(reference, backings(), [Wraparound(real * SECTOR)], steps)


@given(steps=transfers(), real=st.integers(1, 32), reads=st.sampled_from(Beyond))
@settings(deadline=None, max_examples=50)
def test_a_limbo_counterfeit_forgets_what_is_beyond_its_real_size(
    backings: Callable[[], Path],
    steps: list[tuple[Operation, int, int, int]],
    real: int,
    reads: Beyond,
) -> None:
    path = backings()
    path.write_bytes(b"\0" * real * SECTOR + b"\xd1" * (CAPACITY - real * SECTOR))
    beyond = {Beyond.ZEROS: 0, Beyond.ONES: 0xFF, Beyond.STALE: 0xD1}[reads]

    reference = Reference(lambda sector: sector if sector < real else None, beyond)

    require_like(reference, path, [Limbo(real * SECTOR, reads)], steps)


@given(steps=transfers(), start=st.integers(0, 31), length=st.integers(1, 32))
@settings(deadline=None, max_examples=50)
def test_lost_writes_leave_what_was_there(
    backings: Callable[[], Path],
    steps: list[tuple[Operation, int, int, int]],
    start: int,
    length: int,
) -> None:
    faults = [LostWrites(start * SECTOR, (start + length) * SECTOR)]

    require_like(Reference(lost=frozenset(range(start, start + length))), backings(), faults, steps)


def test_a_stick_keeps_what_was_written_when_it_is_plugged_again(
    stick: Callable[..., SimulatedDrive],
) -> None:
    with closing(stick()) as first:
        first.write(SECTOR, memory(b"x" * SECTOR))
    with closing(stick()) as again:
        assert content(again, SECTOR, SECTOR) == b"x" * SECTOR


def test_a_worn_out_stick_takes_writes_without_effect(
    stick: Callable[..., SimulatedDrive],
) -> None:
    with closing(stick(LostWrites())) as drive:
        drive.write(0, memory(b"x" * CAPACITY))

        assert drive.bytes_written == CAPACITY
        assert content(drive) == bytes(CAPACITY)


def test_a_locked_stick_is_refused_for_writing_and_can_be_read(
    stick: Callable[..., SimulatedDrive],
) -> None:
    with pytest.raises(DriveRefusedError) as caught:
        stick(ReadOnly())
    assert caught.value.verdict.reason is RefusalReason.WRITE_PROTECTED
    with closing(stick(ReadOnly(), writable=False)) as drive:
        assert content(drive) == bytes(CAPACITY)
        assert error_of(lambda: drive.write(0, aligned_buffer(SECTOR))) == errno.EBADF


def test_a_transfer_goes_up_to_the_byte_that_fails(stick: Callable[..., SimulatedDrive]) -> None:
    with closing(stick(WriteError(4 * SECTOR, 5 * SECTOR), ReadError(8 * SECTOR))) as drive:
        assert error_of(lambda: drive.write(0, memory(b"x" * CAPACITY))) == errno.EIO
        assert drive.bytes_written == 4 * SECTOR
        assert error_of(lambda: content(drive)) == errno.EIO
        assert content(drive, 0, 8 * SECTOR) == b"x" * 4 * SECTOR + bytes(4 * SECTOR)


def test_an_error_strikes_as_often_as_it_was_told_to(stick: Callable[..., SimulatedDrive]) -> None:
    with closing(stick(ReadError(0, SECTOR, times=2))) as drive:
        assert error_of(lambda: content(drive)) == errno.EIO
        assert error_of(lambda: content(drive)) == errno.EIO
        assert content(drive) == bytes(CAPACITY)


def test_an_error_without_a_limit_strikes_each_time(stick: Callable[..., SimulatedDrive]) -> None:
    with closing(stick(WriteError(0, 1))) as drive:
        for _ in range(5):
            assert error_of(lambda: drive.write(0, aligned_buffer(SECTOR))) == errno.EIO
        drive.write(SECTOR, aligned_buffer(SECTOR))


def flipped(data: bytes, *offsets: int) -> bytes:
    changed = bytearray(data)
    for offset in offsets:
        changed[offset] ^= 1
    return bytes(changed)


def test_a_corrupted_write_flips_one_bit_on_the_medium_and_says_nothing(
    stick: Callable[..., SimulatedDrive],
) -> None:
    written = os.urandom(CAPACITY)
    source = memory(written)
    with closing(stick(CorruptWrites(1000, 1001))) as drive:
        drive.write(0, source)

        assert content(drive) == flipped(written, 1000)
        assert content(drive) == flipped(written, 1000)
    assert bytes(source) == written


def test_a_corrupted_read_flips_one_bit_and_leaves_the_medium_right(
    stick: Callable[..., SimulatedDrive],
) -> None:
    with closing(stick(CorruptReads(1000, 1001, times=1))) as drive:
        assert content(drive) == flipped(bytes(CAPACITY), 1000)
        assert content(drive) == bytes(CAPACITY)


def test_a_write_can_be_corrupted_once_and_be_right_when_repeated(
    stick: Callable[..., SimulatedDrive],
) -> None:
    with closing(stick(CorruptWrites(0, 1, times=1))) as drive:
        drive.write(0, memory(b"x" * SECTOR))
        assert content(drive, 0, SECTOR) == flipped(b"x" * SECTOR, 0)
        drive.write(0, memory(b"x" * SECTOR))
        assert content(drive, 0, SECTOR) == b"x" * SECTOR


def test_a_corrupted_write_on_a_counterfeit_is_found_where_it_landed(
    stick: Callable[..., SimulatedDrive],
) -> None:
    faults = (Wraparound(16 * SECTOR), CorruptWrites(20 * SECTOR, 20 * SECTOR + 1))
    with closing(stick(*faults)) as drive:
        drive.write(16 * SECTOR, aligned_buffer(16 * SECTOR))

        assert content(drive, 0, 16 * SECTOR) == flipped(bytes(16 * SECTOR), 4 * SECTOR)


def test_faults_of_several_kinds_strike_in_the_order_of_their_bytes(
    stick: Callable[..., SimulatedDrive],
) -> None:
    clock = FakeClock()
    faults = (
        Vanish(6 * SECTOR),
        WriteError(4 * SECTOR, 5 * SECTOR, times=1),
        Hang(2 * SECTOR, 3 * SECTOR, duration_s=7),
    )
    with closing(stick(*faults, clock=clock)) as drive:
        assert error_of(lambda: drive.write(0, memory(b"x" * CAPACITY))) == errno.EIO
        assert clock.time_s == 1007
        assert error_of(lambda: drive.write(0, memory(b"x" * CAPACITY))) == errno.ENODEV
        assert clock.time_s == 1007
    assert drive.bytes_written == (4 + 6) * SECTOR


def test_the_drive_counts_and_logs_what_it_acknowledged(
    stick: Callable[..., SimulatedDrive],
) -> None:
    with closing(stick(WriteError(20 * SECTOR), keep_log=True)) as drive:
        drive.write(0, aligned_buffer(4 * SECTOR))
        assert error_of(lambda: drive.write(18 * SECTOR, aligned_buffer(4 * SECTOR))) == errno.EIO
        content(drive, 0, SECTOR)
        drive.flush()

        assert list(drive.write_log) == [
            WriteRecord(0, 4 * SECTOR),
            WriteRecord(18 * SECTOR, 2 * SECTOR),
        ]
        assert (drive.bytes_written, drive.bytes_read, drive.operations) == (
            6 * SECTOR,
            SECTOR,
            4,
        )


@pytest.mark.parametrize("fault", [None, CorruptWrites(), LostWrites(0, SECTOR)])
def test_a_source_that_became_shorter_is_told_by_efault_and_never_looked_at(
    stick: Callable[..., SimulatedDrive], tmp_path: Path, fault: Fault | None
) -> None:
    source = tmp_path / "film"
    source.write_bytes(bytes(CAPACITY))
    with source.open("r+b") as file, closing(stick(*([fault] if fault else []))) as drive:
        # Not closed by hand: the caught error's traceback still looks at it.
        mapping = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        file.truncate(0)

        assert error_of(lambda: drive.write(0, memoryview(mapping))) == errno.EFAULT


def test_past_the_end_there_is_no_space_and_nothing_is_written(
    stick: Callable[..., SimulatedDrive],
) -> None:
    with closing(stick(sector_bytes=4096)) as drive:
        last = CAPACITY - 4096
        assert error_of(lambda: drive.write(last, memory(b"x" * 8192))) == errno.ENOSPC
        assert error_of(lambda: drive.read(last, aligned_buffer(8192))) == errno.EIO
        assert content(drive) == bytes(CAPACITY)


def test_what_the_real_drive_calls_misaligned_is_misaligned_here(
    stick: Callable[..., SimulatedDrive],
) -> None:
    with closing(stick(sector_bytes=4096)) as drive:
        for offset_bytes, memory_at in ((512, slice(0, 4096)), (0, slice(512, 4608))):
            with pytest.raises(ValueError, match=r"aligned|whole sectors"):
                drive.write(offset_bytes, aligned_buffer(8192)[memory_at])


def test_a_closed_drive_takes_nothing_and_may_be_closed_again(
    stick: Callable[..., SimulatedDrive],
) -> None:
    drive = stick()
    drive.close()
    drive.close()

    for use in (
        lambda: drive.write(0, aligned_buffer(SECTOR)),
        lambda: content(drive),
        drive.flush,
    ):
        assert error_of(use) == errno.EBADF


@pytest.mark.parametrize(
    "faults", [(Wraparound(SECTOR), Limbo(SECTOR)), (Limbo(SECTOR), Limbo(2 * SECTOR))]
)
def test_a_stick_is_one_counterfeit_at_most(
    stick: Callable[..., SimulatedDrive], faults: tuple[Fault, ...]
) -> None:
    with pytest.raises(ValueError, match="one counterfeit only"):
        stick(*faults)


@pytest.mark.parametrize("capacity_bytes", [0, -512, 1000])
def test_a_stick_holds_whole_sectors(tmp_path: Path, capacity_bytes: int) -> None:
    with pytest.raises(ValueError, match="whole number of sectors"):
        SimulatedDrive(tmp_path / "stick.img", capacity_bytes)


@pytest.mark.parametrize(("start", "end"), [(5, 5), (6, 5), (-1, 5)])
def test_a_fault_strikes_some_bytes(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="no range"):
        replace(RangeFault(), start_bytes=start, end_bytes=end)
