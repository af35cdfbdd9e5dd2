"""BLAKE3 of many files on all cores."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Event, Lock

from blake3 import blake3

from station.content.locate import ContentFolder
from station.errors import OperatorError
from station.units import MIB

Progress = Callable[[int], None]
"""Is told how many more bytes were done: from any thread, but from one at a time."""

# Above 1 MiB the hash runs at full speed, and larger reads keep a disk's heads from wandering.
_READ_BYTES = 4 * MIB
# From here on one file is worth all cores; below, the files themselves are spread over them.
_LARGE_FILE_BYTES = 64 * MIB


class FileChangedError(OperatorError):
    """A file of a bundle that is not what it was, or can't be read any more.

    Attributes:
        path: the file's path in the bundle.
    """

    def __init__(self, path: str, problem: str) -> None:
        self.path = path
        super().__init__(f"{path!r} {problem}", "Let nothing write to the folder and run it again.")


@dataclass(frozen=True, slots=True)
class HashedFile:
    """A file that was read from end to end.

    Attributes:
        path: relative to the bundle's folder.
        size: bytes that were read.
        blake3: digest, 64 lower-case hexadecimal digits.
    """

    path: str
    size: int
    blake3: str


def no_progress(_: int) -> None:
    """Take no notice."""


def hash_files(
    folder: ContentFolder, paths: Sequence[str], progress: Progress = no_progress
) -> list[HashedFile]:
    """Hash files on all cores.

    Args:
        folder: where the files are.
        paths: which to hash.
        progress: told of every read.

    Returns:
        One result for each path, in the order of the paths.

    Raises:
        FileChangedError: when a file changes while it is read, or can't be read; the rest is not
            hashed.
    """
    return _Hashing(folder, paths, progress).run()


class _Hashing:
    """One run over a list of files, shared by its threads."""

    def __init__(self, folder: ContentFolder, paths: Sequence[str], progress: Progress) -> None:
        self._folder = folder
        self._queue = iter(enumerate(paths))
        self._results: list[HashedFile | None] = [None] * len(paths)
        self._progress = progress
        self._queue_lock = Lock()
        self._progress_lock = Lock()
        self._stop = Event()

    def run(self) -> list[HashedFile]:
        workers = max(1, min(len(os.sched_getaffinity(0)), len(self._results)))
        with ThreadPoolExecutor(workers, "hash") as pool:
            try:
                futures = [pool.submit(self._work) for _ in range(workers)]
                wait(futures, return_when=FIRST_EXCEPTION)
            finally:
                # After an error in one thread or Ctrl-C in this one, the others end at their next
                # read; leaving the pool waits for them.
                self._stop.set()
        for future in futures:
            future.result()
        return [result for result in self._results if result is not None]

    def _work(self) -> None:
        buffer = memoryview(bytearray(_READ_BYTES))
        for index, path in self._take():
            self._results[index] = self._hash(path, buffer)

    def _take(self) -> Iterator[tuple[int, str]]:
        while not self._stop.is_set():
            with self._queue_lock:
                taken = next(self._queue, None)
            if taken is None:
                return
            yield taken

    def _hash(self, path: str, buffer: memoryview) -> HashedFile | None:
        try:
            descriptor = self._folder.open(path)
            try:
                before = os.fstat(descriptor)
                hasher = blake3(
                    max_threads=blake3.AUTO if before.st_size >= _LARGE_FILE_BYTES else 1
                )
                size = 0
                while count := os.readv(descriptor, [buffer]):
                    hasher.update(buffer[:count])
                    size += count
                    with self._progress_lock:
                        self._progress(count)
                    if self._stop.is_set():
                        return None
                after = os.fstat(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise FileChangedError(path, f"can't be read: {error.strerror}") from None
        if size != before.st_size or _version(before) != _version(after):
            raise FileChangedError(path, "changed while it was read")
        return HashedFile(path, size, hasher.hexdigest())


def _version(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns
