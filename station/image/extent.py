"""What every byte of a drive is to hold, as runs: gapless, ascending, without overlap."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum, unique
from typing import NamedTuple

import numpy as np
import numpy.typing as npt


@unique
class Kind(IntEnum):
    """Where the bytes of an extent come from, and what its `ref` means."""

    SEAL = 0  # sector 0: zero until everything else is proven; no ref
    BLOCK = 1  # metadata; ref is an index into the image's blocks
    FILE = 2  # one whole file; ref is an index into the list of files
    FILL = 3  # one byte value all over; ref is that value
    KEEP = 4  # left as it is, neither written nor verified; no ref


class Extent(NamedTuple):
    """A run of bytes from one source."""

    start_bytes: int
    length_bytes: int
    kind: Kind
    ref: int

    @property
    def end_bytes(self) -> int:
        """Offset of the first byte behind it."""
        return self.start_bytes + self.length_bytes


class Piece(NamedTuple):
    """The part of an extent that lies within some range of the drive.

    Attributes:
        start_bytes: offset on the drive.
        length_bytes: length of the part.
        kind: as in the extent.
        ref: as in the extent.
        skipped_bytes: how much of the extent comes before this part.
        is_last: whether the extent ends with this part.
    """

    start_bytes: int
    length_bytes: int
    kind: Kind
    ref: int
    skipped_bytes: int
    is_last: bool


_KINDS = tuple(Kind)


@dataclass(frozen=True, slots=True, eq=False)
class ExtentTable:
    """All extents of one drive, in columns: a million of them take some 25 MB.

    Attributes:
        starts_bytes: int64, ascending.
        lengths_bytes: int64, each more than zero.
        kinds: uint8, values of `Kind`.
        refs: int64.
    """

    starts_bytes: npt.NDArray[np.int64]
    lengths_bytes: npt.NDArray[np.int64]
    kinds: npt.NDArray[np.uint8]
    refs: npt.NDArray[np.int64]

    @classmethod
    def part(cls, extents: list[Extent]) -> "ExtentTable":
        """A few extents as columns, to be joined with others; empty ones are left out."""
        some = [extent for extent in extents if extent.length_bytes]
        return cls(
            np.array([extent.start_bytes for extent in some], dtype=np.int64),
            np.array([extent.length_bytes for extent in some], dtype=np.int64),
            np.array([extent.kind for extent in some], dtype=np.uint8),
            np.array([extent.ref for extent in some], dtype=np.int64),
        )

    @classmethod
    def joined(cls, tables: "list[ExtentTable]") -> "ExtentTable":
        """Tables one after the other.

        Raises:
            ValueError: when the result has a gap, an overlap or an empty extent, or does not begin
                at zero. Layout is computed; this is the guard behind the computation.
        """
        table = cls(
            np.concatenate([table.starts_bytes for table in tables]),
            np.concatenate([table.lengths_bytes for table in tables]),
            np.concatenate([table.kinds for table in tables]),
            np.concatenate([table.refs for table in tables]),
        )
        ends = table.starts_bytes + table.lengths_bytes
        if len(ends) == 0 or table.starts_bytes[0] != 0 or bool((table.lengths_bytes <= 0).any()):
            raise ValueError("extents must begin at zero and hold something")
        if bool((table.starts_bytes[1:] != ends[:-1]).any()):
            raise ValueError("extents must follow each other without gap or overlap")
        return table

    def __len__(self) -> int:
        return len(self.starts_bytes)

    def __getitem__(self, index: int) -> Extent:
        return Extent(
            int(self.starts_bytes[index]),
            int(self.lengths_bytes[index]),
            Kind(int(self.kinds[index])),
            int(self.refs[index]),
        )

    def __iter__(self) -> Iterator[Extent]:
        return (self[index] for index in range(len(self)))

    @property
    def end_bytes(self) -> int:
        """Offset of the first byte behind the last extent: the size of the drive."""
        return self[len(self) - 1].end_bytes

    def total_bytes(self, kind: Kind) -> int:
        """Bytes of all extents of one kind."""
        return int(self.lengths_bytes[self.kinds == kind].sum())

    def pieces(self, start_bytes: int, end_bytes: int) -> Iterator[Piece]:
        """What lies between two offsets of the drive, ascending, cut to them."""
        first = int(np.searchsorted(self.starts_bytes, start_bytes, side="right")) - 1
        end = int(np.searchsorted(self.starts_bytes, end_bytes, side="left"))
        columns = zip(
            self.starts_bytes[first:end].tolist(),
            self.lengths_bytes[first:end].tolist(),
            self.kinds[first:end].tolist(),
            self.refs[first:end].tolist(),
            strict=True,
        )
        for extent_start, length, kind, ref in columns:
            extent_end = extent_start + length
            piece_start = max(extent_start, start_bytes)
            piece_end = min(extent_end, end_bytes)
            yield Piece(
                piece_start,
                piece_end - piece_start,
                _KINDS[kind],
                ref,
                piece_start - extent_start,
                piece_end == extent_end,
            )

    def spans(
        self, longest_bytes: int, start_bytes: int = 0, end_bytes: int | None = None
    ) -> Iterator[tuple[int, int]]:
        """The ranges to transfer, as (start, end): all that is not kept, ascending.

        Each lies between two multiples of `longest_bytes`, so that large requests stay aligned.

        Args:
            longest_bytes: the length of most of them.
            start_bytes: what lies before it is left out.
            end_bytes: what lies from there on is left out; None for the end of the drive.
        """
        limit = self.end_bytes if end_bytes is None else end_bytes
        for run_start, run_end in self._runs():
            at, end = max(run_start, start_bytes), min(run_end, limit)
            while at < end:
                stop = min((at // longest_bytes + 1) * longest_bytes, end)
                yield at, stop
                at = stop

    def of_kind(self, kind: Kind) -> Iterator[Extent]:
        """All extents of one kind, ascending."""
        return (self[index] for index in np.flatnonzero(self.kinds == kind).tolist())

    def _runs(self) -> Iterator[tuple[int, int]]:
        """The longest ranges without a kept extent in them."""
        start = 0
        for kept in self.of_kind(Kind.KEEP):
            if start < kept.start_bytes:
                yield start, kept.start_bytes
            start = kept.end_bytes
        if start < self.end_bytes:
            yield start, self.end_bytes
