"""Opens the files of a bundle by their listed paths, and nothing outside of its folder.

The walk goes component by component, never trusts a path twice, and follows symbolic links itself,
so that a link swapped in later can't lead out: what openat2(2) calls RESOLVE_BENEATH, on every
kernel. Paths are listed in composed form (NFC) while macOS stores names decomposed: a name that is
not there is looked for in its other forms.
"""

import errno
import os
import stat
import unicodedata
from pathlib import Path
from types import TracebackType
from typing import Self

# Linux' own limit for one resolution, path_resolution(7).
_MOST_LINKS = 40
_LOOK = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC


class ContentFolder:
    """An open folder that holds a bundle's files; several threads may use it at once."""

    def __init__(self, folder: Path) -> None:
        """Open a folder.

        Raises:
            OSError: when it is no folder or can't be entered.
        """
        self.path = folder
        self._descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        # The names of the folder that was listed last, by their composed form. One is enough:
        # manifests are sorted, so a folder's files are asked for in a row.
        self._listed: tuple[tuple[int, int, int], dict[str, str]] | None = None

    def open(self, path: str) -> int:
        """Open a regular file for reading and return its descriptor.

        Args:
            path: relative, `/`-separated, NFC, as a manifest lists it.

        Raises:
            OSError: EXDEV when a link leads out of the folder, ELOOP when links loop, EINVAL when
                it is no regular file, else what the kernel said.
        """
        found = self._find(path)
        try:
            if not stat.S_ISREG(os.fstat(found).st_mode):
                raise OSError(errno.EINVAL, "Not a regular file", path)
            # Through the descriptor, so that it is the very file that was judged.
            return os.open(f"/proc/self/fd/{found}", os.O_RDONLY | os.O_CLOEXEC)
        finally:
            os.close(found)

    def stat(self, path: str) -> os.stat_result:
        """Status of what a path leads to, links followed inside of the folder.

        Raises:
            OSError: as `open`.
        """
        found = self._find(path)
        try:
            return os.fstat(found)
        finally:
            os.close(found)

    def close(self) -> None:
        """Let go of the folder."""
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _find(self, path: str) -> int:
        """Return an O_PATH descriptor of what a path leads to."""
        chain: list[int] = []  # the folders that were entered, from the top
        pending = path.split("/")[::-1]
        links = 0
        try:
            while pending:
                name = pending.pop()
                if name in ("", "."):
                    continue
                if name == "..":
                    if not chain:
                        raise OSError(errno.EXDEV, "Leads out of the folder", path)
                    os.close(chain.pop())
                    continue
                found = self._enter(chain[-1] if chain else self._descriptor, name)
                if not stat.S_ISLNK(os.fstat(found).st_mode):
                    chain.append(found)
                    continue
                try:
                    target = os.readlink("", dir_fd=found)
                finally:
                    os.close(found)
                links += 1
                if links > _MOST_LINKS:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
                if target.startswith("/"):
                    raise OSError(errno.EXDEV, "Leads out of the folder", path)
                pending.extend(target.split("/")[::-1])
            return chain.pop() if chain else os.dup(self._descriptor)
        finally:
            for descriptor in chain:
                os.close(descriptor)

    def _enter(self, folder: int, name: str) -> int:
        """Open one component under whichever Unicode form it has on disk."""
        try:
            return os.open(name, _LOOK, dir_fd=folder)
        except FileNotFoundError:
            spelling = self._spellings(folder).get(unicodedata.normalize("NFC", name))
            if spelling is None:
                raise
            return os.open(spelling, _LOOK, dir_fd=folder)

    def _spellings(self, folder: int) -> dict[str, str]:
        status = os.fstat(folder)
        version = (status.st_dev, status.st_ino, status.st_mtime_ns)
        listed = self._listed
        if listed is None or listed[0] != version:
            readable = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
            try:
                names = os.listdir(readable)  # noqa: PTH208 - pathlib lists no descriptor
            finally:
                os.close(readable)
            listed = (version, {unicodedata.normalize("NFC", name): name for name in names})
            self._listed = listed
        return listed[1]
