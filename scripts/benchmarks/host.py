"""The machine below a virtual one."""

import mmap
from contextlib import suppress

from psutil import virtual_memory

from station.units import MIB

_BLOCK_BYTES = 64 * MIB
# Several times what they need: which of the free pages they get is the kernel's choice.
_A_FEW_JOBS_BYTES = 1024 * MIB


def have_memory(total_bytes: int = _A_FEW_JOBS_BYTES) -> None:
    """Touch and give back free memory, so that the next who asks for as much has it at once.

    A virtual machine may get its memory from its host page by page, on the first touch, and give
    back after a few seconds what it doesn't use (free page reporting). On the machine of
    `docs/speed.md` new memory then comes at 0.4 GB/s in place of 10: the memory of a job takes as
    long as a part of its passes. That is no property of the station, nor of its peers.

    Args:
        total_bytes: how much; at most half of what is free.
    """
    blocks = []
    for _ in range(0, min(total_bytes, virtual_memory().available // 2), _BLOCK_BYTES):
        memory = mmap.mmap(-1, _BLOCK_BYTES, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        # EINVAL: a kernel that has no huge pages.
        with suppress(OSError):
            memory.madvise(mmap.MADV_HUGEPAGE)
        memory[:: mmap.PAGESIZE] = bytes(_BLOCK_BYTES // mmap.PAGESIZE)
        blocks.append(memory)
    for memory in blocks:
        memory.close()
