"""The load: one pass that erases, formats and copies at once."""

from collections.abc import Callable
from contextlib import closing
from functools import partial

from station.device.drive import Drive
from station.image.image import Image
from station.job.ahead import Ahead
from station.job.chunk import Assembler, Buffers
from station.job.scan import SharedScan
from station.job.seal import clear_seal


def load(
    image: Image,
    scan: SharedScan,
    drive: Drive,
    buffers: Buffers,
    *,
    on_written: Callable[[int, int], None] = lambda _start_bytes, _end_bytes: None,
) -> None:
    """Write an image to a drive, sector 0 left zero, and empty the caches.

    Sector 0 is cleared and flushed before anything else, so that a drive that is pulled or loses
    power half-way is never taken for what it was before.

    Args:
        image: what the drive is to hold.
        scan: the files that the image refers to, and the drives that load them now; alone, a drive
            is written from its beginning to its end.
        drive: the drive.
        buffers: memory for the pass.
        on_written: told after each write from where to where it went.

    Raises:
        SourceChangedError: when a file is not what the manifest lists.
        DriveFailedError: `write_protected`, when writing has no effect.
        OSError: when the drive fails.
    """
    clear_seal(drive)
    assembler = Assembler(image, scan.source)
    stagings = list(buffers)
    with (
        closing(scan.spans(image.extents)) as spans,
        Ahead[memoryview]() as ahead,
    ):
        span = next(spans, None)
        if span is not None:
            ahead.start(partial(assembler.assemble, *span, stagings[0]))
        while span is not None:
            start_bytes = span[0]
            chunk = ahead.wait()
            stagings.reverse()
            span = next(spans, None)
            if span is not None:
                ahead.start(partial(assembler.assemble, *span, stagings[0]))
            drive.write(start_bytes, chunk)
            on_written(start_bytes, start_bytes + len(chunk))
    drive.flush()
