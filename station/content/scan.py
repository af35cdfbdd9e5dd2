"""What of a folder becomes a bundle: its files, or every reason why not."""

from dataclasses import dataclass
from pathlib import Path

from station.content.rules import ContentRefusedError, Problem, size_problem, tree_problems
from station.content.walk import Kind, walk
from station.errors import OperatorError


@dataclass(frozen=True, slots=True)
class ScannedFile:
    """A file that a bundle can hold.

    Attributes:
        path: relative, `/`-separated, in composed form (NFC).
        size: bytes.
    """

    path: str
    size: int


@dataclass(frozen=True, slots=True)
class Scan:
    """A folder that can become a bundle.

    Attributes:
        files: sorted by path, at least one.
        junk: paths of other systems' files and folders that are left out.
        empty_folders: paths of folders that are left out because they hold no file.
    """

    files: tuple[ScannedFile, ...]
    junk: tuple[str, ...]
    empty_folders: tuple[str, ...]

    @property
    def total_bytes(self) -> int:
        """Sum of the sizes of all files."""
        return sum(file.size for file in self.files)


def scan(folder: Path) -> Scan:
    """Look through a folder without reading any file.

    Raises:
        ContentRefusedError: with everything in it that no bundle can hold.
        OperatorError: when the folder can't be read or holds no file.
    """
    files: list[ScannedFile] = []
    left_out: dict[Kind, list[str]] = {Kind.JUNK: [], Kind.EMPTY_FOLDER: []}
    problems: list[Problem] = []
    for entry in walk(folder):
        if entry.kind is Kind.REFUSED:
            problems.append(Problem(entry.path, entry.problem))
        elif entry.kind is Kind.FILE:
            files.append(ScannedFile(entry.path, entry.size))
            if problem := size_problem(entry.size):
                problems.append(Problem(entry.path, problem))
        else:
            left_out[entry.kind].append(entry.path)
    problems.extend(tree_problems(file.path for file in files))
    if problems:
        problems.sort(key=lambda problem: problem.path)
        raise ContentRefusedError(str(folder), problems, "Put it right, then run this again.")
    if not files:
        raise OperatorError(f"{folder}: holds no file", "Name the folder that holds the content.")
    files.sort(key=lambda file: file.path)
    return Scan(
        tuple(files),
        tuple(sorted(left_out[Kind.JUNK])),
        tuple(sorted(left_out[Kind.EMPTY_FOLDER])),
    )
