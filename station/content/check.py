"""Whether a folder still holds what its manifest lists: every missing, changed and extra file."""

from dataclasses import dataclass
from enum import StrEnum, unique
from pathlib import Path

from station.content.hashing import Progress, hash_files, no_progress
from station.content.locate import ContentFolder
from station.content.manifest import Manifest
from station.content.rules import Problem
from station.content.walk import Entry, Kind, walk


@unique
class Difference(StrEnum):
    """In which way a folder and its manifest differ."""

    MISSING = "missing"  # listed, but not there
    CHANGED = "changed"  # there with another content, or no longer a file
    EXTRA = "extra"  # there, but not listed


@dataclass(frozen=True, slots=True)
class ContentCheck:
    """What a check found; three empty tuples when the folder is as listed.

    Attributes:
        missing: what is listed but not there.
        changed: what is there with another content, or as something else than a file.
        extra: what is there but not listed; junk of other systems does not count.
    """

    missing: tuple[Problem, ...]
    changed: tuple[Problem, ...]
    extra: tuple[Problem, ...]

    @property
    def is_clean(self) -> bool:
        """Whether the folder holds exactly what the manifest lists."""
        return not (self.missing or self.changed or self.extra)

    @property
    def differences(self) -> dict[Difference, tuple[Problem, ...]]:
        """All findings by their kind."""
        return {
            Difference.MISSING: self.missing,
            Difference.CHANGED: self.changed,
            Difference.EXTRA: self.extra,
        }


def check_sizes(manifest: Manifest, folder: Path) -> ContentCheck:
    """Compare a folder with its manifest by names and sizes alone; reads no file.

    Raises:
        OperatorError: when the folder can't be read.
    """
    return _compare(manifest, folder)[0]


def check_content(
    manifest: Manifest, folder: Path, progress: Progress = no_progress
) -> ContentCheck:
    """Compare a folder with its manifest, every byte by its hash.

    Args:
        manifest: what is to be there.
        folder: where it is to be.
        progress: told of every read; the total is at most `manifest.total_bytes`.

    Raises:
        OperatorError: when the folder or a file can't be read, or a file changes meanwhile.
    """
    found, same_size = _compare(manifest, folder)
    expected = {file.path: file.blake3 for file in manifest.files}
    with ContentFolder(folder) as opened:
        hashed = hash_files(opened, same_size, progress)
    changed = [
        Problem(file.path, "has another content")
        for file in hashed
        if file.blake3 != expected[file.path]
    ]
    return ContentCheck(found.missing, _sorted([*found.changed, *changed]), found.extra)


def _compare(manifest: Manifest, folder: Path) -> tuple[ContentCheck, list[str]]:
    """Compare names and sizes; the second value lists the files whose content is still open."""
    listed = {file.path: file.size for file in manifest.files}
    seen: set[str] = set()
    changed: list[Problem] = []
    extra: list[Problem] = []
    same_size: list[str] = []
    for entry in walk(folder):
        size = listed.get(entry.path)
        if size is None:
            if entry.kind in (Kind.FILE, Kind.REFUSED):
                extra.append(Problem(entry.path, entry.problem or "is not listed"))
            continue
        seen.add(entry.path)
        if problem := _entry_problem(entry, size):
            changed.append(Problem(entry.path, problem))
        else:
            same_size.append(entry.path)
    missing = [Problem(path, "is not there") for path in listed if path not in seen]
    return ContentCheck(_sorted(missing), _sorted(changed), _sorted(extra)), same_size


def _entry_problem(entry: Entry, size: int) -> str:
    if entry.kind is Kind.EMPTY_FOLDER:
        return "is a folder now"
    if entry.kind is Kind.FILE and entry.size != size:
        return f"has {entry.size:,} bytes instead of {size:,}"
    return entry.problem


def _sorted(problems: list[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(problems, key=lambda problem: problem.path))
