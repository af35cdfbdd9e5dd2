"""What a set of paths must obey so that one FAT32 volume can hold it and every reader shows it.

Pure: paths in, problems out. Rules on single names stand in `station.image.names`; here are those
on whole paths, on the names of one folder taken together, and on sizes.
"""

import unicodedata
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from station.content.violation import and_more
from station.errors import OperatorError
from station.image.directory import MOST_ENTRIES, entries_of
from station.image.names import folded, name_problem, utf16_units

# Microsoft FAT specification 1.03: the size field has 32 bits.
LARGEST_FILE_BYTES = 0xFFFF_FFFF
# `.` and `..`; the root has the volume label instead, but a bundle may be put in any folder.
_OWN_ENTRIES = 2
# Linux' PATH_MAX without the closing NUL: the station could not open a longer one.
LONGEST_PATH_BYTES = 4095
# Windows' MAX_PATH is 260 UTF-16 units with the drive (`D:\`) and the closing NUL.
LONGEST_WINDOWS_PATH_UNITS = 260 - len("D:\\") - 1


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a file or folder can't be part of a bundle.

    Attributes:
        path: relative to the bundle's folder; hostile, escaped by whoever shows it.
        text: completes a sentence that begins with the path.
    """

    path: str
    text: str

    def __str__(self) -> str:
        return f"{self.path!r} {self.text}"


class ContentRefusedError(OperatorError):
    """Content that can't go on a stick, with every problem and not only the first.

    Attributes:
        where: folder or file.
        problems: at least one.
    """

    def __init__(self, where: str, problems: Collection[Problem], remedy: str) -> None:
        self.where = where
        self.problems = tuple(problems)
        more = and_more(len(self.problems) - 1)
        super().__init__(f"{where}: {self.problems[0]}{more}", remedy)


def size_problem(size_bytes: int) -> str | None:
    """Say why a file of this size can't stand on FAT32, or None when it can."""
    if size_bytes < 0:
        return f"has a size below zero ({size_bytes:,})"
    if size_bytes > LARGEST_FILE_BYTES:
        return f"has {size_bytes:,} bytes, FAT32 allows {LARGEST_FILE_BYTES:,} to a file; split it"
    return None


def opens_on_windows(path: str) -> bool:
    r"""Whether programs without Windows' long-path switch can open `D:\path`.

    A longer path is no error: FAT32 holds it and Android, macOS, Linux and newer programs open it.
    """
    return utf16_units(path) <= LONGEST_WINDOWS_PATH_UNITS


def tree_problems(paths: Iterable[str]) -> Iterator[Problem]:
    """Find everything that keeps these files from standing in one folder of a FAT32 volume.

    Takes time linear in the total length of the paths.

    Args:
        paths: of files, relative, `/`-separated.
    """
    tree = _Tree()
    for path in paths:
        yield from tree.add(path)
    yield from tree.overfull()


class _Tree:
    """The folders that the paths so far imply, with what each holds."""

    def __init__(self) -> None:
        self._spellings: dict[str, str] = {}  # folded path -> path; a folder's ends in a slash
        self._entries: dict[str, int] = {"": _OWN_ENTRIES}  # folder -> directory entries
        self._refused: set[str] = set()  # folders that were reported already

    def add(self, path: str) -> Iterator[Problem]:
        if problem := _path_problem(path):
            yield Problem(path, problem)
            return
        folder, _, name = path.rpartition("/")
        if folder not in self._entries:
            yield from self._add_folders(folder)
        if folder in self._refused:
            return
        if problem := _component_problem(name):
            yield Problem(path, problem)
            return
        self._entries[folder] += entries_of(name)
        yield from self._claim(path, path)

    def overfull(self) -> Iterator[Problem]:
        for folder, entries in self._entries.items():
            if entries > MOST_ENTRIES:
                yield Problem(
                    folder or ".",
                    f"needs {entries:,} directory entries, FAT32 allows {MOST_ENTRIES:,} "
                    "to a folder (a long name takes several); spread its files over subfolders",
                )

    def _add_folders(self, folder: str) -> Iterator[Problem]:
        """Enter a folder and those above it, as far as they are new."""
        above = ""
        for name in folder.split("/"):
            path = f"{above}/{name}" if above else name
            if path not in self._entries:
                self._entries[path] = _OWN_ENTRIES
                if above in self._refused:
                    self._refused.add(path)
                elif problem := _component_problem(name):
                    self._refused.add(path)
                    yield Problem(path, problem)
                else:
                    self._entries[above] += entries_of(name)
                    yield from self._claim(path, f"{path}/")
            above = path

    def _claim(self, path: str, spelling: str) -> Iterator[Problem]:
        key = _collision_key(path)
        other = self._spellings.get(key)
        if other is None:
            self._spellings[key] = spelling
            return
        if other == spelling:
            yield Problem(path, "is listed twice")
        elif other.rstrip("/") == path:
            yield Problem(path, "is both a file and a folder")
        else:
            yield Problem(
                path,
                f"differs from {other.rstrip('/')!r} only in upper and lower case, "
                "which FAT32 takes for one name",
            )


def _path_problem(path: str) -> str | None:
    if not path:
        return "is an empty path"
    if path.startswith("/"):
        return "is an absolute path"
    # A character takes at least one byte: the cheap test goes first, for hostile lengths.
    if len(path) > LONGEST_PATH_BYTES or (
        len(path.encode(errors="surrogatepass")) > LONGEST_PATH_BYTES
    ):
        return f"is a path of more than {LONGEST_PATH_BYTES:,} bytes"
    return None


def _component_problem(name: str) -> str | None:
    if name == "..":
        return "leaves the folder"
    if not name:
        return "has an empty part between slashes or at the end"
    if problem := name_problem(name):
        return problem
    if not unicodedata.is_normalized("NFC", name):
        return "is not in Unicode's composed form (NFC)"
    return None


def _collision_key(path: str) -> str:
    # Folding is done character by character and a slash composes with nothing, so that a whole path
    # can be folded at once. Composed again, because macOS compares names by canonical equivalence.
    return unicodedata.normalize("NFC", folded(path))
