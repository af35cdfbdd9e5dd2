"""How well a drive did its work: its speeds, its retries, its longest pause. Pure."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from station.units import MIB

# What is smaller takes as long for its command as for its bytes, and tells no speed.
LARGE_TRANSFER_BYTES = MIB
# 64 MiB of whole chunks: long enough that flash which is tidied up now and then shows its average,
# short enough that a bad region of a small stick is not lost in its neighbourhood.
WINDOW_TRANSFERS = 16
# Fast regions of honest sticks are some three times as fast as slow ones.
_DEAD_FRACTION = 1 / 10


@dataclass(frozen=True, slots=True)
class Transfer:
    """One request that the drive answered.

    Attributes:
        offset_bytes: where on the drive.
        length_bytes: how much was written or read; at least 1.
        took_s: how long the drive took; attempts that failed before are retries, and not in it.
    """

    offset_bytes: int
    length_bytes: int
    took_s: float


@dataclass(frozen=True, slots=True)
class SpeedProfile:
    """How fast one pass over a drive was, by windows of many transfers.

    Attributes:
        slowest_bytes_per_s: of the slowest window.
        median_bytes_per_s: of the window in the middle.
        fastest_bytes_per_s: of the fastest window.
        slowest_at_bytes: where on the drive the slowest window begins.
    """

    slowest_bytes_per_s: float
    median_bytes_per_s: float
    fastest_bytes_per_s: float
    slowest_at_bytes: int

    @property
    def has_dead_region(self) -> bool:
        """Whether the drive almost stands still somewhere, though not as a whole."""
        return self.slowest_bytes_per_s < _DEAD_FRACTION * self.median_bytes_per_s


@dataclass(frozen=True, slots=True)
class Quality:
    """What the ledger keeps of how a job went.

    Attributes:
        load: speeds of the load; None when nothing large was written.
        verify: speeds of the read-back; None when nothing large was read.
        retries: how often an operation was tried again.
        longest_pause_s: the longest that the drive let its station wait for one answer.
    """

    load: SpeedProfile | None = None
    verify: SpeedProfile | None = None
    retries: int = 0
    longest_pause_s: float = 0.0

    @property
    def is_marginal(self) -> bool:
        """Whether the drive did what it did only at a second attempt."""
        return self.retries > 0


class TransferLog:
    """The large transfers of one stage, 24 bytes for each: 12 MB on a drive of 2 TB.

    One thread adds to it; any thread may read it meanwhile.
    """

    def __init__(self) -> None:
        self._offsets_bytes = array("q")
        self._lengths_bytes = array("q")
        self._took_s = array("d")

    def note(self, transfer: Transfer) -> None:
        """Add a transfer, unless it is too small to tell a speed."""
        if transfer.length_bytes >= LARGE_TRANSFER_BYTES:
            self._offsets_bytes.append(transfer.offset_bytes)
            self._lengths_bytes.append(transfer.length_bytes)
            self._took_s.append(transfer.took_s)

    def transfers(self) -> list[Transfer]:
        """What was added, in this order."""
        # Copies, for an array that is read can't grow. The column that is added to last is copied
        # first, and the shortest counts: so no transfer is half there.
        took_s = self._took_s[:]
        columns = zip(self._offsets_bytes[:], self._lengths_bytes[:], took_s, strict=False)
        return [Transfer(*values) for values in columns]


def speed_profile(transfers: Sequence[Transfer]) -> SpeedProfile | None:
    """Sum up one pass over a drive.

    The transfers are cut into windows of `WINDOW_TRANSFERS` or somewhat more; fewer make one
    window. In each the slowest transfer does not count: a single one is a pause and no speed.

    Args:
        transfers: in the order in which they were made.

    Returns:
        The speeds; None when nothing was transferred that took any time.
    """
    windows = max(1, len(transfers) // WINDOW_TRANSFERS)
    borders = [index * len(transfers) // windows for index in range(windows + 1)]
    speeds: list[tuple[float, int]] = []
    for index in range(windows):
        window = transfers[borders[index] : borders[index + 1]]
        if (speed := _window_speed(window)) is not None:
            speeds.append((speed, window[0].offset_bytes))
    if not speeds:
        return None
    slowest_bytes_per_s, slowest_at_bytes = min(speeds)
    return SpeedProfile(
        slowest_bytes_per_s,
        median(speed for speed, _ in speeds),
        max(speed for speed, _ in speeds),
        slowest_at_bytes,
    )


def _window_speed(window: Sequence[Transfer]) -> float | None:
    counted = sorted(window, key=lambda transfer: transfer.took_s / transfer.length_bytes)
    if len(counted) > 1:
        counted.pop()
    took_s = sum(transfer.took_s for transfer in counted)
    if took_s <= 0:
        return None
    return sum(transfer.length_bytes for transfer in counted) / took_s
