"""How long a drive may leave a request unanswered before it counts as hung."""

from dataclasses import dataclass

from station.job.progress import Operation, Pending


@dataclass(frozen=True, slots=True)
class Patience:
    """Judges a stick by its own history, never by one fixed time.

    Attributes:
        floor_s: what every stick is granted for a read or write: flash that is tidied up inside
            pauses for tens of seconds on honest sticks.
        flush_floor_s: what every stick is granted for a flush: caches of hundreds of megabytes are
            known, and are written at the speed of the slowest flash.
        factor: how much longer than its longest answer so far a stick may take.
    """

    floor_s: float = 60.0
    flush_floor_s: float = 300.0
    factor: float = 4.0

    def limit_s(self, kind: Operation, longest_operation_s: float) -> float:
        """Seconds that an operation may take."""
        floor_s = self.flush_floor_s if kind is Operation.FLUSH else self.floor_s
        return max(floor_s, self.factor * longest_operation_s)

    def is_exhausted(self, pending: Pending, longest_operation_s: float, now_s: float) -> bool:
        """Whether an operation has gone unanswered for too long."""
        return now_s - pending.since_s > self.limit_s(pending.kind, longest_operation_s)
