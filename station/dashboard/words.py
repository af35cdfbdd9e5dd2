"""What a volunteer is told, for every end that a job can have: one table."""

from dataclasses import dataclass
from enum import Enum, unique
from functools import lru_cache

from station.dashboard.cells import wrap
from station.verdict import FailReason, Outcome, RefusalReason, Verdict


@unique
class Act(Enum):
    """What to do with a stick; the value is the word that is drawn in block letters.

    The words are short so that their letters can be large, and no two acts that a volunteer could
    confuse share one: only a pass ever says PULL.
    """

    INSERT = "INSERT"
    WAIT = "WAIT"
    PULL = "PULL"
    BIN = "BIN"
    REDO = "REDO"
    KEEP = "KEEP"
    BACK = "BACK"
    MOVE = "MOVE"


@dataclass(frozen=True, slots=True)
class Advice:
    """What is said about one end.

    Attributes:
        act: what to do.
        result: what happened, in one or two words.
        sentence: why, and what to do in full. It fits three lines of `SENTENCE_CELLS`, so that it
            can be read whole on the smallest terminal that the station promises to fit.
    """

    act: Act
    result: str
    sentence: str


SENTENCE_LINES = 3
SENTENCE_CELLS = 18

PASSED = Advice(Act.PULL, "PASS", "ready: pull it out")

FAILED: dict[FailReason, Advice] = {
    FailReason.REMOVED: Advice(Act.REDO, "RETRY", "pulled too early: plug it in again"),
    FailReason.IO_ERROR: Advice(Act.BIN, "FAIL", "broken: reading or writing failed"),
    FailReason.STALLED: Advice(Act.BIN, "FAIL", "broken: it stopped answering"),
    FailReason.FAKE_CAPACITY: Advice(Act.BIN, "FAIL", "counterfeit: not the size it claims"),
    FailReason.WRITE_PROTECTED: Advice(Act.BIN, "FAIL", "worn out: it no longer keeps data"),
    FailReason.VERIFY_MISMATCH: Advice(Act.BIN, "FAIL", "unreliable: data came back wrong"),
    FailReason.SOURCE_CHANGED: Advice(
        Act.KEEP, "NOT ITS FAULT", "a file of ours changed: tell the lead"
    ),
    FailReason.INTERRUPTED: Advice(Act.REDO, "RETRY", "stopped half-way: plug it in again"),
}

REFUSED: dict[RefusalReason, Advice] = {
    RefusalReason.NOT_USB: Advice(Act.BACK, "NOT TOUCHED", "this is no USB stick: take it back"),
    RefusalReason.IN_USE: Advice(Act.REDO, "NOT TOUCHED", "in use here: eject it, plug in again"),
    RefusalReason.PORT_NOT_TAUGHT: Advice(
        Act.MOVE, "NOT TOUCHED", "port has no label: move to one that has"
    ),
    RefusalReason.TOO_LARGE: Advice(
        Act.BACK, "NOT TOUCHED", "too big for this profile: take it back"
    ),
    RefusalReason.TOO_SMALL: Advice(
        Act.BACK, "NOT TOUCHED", "too small for this profile: take it back"
    ),
    RefusalReason.WRITE_PROTECTED: Advice(
        Act.REDO, "NOT TOUCHED", "locked: slide its switch, plug in again"
    ),
    RefusalReason.PROTECTED: Advice(
        Act.BACK, "NOT TOUCHED", "marked as not to be wiped: take it back"
    ),
    RefusalReason.ALREADY_LOADED: Advice(
        Act.BACK, "NOT TOUCHED", "loaded before: put it with the done ones"
    ),
    RefusalReason.CHANGED: Advice(Act.REDO, "NOT TOUCHED", "swapped in between: plug in again"),
}

# A hung stick holds its port until it is pulled, whatever else is to become of it.
HUNG = Advice(Act.BIN, "PULL NOW", "it hangs: pull it to free the port")


def advice_on(verdict: Verdict) -> Advice:
    """Look up what to say about a verdict."""
    match verdict.reason:
        case FailReason() as reason:
            return FAILED[reason]
        case RefusalReason() as reason:
            return REFUSED[reason]
        case None:
            return PASSED


@lru_cache(maxsize=256)
def longest_sentence_lines(width_cells: int) -> int:
    """How many lines the longest sentence takes; at most `SENTENCE_LINES`, then it is cut."""
    return max(
        len(wrap(advice.sentence, width_cells, SENTENCE_LINES))
        for advice in (PASSED, HUNG, *FAILED.values(), *REFUSED.values())
    )


def result_of(verdict: Verdict) -> str:
    """Name an outcome for a log, with its reason: `PASS`, `FAIL fake_capacity`."""
    word = {Outcome.PASS: "PASS", Outcome.FAIL: "FAIL", Outcome.REFUSED: "REFUSED"}[verdict.outcome]
    return word if verdict.reason is None else f"{word} {verdict.reason}"
