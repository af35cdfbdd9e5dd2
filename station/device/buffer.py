"""Memory that direct I/O accepts."""

import mmap


def aligned_buffer(length_bytes: int) -> memoryview:
    """A zeroed, writable buffer that starts on a page, as O_DIRECT demands of memory."""
    return memoryview(mmap.mmap(-1, length_bytes))
