from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from station.job.meter import Meter, Reading
from station.job.progress import Progress
from station.job.state import Stage, State

MB = 10**6
STAGE_BYTES = {Stage.WIPE: 200 * MB, Stage.LOAD: 100 * MB, Stage.VERIFY: 100 * MB}


@dataclass
class Job:
    """A job that transfers as a test says, by a clock that stands still in between."""

    stage_bytes: Mapping[Stage, int] = field(default_factory=lambda: STAGE_BYTES)
    time_s: float = 0.0

    def __post_init__(self) -> None:
        self.progress = Progress(clock=lambda: self.time_s)
        self.meter = Meter(self.progress, self.stage_bytes)

    def work(self, duration_s: float, done_bytes: int) -> Reading:
        self.time_s += duration_s
        self.progress.stage_done_bytes += done_bytes
        return self.meter.sample()


def test_before_the_first_stage_nothing_is_known() -> None:
    assert Job().work(3.0, 0) == Reading()


def test_the_speed_is_that_of_the_last_seconds() -> None:
    job = Job()
    job.progress.enter(State.LOAD, 100 * MB)
    for _ in range(10):
        job.work(1.0, MB)
    readings = [job.work(1.0, 4 * MB) for _ in range(5)]

    assert readings[-1].speed_bytes_per_s == pytest.approx(4 * MB)


def test_a_stage_begins_with_its_own_speed() -> None:
    job = Job()
    job.progress.enter(State.LOAD, 100 * MB)
    job.work(1.0, 50 * MB)
    assert job.work(1.0, 50 * MB).speed_bytes_per_s == pytest.approx(50 * MB)
    job.progress.enter(State.VERIFY, 100 * MB)

    assert job.work(1.0, 0).speed_bytes_per_s is None
    assert job.work(1.0, 80 * MB).speed_bytes_per_s == pytest.approx(80 * MB)


def test_of_a_drive_that_stands_still_nobody_can_say_when_it_ends() -> None:
    job = Job()
    job.progress.enter(State.LOAD, 100 * MB)
    for done_bytes in (10 * MB, 10 * MB, 0, 0, 0, 0, 0, 0, 0):
        job.work(1.0, done_bytes)
    reading = job.work(1.0, 0)

    assert (reading.speed_bytes_per_s, reading.left_s) == (0.0, None)


def test_the_time_left_counts_the_stages_to_come_and_reading_as_twice_as_fast() -> None:
    job = Job()
    job.progress.enter(State.WIPE, 200 * MB)
    job.work(0.0, 0)

    # 100 MB of the wipe and 100 MB of the load at 10 MB/s, 100 MB of reading at 20 MB/s.
    assert job.work(10.0, 100 * MB).left_s == pytest.approx(10 + 10 + 5)


def test_the_fraction_of_the_job_is_that_of_its_bytes() -> None:
    job = Job()
    job.progress.enter(State.WIPE, 200 * MB)
    assert job.work(1.0, 100 * MB).job_fraction == pytest.approx(0.25)
    job.progress.enter(State.LOAD, 100 * MB)
    assert job.work(1.0, 50 * MB).job_fraction == pytest.approx(0.625)
    assert job.work(1.0, 0).stage_fraction == pytest.approx(0.5)
    job.progress.enter(State.VERIFY, 100 * MB)
    job.progress.enter(State.SEAL)
    assert job.work(1.0, 0).job_fraction == 1.0


def test_bytes_on_top_of_what_was_announced_are_not_shown() -> None:
    job = Job()
    job.progress.enter(State.LOAD, 100 * MB)
    reading = job.work(1.0, 100 * MB + 1024)

    assert (reading.done_bytes, reading.stage_fraction) == (100 * MB, 1.0)


def test_the_counters_of_the_drive_are_passed_on() -> None:
    job = Job()
    job.progress.enter(State.LOAD, 100 * MB)
    job.progress.written_bytes, job.progress.read_bytes = 7, 5
    reading = job.work(1.0, 0)

    assert (reading.written_bytes, reading.read_bytes) == (7, 5)


totals = st.integers(1, 10**12)
steps = st.lists(st.tuples(st.floats(0, 20), st.integers(0, 10**11)), max_size=6)


@settings(deadline=None)
@given(
    announced=st.tuples(totals, totals, totals),
    actual=st.tuples(totals, totals, totals),
    work=st.tuples(steps, steps, steps),
    end=st.sampled_from((State.SEAL, State.FAILED)),
)
def test_fractions_lie_between_0_and_1_and_the_jobs_never_goes_back(
    announced: tuple[int, int, int],
    actual: tuple[int, int, int],
    work: tuple[list[tuple[float, int]], ...],
    end: State,
) -> None:
    states = (State.WIPE, State.LOAD, State.VERIFY)
    job = Job(dict(zip((Stage.WIPE, Stage.LOAD, Stage.VERIFY), announced, strict=True)))
    readings = [job.work(1.0, 0)]
    for state, total_bytes, steps_of_stage in zip(states, actual, work, strict=True):
        job.progress.enter(state, total_bytes)
        readings.append(job.work(0.0, 0))
        readings.extend(job.work(*step) for step in steps_of_stage)
    job.progress.enter(end)
    readings.append(job.work(1.0, 0))
    fractions = [reading.job_fraction for reading in readings]

    assert fractions == sorted(fractions)
    assert all(0 <= reading.job_fraction <= 1 for reading in readings)
    assert all(0 <= reading.stage_fraction <= 1 for reading in readings)
    assert all(reading.left_s is None or reading.left_s >= 0 for reading in readings)
    assert all((reading.speed_bytes_per_s or 0) >= 0 for reading in readings)
