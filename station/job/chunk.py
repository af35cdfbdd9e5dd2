"""The unit of transfer, and how each piece of an image gets its bytes."""

from functools import lru_cache

import numpy as np

from station.content.source import Source
from station.device.buffer import aligned_buffer
from station.image.extent import Kind, Piece
from station.image.image import Image
from station.units import MIB

# Large enough that a command's overhead does not show on any stick, small enough that a volunteer
# sees progress on the slowest and that tens of drives need little memory.
CHUNK_BYTES = 4 * MIB

Buffers = tuple[memoryview, memoryview]
"""Aligned memory for two chunks: the drive has one while the other is put together or checked."""


def chunk_buffers() -> Buffers:
    """Buffers for the passes of one job, one pass after the other.

    The kernel clears new memory before anybody gets it, which takes as long as a good part of a
    pass over a fast drive: so the passes share them.
    """
    return aligned_buffer(CHUNK_BYTES), aligned_buffer(CHUNK_BYTES)


class Assembler:
    """Puts together what is to be written, one chunk at a time.

    Args:
        image: what the drive is to hold.
        source: the files that the image refers to.
    """

    def __init__(self, image: Image, source: Source) -> None:
        self._image = image
        self._source = source

    def assemble(self, start_bytes: int, end_bytes: int, staging: memoryview) -> memoryview:
        """The bytes between two offsets of the drive, sector 0 as zeros.

        Args:
            start_bytes: where the chunk begins.
            end_bytes: where it ends, at most the length of `staging` later.
            staging: aligned memory to put the chunk together in, when it is not at hand as it is.

        Returns:
            Aligned memory: part of `staging`, of a shared constant, or of a mapped file, which must
            only be handed to the kernel.

        Raises:
            SourceChangedError: when a file is not what the manifest lists.
        """
        pieces = list(self._image.extents.pieces(start_bytes, end_bytes))
        if len(pieces) == 1 and (whole := self._at_hand(pieces[0])) is not None:
            return whole
        for piece in pieces:
            at = piece.start_bytes - start_bytes
            self._render(piece, staging[at : at + piece.length_bytes])
        return staging[: end_bytes - start_bytes]

    def _at_hand(self, piece: Piece) -> memoryview | None:
        """A piece that exists in memory already."""
        if piece.kind is Kind.FILL:
            return _constant(piece.ref)[: piece.length_bytes]
        if piece.kind is Kind.FILE:
            start, length = piece.skipped_bytes, piece.length_bytes
            mapping = self._source.mapping(piece.ref, start, length)
            return None if mapping is None else memoryview(mapping)[start : start + length]
        return None

    def _render(self, piece: Piece, into: memoryview) -> None:
        match piece.kind:
            case Kind.SEAL:
                np.frombuffer(into, np.uint8)[:] = 0
            case Kind.FILL:
                np.frombuffer(into, np.uint8)[:] = piece.ref
            case Kind.BLOCK:
                block = self._image.blocks[piece.ref]
                into[:] = block.render(piece.skipped_bytes, piece.length_bytes)
            case Kind.FILE:
                self._source.read_into(piece.ref, piece.skipped_bytes, into)
            case Kind.KEEP:
                raise AssertionError("what is kept is never written")


@lru_cache(maxsize=4)
def _constant(value: int) -> memoryview:
    """A chunk of one byte value, shared by all drives."""
    buffer = aligned_buffer(CHUNK_BYTES, is_read_into=False)
    if value:
        np.frombuffer(buffer, np.uint8)[:] = value
    return buffer
