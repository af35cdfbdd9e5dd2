"""Reads the files of bundles while they are loaded, and notices when they are not what was listed.

One source serves all drives at once; all methods may be called from any thread.
"""

import errno
import mmap
import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from blake3 import blake3

from station.content.locate import ContentFolder
from station.content.selection import SelectedFile
from station.errors import StationFaultError
from station.text import printable
from station.units import MIB

# From this size on a file is mapped, and goes to the drives straight out of the page cache.
SMALLEST_MAPPED_BYTES = 4 * MIB
_MOST_MAPPINGS = 64
_REREAD_BYTES = 4 * MIB
# The kernel fetches no more at once than the disk takes in one request (force_page_cache_ra in
# mm/readahead.c), whatever it is asked for; few disks take less.
_FETCHED_BYTES = MIB
# What the kernel says when it is the station that asks for too much.
_OWN_LIMITS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})


class SourceChangedError(Exception):
    """A file of a bundle is no longer what the manifest lists: no drive is to blame."""


@dataclass(frozen=True, slots=True)
class _Mapping:
    """A mapped file, and which one it is: the mapping keeps its inode from being used again."""

    memory: mmap.mmap
    device: int
    inode: int


class Source:
    """The files of one selection, by their index.

    Args:
        files: what the drives are to hold.
    """

    def __init__(self, files: Sequence[SelectedFile]) -> None:
        self.files = files
        self._lock = threading.Lock()
        self._folders: dict[Path, ContentFolder] = {}
        self._mappings: OrderedDict[int, _Mapping] = OrderedDict()

    def read_into(self, index: int, offset_bytes: int, into: memoryview) -> None:
        """Fill all of `into` from a file.

        Raises:
            SourceChangedError: when the file can't be read, or has another size than was listed.
        """
        descriptor = self._open(index)
        try:
            done = 0
            while done < len(into):
                count = os.preadv(descriptor, [into[done:]], offset_bytes + done)
                if count == 0:
                    raise SourceChangedError(f"{self.name(index)} became shorter")
                done += count
        except OSError as error:
            raise SourceChangedError(
                f"{self.name(index)} can't be read: {error.strerror}"
            ) from error
        finally:
            os.close(descriptor)

    def mapping(self, index: int, offset_bytes: int = 0, length_bytes: int = 0) -> mmap.mmap | None:
        """A read-only mapping of a large file; None for a small one.

        The kernel begins to fetch what is needed of it, so that no drive waits for the disk later.

        Its memory must only be handed to the kernel: touching it would end the process with a bus
        error once the file is shortened, where a system call just fails with EFAULT.

        Raises:
            SourceChangedError: as `read_into`.
        """
        size_bytes = self.files[index].entry.size_bytes
        if size_bytes < SMALLEST_MAPPED_BYTES:
            return None
        # Opened each time, for the path may lead to another file by now.
        descriptor = self._open(index)
        try:
            for at in range(offset_bytes, offset_bytes + length_bytes, _FETCHED_BYTES):
                os.posix_fadvise(descriptor, at, _FETCHED_BYTES, os.POSIX_FADV_WILLNEED)
            status = os.fstat(descriptor)
            with self._lock:
                found = self._mappings.get(index)
                if found and (found.device, found.inode) == (status.st_dev, status.st_ino):
                    self._mappings.move_to_end(index)
                    return found.memory
            mapped = mmap.mmap(descriptor, size_bytes, mmap.MAP_SHARED, mmap.PROT_READ)
        except (OSError, ValueError) as error:
            raise SourceChangedError(f"{self.name(index)} can't be mapped: {error}") from error
        finally:
            os.close(descriptor)
        with self._lock:
            self._mappings[index] = _Mapping(mapped, status.st_dev, status.st_ino)
            self._mappings.move_to_end(index)
            # What drops out is unmapped when the last drive that writes from it lets go of it.
            while len(self._mappings) > _MOST_MAPPINGS:
                self._mappings.popitem(last=False)
        return mapped

    def is_in_memory(self, index: int, offset_bytes: int) -> bool:
        """Whether a byte of a file could be had without reading the disk; False if nobody knows.

        Raises:
            SourceChangedError: as `read_into`.
        """
        descriptor = self._open(index)
        try:
            # Whoever asks next asks for another page: the kernel may fetch one that it lacks.
            return os.preadv(descriptor, [bytearray(1)], offset_bytes, os.RWF_NOWAIT) == 1
        except OSError:
            # EAGAIN when it is on the disk; EOPNOTSUPP from file systems that can't tell.
            return False
        finally:
            os.close(descriptor)

    def require_unchanged(self, index: int, since_ns: int) -> None:
        """Hash a file anew, to tell a changed source from a bad drive.

        Args:
            index: the file.
            since_ns: wall clock; a file whose status changed later may have been another one in
                between, even when its content is right by now.

        Raises:
            SourceChangedError: when the file is not, or may not have been, what was listed.
        """
        descriptor = self._open(index)
        try:
            if os.fstat(descriptor).st_ctime_ns >= since_ns:
                raise SourceChangedError(f"{self.name(index)} was changed during the run")
            hasher = blake3()
            while data := os.read(descriptor, _REREAD_BYTES):
                hasher.update(data)
        except OSError as error:
            raise SourceChangedError(
                f"{self.name(index)} can't be read: {error.strerror}"
            ) from error
        finally:
            os.close(descriptor)
        if hasher.digest() != self.files[index].blake3:
            raise SourceChangedError(
                f"{self.name(index)} has another content than its manifest says"
            )

    def name(self, index: int) -> str:
        """A file as people find it on the station, safe to show."""
        file = self.files[index]
        return printable(str(file.folder / file.path))

    def close(self) -> None:
        """Let go of all folders and files."""
        with self._lock:
            self._mappings.clear()
            for folder in self._folders.values():
                folder.close()
            self._folders.clear()

    def _open(self, index: int) -> int:
        file = self.files[index]
        try:
            descriptor = self._folder(file.folder).open(file.path)
            size_bytes = os.fstat(descriptor).st_size
        except OSError as error:
            problem = f"{self.name(index)} can't be opened: {error.strerror}"
            if error.errno in _OWN_LIMITS:
                raise StationFaultError(problem, "Raise the limit, or run fewer drives.") from error
            raise SourceChangedError(problem) from error
        if size_bytes != file.entry.size_bytes:
            os.close(descriptor)
            raise SourceChangedError(
                f"{self.name(index)} has {size_bytes} bytes, its manifest says"
                f" {file.entry.size_bytes}"
            )
        return descriptor

    def _folder(self, path: Path) -> ContentFolder:
        with self._lock:
            if path not in self._folders:
                self._folders[path] = ContentFolder(path)
            return self._folders[path]
