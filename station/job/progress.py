"""How far a job has come: counters that one worker bumps and anyone may sample."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum, unique

from station.job.quality import Quality, Transfer, TransferLog, speed_profile
from station.job.state import LOADING, Stage, State, Transitions, advance
from station.verdict import DriveFailedError, FailReason


@unique
class Operation(StrEnum):
    """What a drive may be asked to do."""

    OPEN = "open"
    WRITE = "write"
    READ = "read"
    FLUSH = "flush"


@dataclass(frozen=True, slots=True)
class Pending:
    """An operation that the drive has not answered yet.

    Attributes:
        kind: what it was asked to do.
        since_s: when, by the job's clock.
    """

    kind: Operation
    since_s: float


class Progress:
    """The counters of one job.

    Only the job's own thread writes, `cancel` apart; every attribute is a plain value that is
    replaced as a whole, so that a reader in another thread needs no lock and holds nobody up.

    Args:
        transitions: the table of the kind of job.
        on_stage: called by the worker when a stage begins.
        clock: seconds, monotonic.

    Attributes:
        state: where the job stands.
        stage_done_bytes: transferred in the stage under way.
        stage_total_bytes: what the stage under way will transfer.
        written_bytes: written to the drive since the job began.
        read_bytes: read from the drive since the job began.
        stage_s: seconds that each finished stage took.
        pending: the operation under way on the drive; None between operations.
        retries: how often an operation was tried again.
        longest_operation_s: the longest operation that came to an end.
    """

    def __init__(
        self,
        transitions: Transitions = LOADING,
        on_stage: Callable[["Progress", Stage], None] = lambda _progress, _stage: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.clock = clock
        self.state = State.ACCEPTED
        self.stage_done_bytes = 0
        self.stage_total_bytes = 0
        self.written_bytes = 0
        self.read_bytes = 0
        self.stage_s: dict[Stage, float] = {}
        self.pending: Pending | None = None
        self.retries = 0
        self.longest_operation_s = 0.0
        self._transitions = transitions
        self._on_stage = on_stage
        self._stage_since_s = clock()
        self._cancelled: DriveFailedError | None = None
        self._transfers = {Stage.LOAD: TransferLog(), Stage.VERIFY: TransferLog()}

    def enter(self, state: State, total_bytes: int = 0) -> None:
        """Go to the next state.

        Raises:
            IllegalTransitionError: when the transition table does not have the step.
        """
        following = advance(self._transitions, self.state, state)
        now_s = self.clock()
        if (ended := self.state.stage) is not None:
            self.stage_s = {**self.stage_s, ended: now_s - self._stage_since_s}
        self._stage_since_s = now_s
        self.stage_done_bytes = 0
        self.stage_total_bytes = total_bytes
        self.state = following
        if (stage := following.stage) is not None:
            self._on_stage(self, stage)

    def begin_operation(self, kind: Operation) -> None:
        """Note that the drive was asked to do something."""
        self.pending = Pending(kind, self.clock())

    def end_operation(self) -> float:
        """Note that the drive answered, well or not.

        Returns:
            Seconds that it took; 0 when nothing was pending.
        """
        took_s = 0.0 if self.pending is None else self.clock() - self.pending.since_s
        self.longest_operation_s = max(self.longest_operation_s, took_s)
        self.pending = None
        return took_s

    def note_transfer(self, transfer: Transfer) -> None:
        """Note what was written or read, for the quality of the stages that keep one."""
        stage = self.state.stage
        if stage in self._transfers:
            self._transfers[stage].note(transfer)

    def quality(self) -> Quality:
        """How well the drive has done so far; an operation without an answer is a pause, too."""
        pending = self.pending
        waits_s = 0.0 if pending is None else self.clock() - pending.since_s
        return Quality(
            speed_profile(self._transfers[Stage.LOAD].transfers()),
            speed_profile(self._transfers[Stage.VERIFY].transfers()),
            self.retries,
            max(self.longest_operation_s, waits_s),
        )

    def cancel(self, reason: FailReason, detail: str) -> None:
        """Ask the job to fail before its next operation; from any thread, the first call counts."""
        if self._cancelled is None:
            self._cancelled = DriveFailedError(reason, detail)

    def require_wanted(self) -> None:
        """Pass a job that nobody asked to end.

        Raises:
            DriveFailedError: with the reason for which it is to end.
        """
        if self._cancelled is not None:
            raise self._cancelled
