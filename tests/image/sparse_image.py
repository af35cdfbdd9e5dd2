"""Images as sparse files: zeros become holes, so that 128 GB take a few megabytes of disk."""

import os
from collections.abc import Callable
from pathlib import Path

from station.image.extent import Extent, Kind
from station.image.image import Image

_CHUNK_BYTES = 1 << 20
_COPY_BYTES = 1 << 20

Content = Callable[[int], bytes]
"""From the index of a file to its bytes; a shorter answer is followed by zeros."""


def write_sparse(image: Image, path: Path, content: Content) -> None:
    """Write a whole image, seal included, to a file of the drive's capacity."""
    with path.open("wb") as file:
        file.truncate(image.capacity_bytes)
        for extent in image.extents:
            _write_extent(file.fileno(), image, extent, content)


def _write_extent(descriptor: int, image: Image, extent: Extent, content: Content) -> None:
    match extent.kind:
        case Kind.SEAL:
            os.pwrite(descriptor, image.seal, 0)
        case Kind.BLOCK:
            block = image.blocks[extent.ref]
            assert block.length_bytes == extent.length_bytes
            for at in range(0, extent.length_bytes, _CHUNK_BYTES):
                chunk = block.render(at, min(_CHUNK_BYTES, extent.length_bytes - at)).tobytes()
                if chunk.strip(b"\0"):
                    os.pwrite(descriptor, chunk, extent.start_bytes + at)
        case Kind.FILE:
            data = content(extent.ref)
            assert len(data) <= extent.length_bytes
            os.pwrite(descriptor, data, extent.start_bytes)
        case Kind.FILL:
            assert extent.ref == 0, "a hole can only stand for zeros"
        case Kind.KEEP:
            pass


def copy_out(image: Path, offset_bytes: int, length_bytes: int, target: Path) -> None:
    """Copy a range of a sparse file into a file of its own, holes as holes."""
    source = os.open(image, os.O_RDONLY)
    copy = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.ftruncate(copy, length_bytes)
        end = offset_bytes + length_bytes
        at = offset_bytes
        while (at := _next_data(source, at, end)) < end:
            hole = min(os.lseek(source, at, os.SEEK_HOLE), end)
            while at < hole:
                data = os.pread(source, min(_COPY_BYTES, hole - at), at)
                os.pwrite(copy, data, at - offset_bytes)
                at += len(data)
    finally:
        os.close(source)
        os.close(copy)


def _next_data(descriptor: int, at: int, end: int) -> int:
    try:
        return os.lseek(descriptor, at, os.SEEK_DATA)
    except OSError:  # ENXIO: nothing but a hole up to the end
        return end
