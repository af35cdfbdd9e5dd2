"""What a probe writes and what it concludes. Pure: positions and bytes in, a finding out.

The kinds of counterfeit are those that f3 tells apart: on *limbo* drives writes beyond the real
size vanish, on *wraparound* drives they land on the beginning again, at a power-of-two distance,
and *chain* drives do the one and then the other. What was merely lost here and there is damage.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto, unique
from math import gcd
from random import Random

from blake3 import blake3

from station.job.ranges import Ranges
from station.units import MIB

BLOCK_BYTES = 4096
SALT_BYTES = 16
_POSITION_BYTES = 8
# Memory chips have whole mebibytes; no drive that wraps round does so at less.
_SMALLEST_WRAP_BYTES = MIB
_STRATA = 16


@unique
class Held(Enum):
    """What came back from a position that was stamped."""

    OWN = auto()  # its own stamp
    OTHER = auto()  # the stamp of another position: both are one place
    NONE = auto()  # no stamp of this probe


@dataclass(frozen=True, slots=True)
class Answer:
    """What one position gave back.

    Attributes:
        position_bytes: where was read.
        held: what came back.
        other_bytes: for OTHER, the position whose stamp came back; else the position itself.
    """

    position_bytes: int
    held: Held
    other_bytes: int


@dataclass(frozen=True, slots=True)
class Finding:
    """What a set of answers means.

    Attributes:
        held_bytes: it holds at least so much.
        lost_bytes: it holds less than so much; the claimed capacity when nothing is lost.
        wraps: whether the real size is known from a distance at which two positions are one place.
        damaged_at: a position that lost its stamp while ones beyond it kept theirs; None if none.
    """

    held_bytes: int
    lost_bytes: int
    wraps: bool = False
    damaged_at: int | None = None

    @property
    def is_counterfeit(self) -> bool:
        """Whether the drive is smaller than it claims."""
        return self.held_bytes < self.lost_bytes


def stamp_of(salt: bytes, position_bytes: int) -> bytes:
    """The block for a position: nothing that a drive could guess, or know from the last probe."""
    position = position_bytes.to_bytes(_POSITION_BYTES, "little")
    head = salt + position
    return head + blake3(head).digest(length=BLOCK_BYTES - len(head))


def read_stamp(salt: bytes, position_bytes: int, data: bytes) -> Answer:
    """Tell what came back from a position."""
    named = int.from_bytes(data[SALT_BYTES : SALT_BYTES + _POSITION_BYTES], "little")
    if data[:SALT_BYTES] != salt or data != stamp_of(salt, named):
        return Answer(position_bytes, Held.NONE, position_bytes)
    held = Held.OWN if named == position_bytes else Held.OTHER
    return Answer(position_bytes, held, named)


def probe_positions(capacity_bytes: int, random: Random) -> list[int]:
    """Where to put stamps, ascending, on block borders.

    An anchor in the first mebibyte and its twins at every power-of-two distance meet on a drive
    that wraps round, whatever its real size; positions spread over the whole find all the others.
    None lies on a whole mebibyte: so what wraps round never lands on sector 0.
    """
    anchor = random.randrange(1, _SMALLEST_WRAP_BYTES // BLOCK_BYTES) * BLOCK_BYTES
    # The last block, by which a drive that is only a little smaller than it says is found.
    last = capacity_bytes // BLOCK_BYTES * BLOCK_BYTES - BLOCK_BYTES
    positions = {anchor, last if last % _SMALLEST_WRAP_BYTES else last - BLOCK_BYTES}
    distance_bytes = _SMALLEST_WRAP_BYTES
    while anchor + distance_bytes <= capacity_bytes - BLOCK_BYTES:
        positions.add(anchor + distance_bytes)
        distance_bytes *= 2
    units = capacity_bytes // _SMALLEST_WRAP_BYTES
    for stratum in range(_STRATA):
        low, high = units * stratum // _STRATA, units * (stratum + 1) // _STRATA
        if low < high:
            within = random.randrange(1, _SMALLEST_WRAP_BYTES // BLOCK_BYTES) * BLOCK_BYTES
            positions.add(random.randrange(low, high) * _SMALLEST_WRAP_BYTES + within)
    return sorted(position for position in positions if position + BLOCK_BYTES <= capacity_bytes)


def conclude(
    answers: Sequence[Answer], capacity_bytes: int, overwritten: Ranges | None = None
) -> Finding:
    """Tell a counterfeit from a damaged drive and from a good one.

    A drive is smaller than it claims when two positions are one place, or when from some position
    on nothing holds.

    Args:
        answers: what the positions gave back.
        capacity_bytes: what the drive claims.
        overwritten: what was written since the stamps were; the answers come from elsewhere.
    """
    ordered = sorted(answers, key=lambda answer: answer.position_bytes)
    wrap_bytes = 0
    for answer in ordered:
        if answer.held is Held.OTHER:
            wrap_bytes = gcd(wrap_bytes, abs(answer.position_bytes - answer.other_bytes))
    lost = [answer.position_bytes for answer in ordered if answer.held is Held.NONE]
    # A twin that was overwritten through its other name holds a foreign stamp, below the real size.
    held = [answer.position_bytes for answer in ordered if answer.held is not Held.NONE]
    if wrap_bytes:
        below_wrap = [position for position in lost if position < wrap_bytes]
        lost_bytes = min([wrap_bytes, *below_wrap])
        held_bytes = max((at for at in held if at < lost_bytes), default=0)
        return Finding(held_bytes, lost_bytes, wraps=lost_bytes == wrap_bytes)
    if not lost:
        return Finding(capacity_bytes, capacity_bytes)
    if overwritten and (size_bytes := _wrap_that_explains(lost, held, overwritten, capacity_bytes)):
        return Finding(0, size_bytes, wraps=True)
    highest_held = max(held, default=-1)
    beyond = [position for position in lost if position > highest_held]
    if beyond:
        return Finding(max(highest_held, 0), min(beyond))
    return Finding(capacity_bytes, capacity_bytes, damaged_at=lost[0])


def _wrap_that_explains(
    lost: Sequence[int], held: Sequence[int], overwritten: Ranges, capacity_bytes: int
) -> int | None:
    """The distance at which a drive wraps round, when that explains which stamps are gone.

    Those are gone that lie, some turns on or back, where the load has been since; a single one may
    be mere damage.
    """
    if len(lost) < 2:  # noqa: PLR2004 - one point explains nothing
        return None
    wrap_bytes = _SMALLEST_WRAP_BYTES
    while wrap_bytes < capacity_bytes:
        if all(overwritten.reaches(at, wrap_bytes) for at in lost) and not any(
            overwritten.reaches(at, wrap_bytes) for at in held
        ):
            return wrap_bytes
        wrap_bytes *= 2
    return None
