"""The real drive: a block device, or an image file that stands for one, past the page cache."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from station.device.descriptor import Descriptor
from station.device.ioctl import blkgetdiskseq, blkgetsize64
from station.device.opening import open_device, open_image
from station.device.scsi import synchronize_cache
from station.device.transfer import READ_BEYOND, WRITE_BEYOND, require_transfer


class DirectDrive:
    """A block device or image file, read and written with O_DIRECT.

    Neither reads nor writes go through the page cache, so `read` gives what the drive says and no
    BLKFLSBUF is needed after `flush`. The tail of an image file beyond its last whole sector, which
    O_DIRECT can't reach, goes through a second descriptor whose pages are written out and dropped
    each time.

    `close` may come from any thread and never waits: a call under way goes on to its next return
    from the kernel, and only then are descriptor and locks given up.
    """

    def __init__(  # noqa: PLR0913 - private in effect; the named constructors are the interface
        self,
        descriptor: Descriptor,
        *,
        capacity_bytes: int,
        sector_bytes: int,
        writable: bool,
        diskseq: int | None,
        tail: Descriptor | None = None,
    ) -> None:
        self._descriptor = descriptor
        self._capacity_bytes = capacity_bytes
        self._sector_bytes = sector_bytes
        self._writable = writable
        self._tail = tail
        self._tail_start_bytes = capacity_bytes - capacity_bytes % sector_bytes
        self._diskseq = diskseq  # None for a file
        # A file has no SCSI cache of its own; fsync reaches the one of the disk that it lies on.
        self._takes_synchronize_cache = diskseq is not None

    @classmethod
    def open_device(
        cls, node: str | Path, expected_diskseq: int | None = None, *, writable: bool = True
    ) -> Self:
        """Open a whole disk exclusively, and make sure that it is the one that was judged.

        Exclusively means: nobody has it or a partition of it mounted or claimed (O_EXCL), and udev
        does not probe it meanwhile (flock).

        Args:
            node: the device node, or a link to it.
            expected_diskseq: sequence number of the medium that was judged; None takes whatever
                medium is there.
            writable: whether to write to it.

        Raises:
            DriveRefusedError: IN_USE, WRITE_PROTECTED (only when writable), or CHANGED when another
                medium or none is there by now.
            OperatorError: when the node is no block device, or access is not permitted.
            OSError: when the kernel refuses for any other reason.
        """
        opened = open_device(node, expected_diskseq, writable=writable)
        return cls(
            Descriptor(opened.fd),
            capacity_bytes=opened.capacity_bytes,
            sector_bytes=opened.sector_bytes,
            writable=writable,
            diskseq=opened.diskseq,
        )

    @classmethod
    def open_image(
        cls, path: str | Path, sector_bytes: int = 512, *, writable: bool = True
    ) -> Self:
        """Open an existing image file in place of a drive; its size is the capacity.

        Args:
            path: the file.
            sector_bytes: the sector size of the drive that it stands for.
            writable: whether to write to it; a reader shares the file with other readers.

        Raises:
            DriveRefusedError: IN_USE when another station has it open.
            OperatorError: when it is missing, empty, no regular file, not permitted, or lies where
                it can't be reached past the page cache in sectors of that size.
        """
        opened = open_image(path, sector_bytes, writable=writable)
        return cls(
            Descriptor(opened.fd),
            capacity_bytes=opened.capacity_bytes,
            sector_bytes=opened.sector_bytes,
            writable=writable,
            diskseq=None,
            tail=None if opened.tail_fd is None else Descriptor(opened.tail_fd),
        )

    @property
    def capacity_bytes(self) -> int:
        """Size of the medium or file in bytes."""
        return self._capacity_bytes

    @property
    def sector_bytes(self) -> int:
        """Logical sector size in bytes."""
        return self._sector_bytes

    def write(self, offset_bytes: int, data: memoryview) -> None:
        """Write all of `data`, past the page cache.

        `data` may be a page-cache mapping of a source file: the kernel then reads it in place, and
        raises EFAULT where the file has become shorter.

        Raises:
            ValueError: when the transfer is not aligned.
            OSError: with the kernel's errno; ENOSPC past the end, ENODEV once the medium has left.
        """
        self._require_transfer(offset_bytes, data, WRITE_BEYOND)
        direct, rest = self._split(offset_bytes, data)
        with self._on_its_medium():
            self._descriptor.write_all(offset_bytes, direct)
        if self._tail and rest:
            self._tail.write_all(self._tail_start_bytes, rest)
            with self._tail.use() as fd:
                os.fdatasync(fd)
                _drop_pages(fd)

    def read(self, offset_bytes: int, into: memoryview) -> None:
        """Fill all of `into` from the medium, past the page cache.

        Raises:
            ValueError: when the transfer is not aligned.
            OSError: with the kernel's errno; EIO past the end, ENODEV once the medium has left.
        """
        self._require_transfer(offset_bytes, into, READ_BEYOND)
        direct, rest = self._split(offset_bytes, into)
        with self._on_its_medium():
            self._descriptor.read_all(offset_bytes, direct)
        if self._tail and rest:
            with self._tail.use() as fd:
                _drop_pages(fd)
            self._tail.read_all(self._tail_start_bytes, rest)

    def flush(self) -> None:
        """Return when what was written has left every cache that can be told to empty itself.

        That is fsync, then SYNCHRONIZE CACHE where the drive has that command; whether it has is
        asked once.

        Raises:
            OSError: when the drive failed; ENODEV once the medium has left.
        """
        if not self._writable:
            return
        with self._on_its_medium(), self._descriptor.use() as fd:
            os.fsync(fd)
            if self._takes_synchronize_cache:
                self._takes_synchronize_cache = synchronize_cache(fd)

    def close(self) -> None:
        """Let go of the drive; a call under way in another thread does so when it returns."""
        self._descriptor.close()
        if self._tail:
            self._tail.close()

    @contextmanager
    def _on_its_medium(self) -> Iterator[None]:
        """Keep a transfer from any other medium, and tell of one that left as ENODEV.

        In the slot of a card reader media change under an open descriptor, and once the kernel
        has noticed, transfers go to the new one. Until then they fail.

        What they fail with differs with the moment: ENODEV or EIO from the transport, then ENOSPC
        for a write and an early end for a read, because a disk that is being removed has size 0
        (blk_mark_disk_dead in block/genhd.c). udev's notice may come seconds later.
        """
        self._require_its_medium()
        try:
            yield
        except OSError as error:
            if error.errno != errno.EBADF and self._has_lost_its_medium():
                raise OSError(errno.ENODEV, os.strerror(errno.ENODEV)) from error
            raise

    def _require_its_medium(self) -> None:
        if self._diskseq is None:
            return
        with self._descriptor.use() as fd:
            if blkgetdiskseq(fd) != self._diskseq:
                raise OSError(errno.ENODEV, "another medium is there by now")

    def _has_lost_its_medium(self) -> bool:
        if self._diskseq is None:
            return False
        with self._descriptor.use() as fd:
            if blkgetsize64(fd) == 0:
                return True
            # A card leaves its reader behind. The kernel looks for it every two seconds, and now.
            is_there = _look_for_medium(fd)
            return not is_there or blkgetdiskseq(fd) != self._diskseq

    def _require_transfer(self, offset_bytes: int, memory: memoryview, beyond: int) -> None:
        require_transfer(
            memory,
            offset_bytes,
            sector_bytes=self._sector_bytes,
            capacity_bytes=self._capacity_bytes,
            beyond=beyond,
        )

    def _split(self, offset_bytes: int, memory: memoryview) -> tuple[memoryview, memoryview]:
        """Part what lies in whole sectors from what lies in the tail."""
        direct_bytes = self._tail_start_bytes - offset_bytes
        return memory[:direct_bytes], memory[direct_bytes:]


def _look_for_medium(fd: int) -> bool:
    """Have the kernel ask an open disk whether it still holds its medium, and tell.

    That is part of every opening (sd_open in drivers/scsi/sd.c). A change counts up the disk
    sequence number.
    """
    try:
        os.close(os.open(f"/proc/self/fd/{fd}", os.O_RDONLY | os.O_CLOEXEC))
    except OSError as error:
        return error.errno not in (errno.ENOMEDIUM, errno.ENXIO, errno.ENODEV)
    return True


def _drop_pages(fd: int) -> None:
    """Have the page cache forget the file; only what was written out can be forgotten."""
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
