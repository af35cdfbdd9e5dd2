"""The real drive: a block device, or an image file that stands for one, past the page cache.

No policy lives here but one: whoever opens a device gets the very medium that was judged, alone, or
nothing.
"""

import errno
import fcntl
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NoReturn, Self

from station.device.buffer import aligned_buffer
from station.device.descriptor import Descriptor
from station.device.ioctl import blkgetdiskseq, blkgetsize64, blkroget, blksszget
from station.device.scsi import synchronize_cache
from station.device.transfer import READ_BEYOND, WRITE_BEYOND, require_transfer
from station.errors import OperatorError
from station.verdict import DriveRefusedError, RefusalReason

# udev holds a shared lock while it probes a new stick, which takes a moment; a lock that lasts is
# somebody else's (systemd.io, "Locking Block Device Access").
LOCK_WAIT_S = 5.0
_LOCK_POLL_S = 0.05

_OPEN_REFUSALS = {
    errno.EBUSY: RefusalReason.IN_USE,
    errno.EROFS: RefusalReason.WRITE_PROTECTED,
    errno.ENOENT: RefusalReason.CHANGED,
    errno.ENODEV: RefusalReason.CHANGED,
    errno.ENXIO: RefusalReason.CHANGED,
    errno.ENOMEDIUM: RefusalReason.CHANGED,
    # O_NOFOLLOW: since it was looked up, a link has taken the node's place.
    errno.ELOOP: RefusalReason.CHANGED,
}

_KIND_REMEDIES = {
    "block device": "`lsblk` lists the disks.",
    "regular file": "Name an image file.",
}


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
        is_device: bool,
        tail: Descriptor | None = None,
    ) -> None:
        self._descriptor = descriptor
        self._capacity_bytes = capacity_bytes
        self._sector_bytes = sector_bytes
        self._writable = writable
        self._tail = tail
        self._tail_start_bytes = capacity_bytes - capacity_bytes % sector_bytes
        self._is_device = is_device
        # A file has no SCSI cache of its own; fsync reaches the one of the disk that it lies on.
        self._takes_synchronize_cache = is_device

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
        path = os.path.realpath(node)
        access = os.O_RDWR if writable else os.O_RDONLY
        flags = access | os.O_DIRECT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NOCTTY
        with ExitStack() as on_failure:
            try:
                # Looked at first, because O_EXCL means nothing but on a block device, and opening
                # another kind of node can have effects of its own.
                _require_kind(path, Path(path).stat().st_mode, stat.S_ISBLK, "block device")
                fd = os.open(path, flags)
                on_failure.callback(os.close, fd)
                _require_kind(path, os.fstat(fd).st_mode, stat.S_ISBLK, "block device")
                _lock(fd, path, fcntl.LOCK_EX, wait_s=LOCK_WAIT_S)
                _require_judged_medium(fd, path, expected_diskseq, writable=writable)
                drive = cls(
                    Descriptor(fd),
                    capacity_bytes=blkgetsize64(fd),
                    sector_bytes=blksszget(fd),
                    writable=writable,
                    is_device=True,
                )
            except OSError as error:
                _refuse_device(path, error)
            on_failure.pop_all()
            return drive

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
        access = os.O_RDWR if writable else os.O_RDONLY
        # O_NONBLOCK does nothing to a file; without it a named pipe would hold us here.
        flags = access | os.O_DIRECT | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK
        with ExitStack() as on_failure:
            try:
                _require_kind(str(path), Path(path).stat().st_mode, stat.S_ISREG, "regular file")
                fd = os.open(path, flags)
            except OSError as error:
                raise _image_error(path, error) from error
            on_failure.callback(os.close, fd)
            status = os.fstat(fd)
            _require_kind(str(path), status.st_mode, stat.S_ISREG, "regular file")
            _lock(fd, str(path), fcntl.LOCK_EX if writable else fcntl.LOCK_SH, wait_s=0)
            _require_image_access(fd, path, status.st_size, sector_bytes)
            tail = None
            if status.st_size % sector_bytes:
                # Through /proc, since the path may lead to another file by now.
                tail = Descriptor(os.open(f"/proc/self/fd/{fd}", access | os.O_CLOEXEC))
            on_failure.pop_all()
            return cls(
                Descriptor(fd),
                capacity_bytes=status.st_size,
                sector_bytes=sector_bytes,
                writable=writable,
                is_device=False,
                tail=tail,
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
        with self._telling_of_removal():
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
        with self._telling_of_removal():
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
        with self._telling_of_removal(), self._descriptor.use() as fd:
            os.fsync(fd)
            if self._takes_synchronize_cache:
                self._takes_synchronize_cache = synchronize_cache(fd)

    def close(self) -> None:
        """Let go of the drive; a call under way in another thread does so when it returns."""
        self._descriptor.close()
        if self._tail:
            self._tail.close()

    @contextmanager
    def _telling_of_removal(self) -> Iterator[None]:
        """Turn whatever the kernel says of a medium that left into ENODEV.

        The errors differ with the moment: ENODEV or EIO from the transport, then ENOSPC for a write
        and an early end for a read, because a disk that is being removed has size 0
        (blk_mark_disk_dead in block/genhd.c). udev's notice may come seconds later.
        """
        try:
            yield
        except OSError as error:
            if self._is_device and error.errno != errno.EBADF and self._has_no_medium():
                raise OSError(errno.ENODEV, os.strerror(errno.ENODEV)) from error
            raise

    def _has_no_medium(self) -> bool:
        with self._descriptor.use() as fd:
            return blkgetsize64(fd) == 0

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


def _require_kind(path: str, mode: int, is_kind: Callable[[int], bool], kind: str) -> None:
    if not is_kind(mode):
        raise OperatorError(f"{path} is no {kind}", _KIND_REMEDIES[kind])


def _lock(fd: int, path: str, operation: int, *, wait_s: float) -> None:
    """Lock the open file, and wait a while for whoever has it.

    Raises:
        DriveRefusedError: IN_USE when it is still locked then.
    """
    deadline_s = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(fd, operation | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= deadline_s:
                raise DriveRefusedError(
                    RefusalReason.IN_USE, f"{path} is locked by another program"
                ) from error
            time.sleep(_LOCK_POLL_S)
        else:
            return


def _require_judged_medium(
    fd: int, path: str, expected_diskseq: int | None, *, writable: bool
) -> None:
    """Pass the open device when it holds the medium that was judged, and takes writes.

    Raises:
        DriveRefusedError: for any other.
    """
    if blkgetsize64(fd) == 0:
        raise DriveRefusedError(RefusalReason.CHANGED, f"{path} holds no medium")
    if expected_diskseq is not None and (found := blkgetdiskseq(fd)) != expected_diskseq:
        raise DriveRefusedError(
            RefusalReason.CHANGED,
            f"{path} is disk {found} by now, disk {expected_diskseq} was judged",
        )
    # Not every driver refuses the open itself: loop does not.
    if writable and blkroget(fd):
        raise DriveRefusedError(RefusalReason.WRITE_PROTECTED, f"{path} is read-only")


def _require_image_access(fd: int, path: str | Path, size_bytes: int, sector_bytes: int) -> None:
    """Pass an open file that has a size and can be read sector by sector.

    Raises:
        OperatorError: for any other; a host disk with larger sectors is found here, and not by the
            first write.
    """
    if size_bytes == 0:
        raise OperatorError(f"{path} is empty", "Give it a size: truncate -s 8GB FILE.")
    sector = aligned_buffer(sector_bytes)
    try:
        os.preadv(fd, [sector], 0)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        raise OperatorError(
            f"{path} can't be read past the page cache in sectors of {sector_bytes} bytes",
            "The disk under it has larger ones: keep the image on another disk.",
        ) from error


def _drop_pages(fd: int) -> None:
    """Have the page cache forget the file; only what was written out can be forgotten."""
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)


def _refuse_device(path: str, error: OSError) -> NoReturn:
    """Tell what a failed open means.

    Raises:
        DriveRefusedError: when the drive is in use, locked or gone.
        OperatorError: when access is not permitted.
        OSError: `error` itself when it is none of these.
    """
    if reason := _OPEN_REFUSALS.get(error.errno or 0):
        raise DriveRefusedError(reason, f"{path}: {error.strerror}") from error
    if isinstance(error, PermissionError):
        raise OperatorError(
            f"{path} may not be opened", "Run as root, or join the group that owns it (disk)."
        ) from error
    raise error


def _image_error(path: str | Path, error: OSError) -> OperatorError:
    remedies = {
        errno.ENOENT: "Create it first: truncate -s 8GB FILE.",
        errno.EINVAL: "Its file system has no direct I/O: keep the image on another one.",
    }
    return OperatorError(
        f"{path} can't be opened: {error.strerror}", remedies.get(error.errno or 0, "")
    )
