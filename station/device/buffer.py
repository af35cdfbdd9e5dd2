"""Memory that direct I/O accepts."""

import mmap

import numpy as np


def aligned_buffer(length_bytes: int) -> memoryview:
    """A zeroed, writable buffer that starts on a page, as O_DIRECT demands of memory."""
    return memoryview(mmap.mmap(-1, length_bytes))


def require_aligned_memory(memory: memoryview, alignment_bytes: int) -> None:
    """Pass memory that starts on a multiple of the alignment.

    The memory itself is not touched: it may map a file that was cut short.

    Raises:
        ValueError: for any other; the kernel would only say EINVAL.
    """
    if memory.nbytes == 0:
        return
    address = np.frombuffer(memory, dtype=np.uint8).ctypes.data
    if address % alignment_bytes:
        raise ValueError(f"memory at {address:#x} is not aligned to {alignment_bytes} bytes")
