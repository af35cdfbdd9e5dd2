"""The verification: the drive is read back and held against its image."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

import numpy as np
from blake3 import blake3

from station.device.drive import Drive
from station.image.extent import Kind, Piece
from station.image.image import Image
from station.job.ahead import Ahead
from station.job.chunk import CHUNK_BYTES, Buffers


class MismatchError(Exception):
    """The drive holds something else than its image.

    Attributes:
        offset_bytes: where on the drive; for a file, where it begins.
        file: index of the file that differs; None when it is no file.
    """

    def __init__(self, what: str, offset_bytes: int, file: int | None = None) -> None:
        super().__init__(f"{what} at byte {offset_bytes}")
        self.offset_bytes = offset_bytes
        self.file = file


class Checker:
    """Holds what was read against an image, piece by piece in ascending order.

    Args:
        image: what the drive is to hold.
        digests: BLAKE3 of each file that the image refers to.
        sector_0: what sector 0 is to hold at this moment.
    """

    def __init__(self, image: Image, digests: Sequence[bytes], sector_0: bytes) -> None:
        self._image = image
        self._digests = digests
        self._sector_0 = sector_0
        self._hasher = blake3()

    def check(self, start_bytes: int, data: memoryview) -> None:
        """Check what was read from `start_bytes` on.

        Raises:
            MismatchError: when it is not what the image says.
        """
        for piece in self._image.extents.pieces(start_bytes, start_bytes + len(data)):
            at = piece.start_bytes - start_bytes
            self._check_piece(piece, data[at : at + piece.length_bytes])

    def _check_piece(self, piece: Piece, data: memoryview) -> None:
        match piece.kind:
            case Kind.FILE:
                self._check_file(piece, data)
            case Kind.FILL:
                _require_fill(piece, data)
            case Kind.BLOCK:
                block = self._image.blocks[piece.ref]
                expected = block.render(piece.skipped_bytes, piece.length_bytes)
                _require_equal(piece, data, expected, "the file system's own data differ")
            case Kind.SEAL:
                _require_equal(piece, data, memoryview(self._sector_0), "sector 0 differs")
            case Kind.KEEP:
                pass

    def _check_file(self, piece: Piece, data: memoryview) -> None:
        if piece.skipped_bytes == 0:
            self._hasher = blake3()
        self._hasher.update(data)
        if piece.is_last and self._hasher.digest() != self._digests[piece.ref]:
            offset_bytes = piece.start_bytes - piece.skipped_bytes
            raise MismatchError("a file's content differs", offset_bytes, piece.ref)


def verify(
    checker: Checker, spans: Iterable[tuple[int, int]], drive: Drive, buffers: Buffers
) -> None:
    """Read ranges of a drive, past every cache, and check them.

    Args:
        checker: what they are to hold.
        spans: ranges as (start, end), ascending, none longer than a chunk, whole files only.
        drive: the drive.
        buffers: memory for the pass.

    Raises:
        MismatchError: when a range holds something else.
        OSError: when the drive fails.
    """
    free = list(buffers)
    with Ahead[None]() as ahead:
        for start_bytes, end_bytes in spans:
            data = free[0][: end_bytes - start_bytes]
            drive.read(start_bytes, data)
            # Only one range is checked at a time: the hash of a file goes on from one to the next.
            if ahead.is_busy:
                ahead.wait()
            ahead.start(partial(checker.check, start_bytes, data))
            free.reverse()
        if ahead.is_busy:
            ahead.wait()


def chunked(ranges: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Ranges cut so that none is longer than a chunk."""
    for start, end in ranges:
        for at in range(start, end, CHUNK_BYTES):
            yield at, min(at + CHUNK_BYTES, end)


def _require_fill(piece: Piece, data: memoryview) -> None:
    words_end = len(data) // 8 * 8
    word = np.uint64(int.from_bytes(bytes([piece.ref]) * 8, "little"))
    words = np.frombuffer(data[:words_end], np.uint64)
    rest = bytes(data[words_end:])
    # The largest word is found almost twice as fast as any word that is not zero.
    same = words.max(initial=0) == 0 if piece.ref == 0 else bool((words == word).all())
    if not same or rest.count(piece.ref) != len(rest):
        expected = memoryview(bytes([piece.ref]) * len(data))
        _require_equal(piece, data, expected, f"not erased to {piece.ref:#04x}")


def _require_equal(piece: Piece, data: memoryview, expected: memoryview, what: str) -> None:
    found = np.frombuffer(data, np.uint8)
    wanted = np.frombuffer(expected, np.uint8)
    if not np.array_equal(found, wanted):
        first = int(np.flatnonzero(found != wanted)[0])
        raise MismatchError(what, piece.start_bytes + first)
