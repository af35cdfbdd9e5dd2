"""Opening a drive: whoever opens one gets the very medium that was judged, alone, or nothing."""

import errno
import fcntl
import os
import stat
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from station.device.buffer import aligned_buffer
from station.device.ioctl import blkgetdiskseq, blkgetsize64, blkroget, blksszget
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


@dataclass(frozen=True, slots=True)
class Opened:
    """A drive that is open past the page cache, and locked.

    Attributes:
        fd: its descriptor; the caller closes it.
        capacity_bytes: size of the medium or file.
        sector_bytes: logical sector size.
        diskseq: sequence number of the medium of a device; None for a file.
        tail_fd: the same file once more, through the page cache, when its size is no multiple of a
            sector; the caller closes it.
    """

    fd: int
    capacity_bytes: int
    sector_bytes: int
    diskseq: int | None = None
    tail_fd: int | None = None


def open_device(node: str | Path, expected_diskseq: int | None, *, writable: bool) -> Opened:
    """As `DirectDrive.open_device`, which has the arguments and the errors."""
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
            # Once: what is compared now is what later transfers are held to.
            diskseq = blkgetdiskseq(fd)
            if expected_diskseq is not None:
                _require_same_medium(path, diskseq, expected_diskseq)
            _require_usable_medium(fd, path, writable=writable)
            opened = Opened(fd, blkgetsize64(fd), blksszget(fd), diskseq)
        except OSError as error:
            _refuse_device(path, error)
        on_failure.pop_all()
        return opened


def open_image(path: str | Path, sector_bytes: int, *, writable: bool) -> Opened:
    """As `DirectDrive.open_image`, which has the arguments and the errors."""
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
        tail_fd = None
        if status.st_size % sector_bytes:
            # Through /proc, since the path may lead to another file by now.
            tail_fd = os.open(f"/proc/self/fd/{fd}", access | os.O_CLOEXEC)
        on_failure.pop_all()
        return Opened(fd, status.st_size, sector_bytes, tail_fd=tail_fd)


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


def _require_same_medium(path: str, diskseq: int, judged: int) -> None:
    """Pass the medium that was judged.

    Raises:
        DriveRefusedError: for any other.
    """
    if diskseq != judged:
        raise DriveRefusedError(
            RefusalReason.CHANGED, f"{path} is disk {diskseq} by now, disk {judged} was judged"
        )


def _require_usable_medium(fd: int, path: str, *, writable: bool) -> None:
    """Pass an open device that holds a medium, and takes writes if it is to be written to.

    Raises:
        DriveRefusedError: for any other.
    """
    if blkgetsize64(fd) == 0:
        raise DriveRefusedError(RefusalReason.CHANGED, f"{path} holds no medium")
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
