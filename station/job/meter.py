"""Speed and time left of one job, from samples of its counters."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from station.job.progress import Progress
from station.job.state import Stage, State

_WINDOW_S = 5.0
# Sticks read two to four times as fast as they write; the lower end, until it has been measured.
_READ_TO_WRITE = 2.0


@dataclass(frozen=True, slots=True)
class Reading:
    """What a meter shows at one moment.

    Attributes:
        stage: the stage under way; None before the first and after the last.
        done_bytes: transferred in this stage.
        total_bytes: what this stage transfers in all.
        stage_fraction: share of the stage that is done, 0 to 1.
        job_fraction: share of the job's bytes that is done, 0 to 1.
        speed_bytes_per_s: over the last seconds; None while unknown.
        left_s: seconds to the verdict, as far as can be told; None while unknown.
        written_bytes: since the job began.
        read_bytes: since the job began.
    """

    stage: Stage | None = None
    done_bytes: int = 0
    total_bytes: int = 0
    stage_fraction: float = 0.0
    job_fraction: float = 0.0
    speed_bytes_per_s: float | None = None
    left_s: float | None = None
    written_bytes: int = 0
    read_bytes: int = 0


class Meter:
    """Samples one job; used by one thread.

    Args:
        progress: the job's counters.
        stage_bytes: what each stage will transfer, in order.
    """

    def __init__(self, progress: Progress, stage_bytes: Mapping[Stage, int]) -> None:
        self._progress = progress
        self._stage_bytes = dict(stage_bytes)
        self._samples: deque[tuple[float, int]] = deque()
        self._sampled_stage: Stage | None = None
        self._reached_fraction = 0.0

    def sample(self) -> Reading:
        """Take a sample and say what follows from it and the last ones."""
        progress = self._progress
        stage = progress.state.stage
        total_bytes = progress.stage_total_bytes
        # Clearing sector 0 comes on top of what a stage was announced to transfer.
        done_bytes = min(progress.stage_done_bytes, total_bytes)
        speed = self._speed(stage, done_bytes)
        if stage is not None and stage in self._stage_bytes:
            self._stage_bytes[stage] = total_bytes
        return Reading(
            stage,
            done_bytes,
            total_bytes,
            done_bytes / total_bytes if total_bytes else 0.0,
            self._job_fraction(stage, done_bytes),
            speed,
            self._left_s(stage, total_bytes - done_bytes, speed),
            progress.written_bytes,
            progress.read_bytes,
        )

    def _speed(self, stage: Stage | None, done_bytes: int) -> float | None:
        now_s = self._progress.clock()
        if stage is not self._sampled_stage:
            self._samples.clear()
            self._sampled_stage = stage
        self._samples.append((now_s, done_bytes))
        while len(self._samples) > 2 and self._samples[1][0] <= now_s - _WINDOW_S:  # noqa: PLR2004 - a speed takes two samples
            self._samples.popleft()
        (first_s, first_bytes), (last_s, last_bytes) = self._samples[0], self._samples[-1]
        if last_s <= first_s or last_bytes == 0:
            return None
        return (last_bytes - first_bytes) / (last_s - first_s)

    def _job_fraction(self, stage: Stage | None, done_bytes: int) -> float:
        # A stage may turn out longer than it was announced, but a bar that goes back frightens.
        fraction = self._fraction_of_bytes(stage, done_bytes)
        self._reached_fraction = max(self._reached_fraction, fraction)
        return self._reached_fraction

    def _fraction_of_bytes(self, stage: Stage | None, done_bytes: int) -> float:
        if self._progress.state in (State.SEAL, State.PASSED):
            return 1.0
        all_bytes = sum(self._stage_bytes.values())
        if stage not in self._stage_bytes or not all_bytes:
            return 0.0
        order = list(self._stage_bytes)
        before = sum(self._stage_bytes[earlier] for earlier in order[: order.index(stage)])
        return min((before + done_bytes) / all_bytes, 1.0)

    def _left_s(self, stage: Stage | None, left_bytes: int, speed: float | None) -> float | None:
        if stage not in self._stage_bytes or not speed:
            return None
        left_s = left_bytes / speed
        order = list(self._stage_bytes)
        for later in order[order.index(stage) + 1 :]:
            factor = _READ_TO_WRITE if later is Stage.VERIFY else 1.0
            left_s += self._stage_bytes[later] / (speed * factor)
        return left_s
