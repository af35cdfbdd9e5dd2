"""An open file that one thread may close while another uses it."""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock


class Descriptor:
    """Owns one open file; its number is given back only when nobody uses it any more.

    A stick that hangs holds its thread inside a system call for minutes, and whoever gives up on it
    closes the drive meanwhile. If the number were freed at once, the kernel would hand it to the
    next drive that is opened, and the hung thread, once back, would go on writing there. So `close`
    only bars the door, and the last user to leave closes the file.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._lock = Lock()
        self._users = 0
        self._closed = False

    @contextmanager
    def use(self) -> Iterator[int]:
        """Lend the number for as long as the block lasts.

        Raises:
            OSError: EBADF after `close`.
        """
        with self._lock:
            self._require_open()
            self._users += 1
        try:
            yield self._fd
        finally:
            with self._lock:
                self._users -= 1
                last = self._closed and self._users == 0
            if last:
                os.close(self._fd)

    def write_all(self, offset_bytes: int, data: memoryview) -> None:
        """Write all of `data`, however many calls the kernel takes for it.

        Raises:
            OSError: the kernel's; ENOSPC when it takes no more; EBADF after `close`.
        """
        self._transfer(os.pwrite, offset_bytes, data, errno.ENOSPC)

    def read_all(self, offset_bytes: int, into: memoryview) -> None:
        """Fill all of `into`, however many calls the kernel takes for it.

        Raises:
            OSError: the kernel's; EIO when it gives no more; EBADF after `close`.
        """
        self._transfer(_read_into, offset_bytes, into, errno.EIO)

    def close(self) -> None:
        """Bar further use, and close the file as soon as nobody uses it; never waits."""
        with self._lock:
            last = not self._closed and self._users == 0
            self._closed = True
        if last:
            os.close(self._fd)

    def _transfer(
        self,
        call: Callable[[int, memoryview, int], int],
        offset_bytes: int,
        memory: memoryview,
        ended: int,
    ) -> None:
        done_bytes = 0
        with self.use() as fd:
            while done_bytes < memory.nbytes:
                self._require_open()
                count = call(fd, memory[done_bytes:], offset_bytes + done_bytes)
                if count == 0:
                    raise OSError(ended, f"the transfer ended at {offset_bytes + done_bytes}")
                done_bytes += count

    def _require_open(self) -> None:
        if self._closed:
            raise OSError(errno.EBADF, "the drive was closed")


def _read_into(fd: int, into: memoryview, offset_bytes: int) -> int:
    return os.preadv(fd, [into], offset_bytes)
