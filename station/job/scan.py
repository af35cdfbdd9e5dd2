"""The order in which drives take the same files, so that the station's disk reads them once.

A bundle may be larger than the memory, and drives are plugged in one after the other: each would
read it from the disk anew, behind what memory still holds. So a drive that begins while others are
under way begins where they are, and takes what it missed at the end. Databases know it as a shared
scan (Harizopoulos et al., "QPipe", SIGMOD 2005).
"""

import secrets
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Generator
from dataclasses import dataclass
from itertools import chain

import numpy as np

from station.content.source import Source
from station.image.extent import ExtentTable, Kind
from station.job.chunk import CHUNK_BYTES


@dataclass(slots=True, eq=False)
class _Place:
    """Where the load of one drive stands.

    Attributes:
        extents: what the drive is to hold.
        since_s: when its load began.
        at_bytes: where on the drive it is now.
        taken_bytes: how much it took since it began.
    """

    extents: ExtentTable
    since_s: float
    at_bytes: int = 0
    taken_bytes: int = 0

    def speed(self, now_s: float) -> float:
        """Bytes a second so far."""
        return self.taken_bytes / max(now_s - self.since_s, 1e-9)


class SharedScan:
    """Tells drives that load the same files where to begin; for any number of threads.

    No drive waits for another: those that are as fast stay together by themselves, and what one
    reads from the disk is in memory for the others.

    Args:
        source: the files.
        clock: seconds, monotonic.

    Attributes:
        source: the files.
    """

    def __init__(self, source: Source, clock: Callable[[], float] = time.monotonic) -> None:
        self.source = source
        self._clock = clock
        self._lock = threading.Lock()
        self._places: list[_Place] = []

    def spans(self, extents: ExtentTable) -> Generator[tuple[int, int], None, None]:
        """The ranges of one drive, in the order in which it is to be written.

        They are those of `ExtentTable.spans`, each once: from where the others are to the end of
        the files, from the beginning to there, then all that lies behind the files; ascending from
        the beginning to the end when nobody else is under way. Whoever stops early closes it.

        Args:
            extents: what the drive is to hold.

        Raises:
            SourceChangedError: when a file is not what the manifest lists.
        """
        files_end = _files_end(extents)
        start = self._meeting_point(extents, files_end)
        place = _Place(extents, self._clock(), start)
        with self._lock:
            self._places.append(place)
        try:
            for first, last in chain(
                extents.spans(CHUNK_BYTES, start, files_end), extents.spans(CHUNK_BYTES, 0, start)
            ):
                place.at_bytes = first
                yield first, last
                place.taken_bytes += last - first
        finally:
            with self._lock:
                self._places.remove(place)
        yield from extents.spans(CHUNK_BYTES, files_end)

    def _meeting_point(self, extents: ExtentTable, files_end: int) -> int:
        """Where to begin: in the last quarter of what memory holds around those under way.

        What lies before has to be read once more, but who begins further back sees others drive out
        of memory what it needs next. Measured with `scripts/bench source`.
        """
        with self._lock:
            places = list(self._places)
        if not places:
            return 0
        # One that is much slower or faster than most is soon alone, and so would be who joins it.
        now_s = self._clock()
        other = sorted(places, key=lambda place: place.speed(now_s))[len(places) // 2]
        for piece in other.extents.pieces(other.at_bytes, other.at_bytes + CHUNK_BYTES):
            if piece.kind is Kind.FILE:
                same = (extents.kinds == Kind.FILE) & (extents.refs == piece.ref)
                here = int(extents.starts_bytes[same][0]) + piece.skipped_bytes
                held = self._held_around(extents, here // CHUNK_BYTES, files_end // CHUNK_BYTES)
                if held != (0, files_end // CHUNK_BYTES):
                    return (held[0] + 3 * held[1]) // 4 * CHUNK_BYTES
        return 0

    def _held_around(self, extents: ExtentTable, here: int, end: int) -> tuple[int, int]:
        """The run of chunks around one that are in memory: the first, and the first behind it.

        It is halved into, for many files are many questions.
        """

        def is_held(chunk: int) -> bool:
            # Anywhere in it, since the kernel may fetch the page that it was asked for in vain.
            at = chunk * CHUNK_BYTES + secrets.randbelow(CHUNK_BYTES)
            return all(
                self.source.is_in_memory(piece.ref, piece.skipped_bytes)
                for piece in extents.pieces(at, at + 1)
                if piece.kind is Kind.FILE
            )

        first = bisect_left(range(here), 1, key=is_held)
        return first, bisect_left(range(end), 0, here, key=lambda chunk: -is_held(chunk))


def _files_end(extents: ExtentTable) -> int:
    """Where the last file ends, rounded up to whole chunks."""
    files = np.flatnonzero(extents.kinds == Kind.FILE)
    return -(-extents[int(files[-1])].end_bytes // CHUNK_BYTES) * CHUNK_BYTES if len(files) else 0
