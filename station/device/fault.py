"""The ways in which sticks go wrong, as values that a simulated drive is given.

Each names the bytes that it strikes, [start, end) of the drive, and a number of times where that
makes sense. The kinds of counterfeit are those that f3 tells apart (libdevs.h, `enum fake_type`).
"""

from dataclasses import dataclass
from enum import Enum, auto, unique
from typing import ClassVar, Generic, TypeVar

END_OF_DRIVE = 1 << 63


@unique
class Operation(Enum):
    """What a drive is asked for."""

    READ = auto()
    WRITE = auto()


READS = frozenset({Operation.READ})
WRITES = frozenset({Operation.WRITE})
ALL_OPERATIONS = READS | WRITES


@dataclass(frozen=True, slots=True)
class RangeFault:
    """A fault of certain bytes.

    Attributes:
        start_bytes: the first byte that is struck.
        end_bytes: the byte after the last.
    """

    start_bytes: int = 0
    end_bytes: int = END_OF_DRIVE

    def __post_init__(self) -> None:
        if not 0 <= self.start_bytes < self.end_bytes:
            raise ValueError(f"no range: {self.start_bytes} to {self.end_bytes}")

    def first_touch(self, offset_bytes: int, length_bytes: int) -> int | None:
        """Offset of the first struck byte of a transfer, or None when it has none."""
        first = max(self.start_bytes, offset_bytes)
        return first if first < min(self.end_bytes, offset_bytes + length_bytes) else None


@dataclass(frozen=True, slots=True)
class ReadError(RangeFault):
    """Reads fail with EIO: always, or so many times and then no more."""

    operations: ClassVar = READS
    times: int | None = None


@dataclass(frozen=True, slots=True)
class WriteError(RangeFault):
    """Writes fail with EIO: always, or so many times and then no more."""

    operations: ClassVar = WRITES
    times: int | None = None


@dataclass(frozen=True, slots=True)
class CorruptReads(RangeFault):
    """Reads come with the lowest bit of the first struck byte flipped; the medium is right."""

    times: int | None = None


@dataclass(frozen=True, slots=True)
class CorruptWrites(RangeFault):
    """Writes reach the medium with the lowest bit of the first struck byte flipped."""

    times: int | None = None


@dataclass(frozen=True, slots=True)
class LostWrites(RangeFault):
    """Writes are taken and have no effect; over the whole drive, a stick that is worn out."""


@dataclass(frozen=True, slots=True)
class Vanish(RangeFault):
    """The stick leaves (ENODEV, for good) as soon as one of the operations touches the bytes."""

    operations: frozenset[Operation] = ALL_OPERATIONS


@dataclass(frozen=True, slots=True)
class Hang(RangeFault):
    """The stick stops answering when one of the operations touches the bytes, then goes on.

    Attributes:
        operations: which ones hang.
        duration_s: how long; None until the stick is pulled or the drive closed.
        times: how often; None each time.
    """

    operations: frozenset[Operation] = ALL_OPERATIONS
    duration_s: float | None = None
    times: int | None = 1


@dataclass(frozen=True, slots=True)
class FlushError:
    """Each flush fails with EIO."""


@dataclass(frozen=True, slots=True)
class Wraparound:
    """A counterfeit on which offsets beyond the real size land at the beginning again."""

    real_bytes: int


@unique
class Beyond(Enum):
    """What a limbo counterfeit gives for bytes that it does not have."""

    ZEROS = auto()
    ONES = auto()
    STALE = auto()  # what was there before the drive was opened


@dataclass(frozen=True, slots=True)
class Limbo:
    """A counterfeit on which writes beyond the real size vanish."""

    real_bytes: int
    reads: Beyond = Beyond.ZEROS


@dataclass(frozen=True, slots=True)
class Chain:
    """A counterfeit on which offsets wrap round, and what then lies beyond the real size vanishes.

    Attributes:
        real_bytes: what it holds.
        wrap_bytes: the distance at which offsets are one place; more than it holds.
        reads: what it gives for bytes that it does not have.
    """

    real_bytes: int
    wrap_bytes: int
    reads: Beyond = Beyond.ZEROS


@dataclass(frozen=True, slots=True)
class CacheInFront:
    """The last writes are read back right for a while, whatever became of them on the medium."""

    length_bytes: int


@dataclass(frozen=True, slots=True)
class ReadOnly:
    """The lock switch is on: opening for writing fails with EROFS."""


Interruption = ReadError | WriteError | Vanish | Hang
Corruption = CorruptReads | CorruptWrites
Counterfeit = Wraparound | Limbo | Chain
Fault = Interruption | FlushError | Corruption | LostWrites | Counterfeit | CacheInFront | ReadOnly


FaultT = TypeVar("FaultT", bound=Interruption | Corruption)


@dataclass(slots=True)
class ArmedFault(Generic[FaultT]):
    """A fault together with how often it can still strike.

    Attributes:
        fault: the fault.
        left: how many times more; None for ever.
    """

    fault: FaultT
    left: int | None

    def first_touch(self, offset_bytes: int, length_bytes: int) -> int | None:
        """Offset of the byte of a transfer at which it would strike, or None."""
        return None if self.left == 0 else self.fault.first_touch(offset_bytes, length_bytes)

    def strike(self) -> None:
        """Count one more time."""
        if self.left is not None:
            self.left -= 1


def armed(fault: FaultT) -> ArmedFault[FaultT]:
    """A fault that has not struck yet."""
    return ArmedFault(fault, None if isinstance(fault, Vanish) else fault.times)
