"""The partitions of a disk that was just written, as the kernel and everybody else see them.

The kernel reads a partition table when it is told to, which takes root. udev does so for whoever
closes a disk that was open for writing: systemd-udevd watches the nodes with inotify. It misses a
closing while it is at work on the disk, since it takes its watch off meanwhile, and it gives up
when one of its own workers has the disk locked; both happen on a busy machine. Another closing is
another chance.

Source: systemd, src/udev/udevd.c (on_inotify, synthesize_change) and src/udev/udev-watch.c.
"""

import os
import time
from pathlib import Path

from station.device.sysfs import SYSFS, BlockDisk, read_disk

_POLL_S = 0.1
_LOOKS_A_CLOSING = 20
_LOOKS = 5 * _LOOKS_A_CLOSING


def show_partitions(disk_name: str, diskseq: int | None, sysfs: Path = SYSFS) -> bool:
    """Wait until the kernel knows the partitions of a disk that was closed; nothing is written.

    Args:
        disk_name: kernel name of the disk.
        diskseq: sequence number of its medium.
        sysfs: where sysfs is mounted.

    Returns:
        Whether there are any by now. Not when the medium left, and not when udev is of no help.
    """
    try:
        for look in range(1, _LOOKS + 1):
            disk = read_disk(disk_name, sysfs)
            if disk.partitions or disk.diskseq != diskseq:
                return disk.diskseq == diskseq
            if look % _LOOKS_A_CLOSING == 0:
                _close_once_more(disk)
            time.sleep(_POLL_S)
    except OSError:
        # It was pulled, as it should be after a pass.
        return False
    return False


def _close_once_more(disk: BlockDisk) -> None:
    os.close(os.open(disk.node, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW))
