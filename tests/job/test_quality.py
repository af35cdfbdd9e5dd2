import errno
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.device.buffer import aligned_buffer
from station.device.simulated import SimulatedDrive
from station.job.counted_drive import CountedDrive
from station.job.progress import Operation, Progress
from station.job.quality import (
    LARGE_TRANSFER_BYTES,
    WINDOW_TRANSFERS,
    Quality,
    SpeedProfile,
    Transfer,
    TransferLog,
    speed_profile,
)
from station.job.state import State
from station.units import MIB
from tests.job.workshop import HookedDrive, Workshop, run

CHUNK = 4 * MIB
CHUNK_S = 0.25
SPEED = CHUNK / CHUNK_S

transfers = st.lists(
    st.builds(
        Transfer,
        offset_bytes=st.integers(0, 2**41),
        length_bytes=st.integers(LARGE_TRANSFER_BYTES, CHUNK),
        took_s=st.floats(1e-4, 1e3),
    ),
    min_size=1,
    max_size=5 * WINDOW_TRANSFERS,
)


def even(count: int) -> list[Transfer]:
    """A pass over a stick that is equally fast everywhere."""
    return [Transfer(index * CHUNK, CHUNK, CHUNK_S) for index in range(count)]


def slowed(passed: list[Transfer], start: int, end: int, factor: float) -> list[Transfer]:
    """The same pass, some of its transfers slower by a factor."""
    return [
        Transfer(one.offset_bytes, one.length_bytes, one.took_s * factor)
        if start <= index < end
        else one
        for index, one in enumerate(passed)
    ]


@given(transfers)
def test_no_speed_is_told_that_no_transfer_had(passed: list[Transfer]) -> None:
    profile = speed_profile(passed)
    paces = [one.length_bytes / one.took_s for one in passed]

    assert profile is not None
    assert min(paces) <= profile.slowest_bytes_per_s * (1 + 1e-9)
    assert profile.slowest_bytes_per_s <= profile.median_bytes_per_s <= profile.fastest_bytes_per_s
    assert profile.fastest_bytes_per_s <= max(paces) * (1 + 1e-9)
    assert profile.slowest_at_bytes in {one.offset_bytes for one in passed}


@given(st.integers(1, 10 * WINDOW_TRANSFERS))
def test_an_even_stick_has_one_speed(count: int) -> None:
    profile = speed_profile(even(count))

    assert profile is not None
    assert profile.slowest_bytes_per_s == pytest.approx(SPEED)
    assert profile.fastest_bytes_per_s == pytest.approx(SPEED)


@given(st.integers(2, 10 * WINDOW_TRANSFERS), st.data())
def test_one_hiccup_however_long_is_no_speed(count: int, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, count - 1))
    factor = data.draw(st.floats(1, 1e6))

    assert speed_profile(slowed(even(count), at, at + 1, factor)) == speed_profile(even(count))


@given(st.integers(3, 20), st.data())
def test_a_dead_region_is_found_where_it_is(windows: int, data: st.DataObject) -> None:
    dead = data.draw(st.integers(0, windows - 1))
    count = windows * WINDOW_TRANSFERS
    start = dead * WINDOW_TRANSFERS
    profile = speed_profile(slowed(even(count), start, start + WINDOW_TRANSFERS, 25))

    assert profile is not None
    assert profile.has_dead_region
    assert profile.slowest_at_bytes == start * CHUNK
    assert profile.slowest_bytes_per_s == pytest.approx(SPEED / 25)
    assert profile.median_bytes_per_s == pytest.approx(SPEED)


@pytest.mark.parametrize("factor", [0.2, 1, 3, 9])
def test_a_slow_stick_or_region_is_not_a_dead_one(factor: float) -> None:
    everywhere = speed_profile(slowed(even(160), 0, 160, factor))
    somewhere = speed_profile(slowed(even(160), 32, 64, factor))

    assert everywhere is not None
    assert somewhere is not None
    assert not everywhere.has_dead_region
    assert not somewhere.has_dead_region


@given(transfers, st.floats(0.01, 100))
def test_a_stick_that_takes_as_many_times_longer_is_as_many_times_slower(
    passed: list[Transfer], factor: float
) -> None:
    usual = speed_profile(passed)
    slower = speed_profile(slowed(passed, 0, len(passed), factor))

    assert usual is not None
    assert slower is not None
    assert slower.median_bytes_per_s * factor == pytest.approx(usual.median_bytes_per_s)
    assert slower.slowest_bytes_per_s * factor == pytest.approx(usual.slowest_bytes_per_s)


@pytest.mark.parametrize("passed", [[], [Transfer(0, CHUNK, 0.0)] * 40])
def test_what_took_no_time_has_no_speed(passed: list[Transfer]) -> None:
    assert speed_profile(passed) is None


@given(
    st.lists(
        st.builds(Transfer, st.integers(0, 2**41), st.integers(1, 2 * MIB), st.floats(0, 1e6)),
        max_size=40,
    )
)
def test_a_log_keeps_large_transfers_in_their_order(made: list[Transfer]) -> None:
    log = TransferLog()
    for transfer in made:
        log.note(transfer)

    assert log.transfers() == [one for one in made if one.length_bytes >= LARGE_TRANSFER_BYTES]


def test_a_log_may_be_read_while_it_grows() -> None:
    log = TransferLog()
    count = 20_000

    def grow() -> None:
        for index in range(count):
            log.note(Transfer(index, CHUNK + index, float(index)))

    writer = threading.Thread(target=grow)
    writer.start()
    views = [log.transfers()]
    while writer.is_alive():
        views.append(log.transfers()[-100:])
    views.append(log.transfers())

    assert len(views[-1]) == count
    assert all(
        (one.length_bytes - CHUNK, one.took_s) == (one.offset_bytes, one.offset_bytes)
        for view in views
        for one in view
    )


class FakeClock:
    def __init__(self) -> None:
        self.time_s = 100.0

    def __call__(self) -> float:
        return self.time_s


class SlowDrive(HookedDrive):
    """A drive that takes the time that a test says, by the job's clock."""

    def __init__(self, drive: SimulatedDrive, clock: FakeClock, took_s: list[float]) -> None:
        def wait(_kind: Operation, _offset_bytes: int) -> None:
            clock.time_s += took_s.pop(0)

        super().__init__(drive, wait)


def test_load_and_verify_have_their_own_speeds_and_the_longest_pause_is_of_both(
    tmp_path: Path,
) -> None:
    clock = FakeClock()
    progress = Progress(clock=clock)
    stick = SimulatedDrive(tmp_path / "stick.img", 4 * CHUNK)
    drive = CountedDrive(SlowDrive(stick, clock, [0.5, 0.5, 30.0, 7.0, 0.25, 0.25]), progress)
    chunk = aligned_buffer(CHUNK)
    progress.enter(State.LOAD)
    for at in range(3):
        drive.write(at * CHUNK, chunk)
    drive.read(0, chunk[:4096])
    progress.enter(State.VERIFY)
    for at in range(2):
        drive.read(at * CHUNK, chunk)
    stick.close()

    assert progress.quality() == Quality(
        SpeedProfile(CHUNK / 0.5, CHUNK / 0.5, CHUNK / 0.5, 0),
        SpeedProfile(CHUNK / 0.25, CHUNK / 0.25, CHUNK / 0.25, 0),
        retries=0,
        longest_pause_s=30.0,
    )


def test_a_failed_attempt_is_a_retry_and_no_speed(tmp_path: Path) -> None:
    clock = FakeClock()
    progress = Progress(clock=clock)
    stick = SimulatedDrive(tmp_path / "stick.img", CHUNK)
    attempts = iter([20.0, 0.5])

    def fail_once(_kind: Operation, _offset_bytes: int) -> None:
        took_s = next(attempts)
        clock.time_s += took_s
        if took_s > 1:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    progress.enter(State.LOAD)
    CountedDrive(HookedDrive(stick, fail_once), progress).write(0, aligned_buffer(CHUNK))
    stick.close()
    quality = progress.quality()

    assert (quality.retries, quality.longest_pause_s, quality.is_marginal) == (1, 20.0, True)
    assert quality.load is not None
    assert quality.load.median_bytes_per_s == CHUNK / 0.5


def test_the_wait_for_a_drive_that_hangs_is_its_longest_pause() -> None:
    clock = FakeClock()
    progress = Progress(clock=clock)
    progress.begin_operation(Operation.WRITE)
    clock.time_s += 61.0

    assert progress.quality().longest_pause_s == 61.0
    assert progress.longest_operation_s == 0.0


def test_a_stick_that_went_through_has_a_whole_record(workshop: Workshop) -> None:
    order = workshop.order()
    drive = workshop.stick()
    made = run(order, drive)
    drive.close()
    quality = made.progress.quality()

    assert made.verdict.reason is None
    assert quality.load is not None
    assert quality.verify is not None
    assert (quality.retries, quality.is_marginal) == (0, False)
    assert quality.longest_pause_s > 0
