"""What a transfer must be like before any drive takes it."""

import errno

from station.device.buffer import require_aligned_memory

# What the kernel says past the end of a block device: no space for a write, and for a read nothing
# at all, which is no answer to a caller who wants all of it.
WRITE_BEYOND = errno.ENOSPC
READ_BEYOND = errno.EIO


def require_transfer(
    memory: memoryview, offset_bytes: int, *, sector_bytes: int, capacity_bytes: int, beyond: int
) -> None:
    """Pass a transfer of whole sectors inside of the drive, from or to memory that is aligned.

    Only the end of the drive may lie within a sector.

    Args:
        memory: what is to be written, or filled.
        offset_bytes: where on the drive.
        sector_bytes: logical sector size of the drive.
        capacity_bytes: size of the drive.
        beyond: errno for what reaches past the end.

    Raises:
        ValueError: when it is not aligned; that is the caller's mistake, no fault of the drive.
        OSError: `beyond`, before anything was transferred.
    """
    require_aligned_memory(memory, sector_bytes)
    end_bytes = offset_bytes + memory.nbytes
    partial = end_bytes % sector_bytes != 0 and end_bytes != capacity_bytes
    if offset_bytes < 0 or offset_bytes % sector_bytes or partial:
        raise ValueError(
            f"a transfer of {memory.nbytes} bytes at {offset_bytes} is not in whole sectors of "
            f"{sector_bytes} bytes"
        )
    if end_bytes > capacity_bytes:
        raise OSError(
            beyond,
            f"{memory.nbytes} bytes at {offset_bytes} reach past the end at {capacity_bytes}",
        )
