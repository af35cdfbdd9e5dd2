import pytest

from station.job.progress import Operation, Pending, Progress
from station.job.state import Stage, State
from station.verdict import DriveFailedError, FailReason, failed


class FakeClock:
    def __init__(self) -> None:
        self.time_s = 100.0

    def __call__(self) -> float:
        return self.time_s


def test_each_stage_is_announced_once_with_its_total_and_timed_to_its_end() -> None:
    clock = FakeClock()
    told: list[tuple[Stage, int]] = []
    progress = Progress(
        on_stage=lambda job, stage: told.append((stage, job.stage_total_bytes)), clock=clock
    )
    for state, took_s in ((State.LOAD, 40.0), (State.VERIFY, 20.0), (State.SEAL, 0.5)):
        progress.enter(state, int(took_s))
        progress.stage_done_bytes += 5
        clock.time_s += took_s
    progress.enter(State.PASSED)

    assert told == [(Stage.LOAD, 40), (Stage.VERIFY, 20), (Stage.SEAL, 0)]
    assert progress.stage_s == {Stage.LOAD: 40.0, Stage.VERIFY: 20.0, Stage.SEAL: 0.5}
    assert (progress.stage_done_bytes, progress.stage_total_bytes) == (0, 0)


def test_an_operation_is_pending_until_it_is_answered_and_the_longest_is_remembered() -> None:
    clock = FakeClock()
    progress = Progress(clock=clock)
    for took_s in (2.0, 7.0, 1.0):
        progress.begin_operation(Operation.WRITE)
        assert progress.pending == Pending(Operation.WRITE, clock.time_s)
        clock.time_s += took_s
        progress.end_operation()
        assert progress.pending is None

    assert progress.longest_operation_s == 7.0


def test_an_end_without_a_beginning_counts_for_nothing() -> None:
    progress = Progress()
    progress.end_operation()

    assert (progress.pending, progress.longest_operation_s) == (None, 0.0)


def test_of_several_reasons_to_end_a_job_the_first_counts() -> None:
    progress = Progress()
    progress.require_wanted()
    progress.cancel(FailReason.REMOVED, "pulled")
    progress.cancel(FailReason.INTERRUPTED, "stopped")

    with pytest.raises(DriveFailedError) as caught:
        progress.require_wanted()
    assert caught.value.verdict == failed(FailReason.REMOVED, "pulled")
