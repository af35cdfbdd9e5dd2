"""The kernel's block device ioctls under the header's names; each raises OSError, none decides.

Source of the numbers: include/uapi/linux/fs.h. The two that carry a size in their number are the
ones of a 64-bit machine.
"""

import fcntl
import struct

BLKROGET = 0x125E  # _IO(0x12, 94)
BLKSSZGET = 0x1268  # _IO(0x12, 104)
BLKGETSIZE64 = 0x80081272  # _IOR(0x12, 114, size_t), yet always a u64
BLKGETDISKSEQ = 0x80081280  # _IOR(0x12, 128, __u64); Linux 5.15

_INT = struct.Struct("=i")
_U64 = struct.Struct("=Q")


def blkroget(fd: int) -> bool:
    """Whether the block device refuses writes."""
    return _get(fd, BLKROGET, _INT) != 0


def blksszget(fd: int) -> int:
    """Logical sector size in bytes."""
    return _get(fd, BLKSSZGET, _INT)


def blkgetsize64(fd: int) -> int:
    """Size of the medium in bytes."""
    return _get(fd, BLKGETSIZE64, _U64)


def blkgetdiskseq(fd: int) -> int:
    """Sequence number of the very medium behind the descriptor; no two since boot share one."""
    return _get(fd, BLKGETDISKSEQ, _U64)


def _get(fd: int, request: int, layout: struct.Struct) -> int:
    value: int
    (value,) = layout.unpack(fcntl.ioctl(fd, request, bytes(layout.size)))
    return value
