"""What a check finds."""

from dataclasses import dataclass
from enum import StrEnum, unique


@unique
class Severity(StrEnum):
    """How much a finding matters."""

    PROBLEM = "problem"  # sticks would be refused, lost or wrongly judged; or nothing would run
    ADVICE = "advice"  # it works, and would work faster or more safely


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be.

    Attributes:
        severity: how much it matters.
        problem: what is wrong and where, without a full stop; may hold text from a stick.
        remedy: what to do.
    """

    severity: Severity
    problem: str
    remedy: str


def problem(text: str, remedy: str) -> Finding:
    """A finding that matters."""
    return Finding(Severity.PROBLEM, text, remedy)


def advice(text: str, remedy: str) -> Finding:
    """A finding that could be lived with."""
    return Finding(Severity.ADVICE, text, remedy)
