"""The states of a job and every transition between them, in one table for each kind of job."""

from collections.abc import Mapping
from enum import StrEnum, unique
from types import MappingProxyType


@unique
class Stage(StrEnum):
    """What a job does to its drive, in the words of the command line contract."""

    PROBE = "probe"
    WIPE = "wipe"
    LOAD = "load"
    VERIFY = "verify"
    SEAL = "seal"


@unique
class State(StrEnum):
    """Where a job stands: before, in one of its stages, or at its end."""

    ACCEPTED = "accepted"
    PROBE = Stage.PROBE.value
    WIPE = Stage.WIPE.value
    LOAD = Stage.LOAD.value
    VERIFY = Stage.VERIFY.value
    SEAL = Stage.SEAL.value
    PASSED = "passed"
    FAILED = "failed"

    @property
    def stage(self) -> Stage | None:
        """The stage that this state stands for; None before the first and after the last."""
        return Stage(self.value) if self.value in _STAGES else None


_STAGES = frozenset(stage.value for stage in Stage)

Transitions = Mapping[State, frozenset[State]]

# A job that loads a drive. The only way to PASSED leads through LOAD, VERIFY and SEAL, in this
# order; everything that is under way may fail. A refused drive has no job that could be in a state:
# it never was accepted.
LOADING: Transitions = MappingProxyType(
    {
        State.ACCEPTED: frozenset({State.PROBE, State.WIPE, State.LOAD, State.FAILED}),
        State.PROBE: frozenset({State.WIPE, State.LOAD, State.FAILED}),
        State.WIPE: frozenset({State.LOAD, State.FAILED}),
        State.LOAD: frozenset({State.VERIFY, State.FAILED}),
        State.VERIFY: frozenset({State.SEAL, State.FAILED}),
        State.SEAL: frozenset({State.PASSED, State.FAILED}),
        State.PASSED: frozenset(),
        State.FAILED: frozenset(),
    }
)

# A job that only reads a drive back.
READING_BACK: Transitions = MappingProxyType(
    {
        State.ACCEPTED: frozenset({State.VERIFY, State.FAILED}),
        State.VERIFY: frozenset({State.PASSED, State.FAILED}),
        State.PASSED: frozenset(),
        State.FAILED: frozenset(),
    }
)


class IllegalTransitionError(Exception):
    """A step that the table does not have; the job stays where it was."""


def advance(transitions: Transitions, current: State, following: State) -> State:
    """Take one step.

    Raises:
        IllegalTransitionError: when the table does not have it.
    """
    if following not in transitions.get(current, frozenset()):
        raise IllegalTransitionError(f"a job can't go from {current} to {following}")
    return following
