"""How a job ends: the words that tiles, events and ledger rows share."""

from dataclasses import dataclass
from enum import StrEnum, unique
from types import NoneType


@unique
class Outcome(StrEnum):
    """The three ends of a job."""

    PASS = "pass"  # noqa: S105 - a verdict, no password
    FAIL = "fail"
    REFUSED = "refused"


@unique
class FailReason(StrEnum):
    """Why an accepted drive did not pass."""

    REMOVED = "removed"
    IO_ERROR = "io_error"
    STALLED = "stalled"
    FAKE_CAPACITY = "fake_capacity"
    WRITE_PROTECTED = "write_protected"
    VERIFY_MISMATCH = "verify_mismatch"
    SOURCE_CHANGED = "source_changed"
    INTERRUPTED = "interrupted"


@unique
class RefusalReason(StrEnum):
    """Why a drive was not touched."""

    NOT_USB = "not_usb"
    IN_USE = "in_use"
    PORT_NOT_TAUGHT = "port_not_taught"
    TOO_LARGE = "too_large"
    TOO_SMALL = "too_small"
    WRITE_PROTECTED = "write_protected"
    PROTECTED = "protected"
    ALREADY_LOADED = "already_loaded"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The one end of a job.

    Attributes:
        outcome: pass, fail or refused.
        reason: None on a pass, else from the enum that belongs to the outcome.
        detail: what exactly was found, for the log: byte offsets, file, errno; may hold text that
            came from a drive or a file name and is escaped by whoever shows it.
    """

    outcome: Outcome
    reason: FailReason | RefusalReason | None = None
    detail: str = ""

    def __post_init__(self) -> None:
        kinds: dict[Outcome, type] = {
            Outcome.PASS: NoneType,
            Outcome.FAIL: FailReason,
            Outcome.REFUSED: RefusalReason,
        }
        if not isinstance(self.reason, kinds[self.outcome]):
            raise TypeError(f"a verdict of {self.outcome} can't have the reason {self.reason!r}")


PASSED = Verdict(Outcome.PASS)


def failed(reason: FailReason, detail: str = "") -> Verdict:
    """The verdict on a drive that was accepted and did not pass."""
    return Verdict(Outcome.FAIL, reason, detail)


def refused(reason: RefusalReason, detail: str = "") -> Verdict:
    """The verdict on a drive to which not one byte was written."""
    return Verdict(Outcome.REFUSED, reason, detail)


class DriveRefusedError(Exception):
    """A drive that must not be touched; raised before the first byte is written to it."""

    def __init__(self, reason: RefusalReason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.verdict = refused(reason, detail)


class DriveFailedError(Exception):
    """A fault with a known reason, found while a drive was worked on."""

    def __init__(self, reason: FailReason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.verdict = failed(reason, detail)
