"""Memory that direct I/O accepts."""

import mmap
from contextlib import suppress

import numpy as np

from station.units import MIB

# Of x86, and of arm64 with pages of 4 KiB.
_HUGE_PAGE_BYTES = 2 * MIB
# include/uapi/asm-generic/mman-common.h; mmap has no name for it.
_MADV_WIPEONFORK = 18


def aligned_buffer(length_bytes: int, *, is_read_into: bool = True) -> memoryview:
    """A zeroed, writable buffer that starts on a page, as O_DIRECT demands of memory.

    A large one has huge pages where the kernel has them: direct I/O looks up and pins each page.

    Args:
        length_bytes: how long it is to be.
        is_read_into: whether drives are read into it. A process that is forked finds zeros there
            then: from private pages that both have, direct reads can get lost (open(2), NOTES).
    """
    memory = mmap.mmap(-1, length_bytes, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if is_read_into:
        memory.madvise(_MADV_WIPEONFORK)
    if length_bytes >= _HUGE_PAGE_BYTES:
        # EINVAL: a kernel that has none.
        with suppress(OSError):
            memory.madvise(mmap.MADV_HUGEPAGE)
    return memoryview(memory)


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
