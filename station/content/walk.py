"""Everything that lies in a folder, sorted, each entry judged by itself."""

import errno
import os
import stat
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto, unique
from pathlib import Path

from station.content.junk import is_junk_file, is_junk_folder
from station.content.locate import ContentFolder
from station.errors import OperatorError


@unique
class Kind(Enum):
    """What an entry means to a bundle."""

    FILE = auto()  # a regular file, or a symbolic link to one inside of the folder
    JUNK = auto()  # left out, with all that is in it
    EMPTY_FOLDER = auto()  # nothing that a manifest could list
    REFUSED = auto()  # no bundle can hold it


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a folder.

    Attributes:
        path: relative, `/`-separated, in composed form (NFC); holds lone surrogates where the name
            on disk is no UTF-8, and then it is REFUSED.
        kind: what the entry means to a bundle.
        size: bytes of a FILE.
        problem: why it is REFUSED; completes a sentence that begins with the path.
    """

    path: str
    kind: Kind
    size: int = 0
    problem: str = ""


_LINK_PROBLEMS = {
    errno.EXDEV: "is a symbolic link that leads out of the folder",
    errno.ENOENT: "is a symbolic link to nothing",
    errno.ENOTDIR: "is a symbolic link to nothing",
    errno.ELOOP: "is a symbolic link that leads back to itself",
}
_TYPE_NAMES = {
    stat.S_IFBLK: "a block device",
    stat.S_IFCHR: "a character device",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
}


def walk(folder: Path) -> Iterator[Entry]:
    """Tell of every file below a folder, and of every other entry that is no plain folder.

    Links to files inside of the folder are followed. Links to folders are not: what they lead to
    would stand on the stick twice, or without end. Nothing is opened but folders.

    Raises:
        OperatorError: when the folder itself can't be read.
    """
    try:
        root = ContentFolder(folder)
    except OSError as error:
        raise OperatorError(
            f"{folder}: can't be read: {error.strerror}", "Name a folder that you may read."
        ) from None
    with root:
        pending = [""]
        while pending:
            yield from _walk_one(root, pending.pop(), pending)


def _walk_one(root: ContentFolder, folder: str, pending: list[str]) -> Iterator[Entry]:
    """Tell of one folder's entries and put its subfolders on `pending`; `folder` is as on disk."""
    try:
        with os.scandir(root.path / folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        yield Entry(_composed(folder) or ".", Kind.REFUSED, problem=_unreadable(error))
        return
    seen: set[str] = set()
    subfolders: list[str] = []
    is_empty = True
    for entry in entries:
        on_disk = f"{folder}/{entry.name}" if folder else entry.name
        path = _composed(on_disk)
        is_folder = entry.is_dir(follow_symlinks=False)
        if is_junk_folder(entry.name) if is_folder else is_junk_file(entry.name):
            yield Entry(path, Kind.JUNK)
            continue
        is_empty = False
        if path in seen:
            problem = "differs from another name in its folder only in its Unicode form"
            yield Entry(path, Kind.REFUSED, problem=problem)
            continue
        seen.add(path)
        if is_folder:
            subfolders.append(on_disk)
        else:
            yield _judge(root, entry, path)
    if is_empty and folder:
        yield Entry(_composed(folder), Kind.EMPTY_FOLDER)
    pending.extend(reversed(subfolders))


def _judge(root: ContentFolder, entry: "os.DirEntry[str]", path: str) -> Entry:
    """Judge what is no folder."""
    try:
        if entry.is_symlink():
            status = root.stat(path)
            if stat.S_ISDIR(status.st_mode):
                problem = "is a symbolic link to a folder; put the folder itself there"
                return Entry(path, Kind.REFUSED, problem=problem)
        else:
            status = entry.stat(follow_symlinks=False)
    except OSError as error:
        problem = _LINK_PROBLEMS.get(error.errno or 0, _unreadable(error))
        return Entry(path, Kind.REFUSED, problem=problem)
    if not stat.S_ISREG(status.st_mode):
        name = _TYPE_NAMES.get(stat.S_IFMT(status.st_mode), "neither a file nor a folder")
        return Entry(path, Kind.REFUSED, problem=f"is {name}")
    if not os.access(entry.path, os.R_OK, effective_ids=True):
        return Entry(path, Kind.REFUSED, problem="can't be read: Permission denied")
    return Entry(path, Kind.FILE, status.st_size)


def _composed(path: str) -> str:
    return unicodedata.normalize("NFC", path)


def _unreadable(error: OSError) -> str:
    return f"can't be read: {error.strerror}"
