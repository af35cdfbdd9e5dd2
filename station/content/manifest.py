"""The list of a bundle's files: path, size, BLAKE3; and the JSON file that holds it.

The file is written with one entry to a line, sorted by path, so that two versions can be compared
with the usual tools.
"""

import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal, NoReturn

from pydantic import (
    ConfigDict,
    StrictInt,
    StrictStr,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from station.content.rules import (
    ContentRefusedError,
    Problem,
    opens_on_windows,
    size_problem,
    tree_problems,
)
from station.content.violation import and_more, dotted, shown, violations
from station.errors import OperatorError
from station.image.names import name_problem
from station.units import MIB, format_size

FORMAT: Final = 1
# Some 450,000 files with long paths; what is larger is no manifest, and must not fill the memory.
LARGEST_MANIFEST_BYTES = 64 * MIB
_MAKE_ANEW = "Make it anew with: station manifest create"
_STRICT = ConfigDict(extra="forbid")

Blake3Hex = Annotated[str, StringConstraints(strict=True, pattern=r"\A[0-9a-f]{64}\z")]


@dataclass(frozen=True, slots=True)
class ManifestFile:
    """One file of a bundle.

    Attributes:
        path: relative to the bundle's folder, `/`-separated, in composed form (NFC).
        size: bytes.
        blake3: digest of the content, 64 lower-case hexadecimal digits.
    """

    __pydantic_config__ = _STRICT

    path: StrictStr
    size: StrictInt
    blake3: Blake3Hex


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A bundle's files.

    Attributes:
        format: version of the file format.
        name: what profiles call the bundle; the manifest's file name without `.json`.
        folder: the folder of the files, relative to the folder that holds the manifest.
        generator: what makes the files when they are not there; None when people bring them.
        files: sorted by path, no two with the same name in FAT32's eyes.
    """

    __pydantic_config__ = _STRICT

    format: Literal[1]
    name: StrictStr
    folder: StrictStr
    generator: StrictStr | None = None
    files: tuple[ManifestFile, ...]

    @property
    def total_bytes(self) -> int:
        """Sum of the sizes of all files."""
        return sum(file.size for file in self.files)


_MANIFEST = TypeAdapter(Manifest)
_KNOWN_KEYS = {
    (): ("format", "name", "folder", "generator", "files"),
    ("files",): ("path", "size", "blake3"),
}


def load_manifest(path: Path) -> Manifest:
    """Read a manifest and hold it to every rule.

    Raises:
        OperatorError: when it can't be read or breaks a rule; names the entry.
    """
    return parse_manifest(read_limited(path), str(path))


def parse_manifest(data: bytes, where: str) -> Manifest:
    """Read the content of a manifest file.

    Args:
        data: the file's bytes.
        where: the file's name, for messages.

    Raises:
        OperatorError: when it breaks a rule; names the entry.
    """
    document = _parse_json(data, where)
    if isinstance(document, dict) and "format" in document:
        _require_format(document["format"], where)
    try:
        manifest = _MANIFEST.validate_python(document)
    except ValidationError as error:
        found = violations(error, _KNOWN_KEYS)
        first = found[0]
        more = and_more(len(found) - 1)
        place = dotted(first.location) or "the whole"
        raise OperatorError(f"{where}: {place}: {first.problem}{more}", _MAKE_ANEW) from None
    require_valid(manifest, where)
    return manifest


def read_limited(path: Path) -> bytes:
    """Read a file of a manifest's size at most.

    Raises:
        OperatorError: when it is larger, no regular file, or can't be read.
    """
    try:
        # Non-blocking, so that a pipe of that name can't hold the station up.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with open(descriptor, "rb") as file:  # noqa: PTH123 - pathlib opens no descriptor
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise OperatorError(f"{path}: is no regular file", "Name a manifest file.")
            data = file.read(LARGEST_MANIFEST_BYTES + 1)
    except OSError as error:
        raise OperatorError(
            f"{path}: can't be read: {error.strerror}", "Name a manifest file that you may read."
        ) from None
    if len(data) > LARGEST_MANIFEST_BYTES:
        raise OperatorError(
            f"{path}: is larger than {format_size(LARGEST_MANIFEST_BYTES)}, too large a manifest",
            "Split the content into several bundles.",
        )
    return data


def require_valid(manifest: Manifest, where: str) -> None:
    """Pass a manifest that obeys the rules that types can't express.

    Raises:
        OperatorError: for any other; names the entry.
    """
    if problem := name_problem(manifest.name):
        raise OperatorError(f"{where}: name: {manifest.name!r} {problem}", _MAKE_ANEW)
    if problem := _folder_problem(manifest.folder):
        raise OperatorError(f"{where}: folder: {manifest.folder!r} {problem}", _MAKE_ANEW)
    if not manifest.files:
        raise OperatorError(f"{where}: files: lists no file", _MAKE_ANEW)
    if problems := list(_file_problems(manifest)):
        raise ContentRefusedError(where, problems, _MAKE_ANEW)


def long_paths(manifest: Manifest) -> list[str]:
    """Paths that FAT32 holds but that older Windows programs can't open."""
    return [file.path for file in manifest.files if not opens_on_windows(file.path)]


def format_manifest(manifest: Manifest) -> str:
    """Write a manifest as JSON, one file to a line."""
    head: dict[str, object] = {
        "format": manifest.format,
        "name": manifest.name,
        "folder": manifest.folder,
    }
    if manifest.generator is not None:
        head["generator"] = manifest.generator
    lines = [f"{_json(key)}: {_json(value)}," for key, value in head.items()]
    files = ",\n".join(
        _json({"path": file.path, "size": file.size, "blake3": file.blake3})
        for file in manifest.files
    )
    return "\n".join(["{", *lines, '"files": [', files, "]", "}", ""])


def _require_format(version: object, where: str) -> None:
    # JSON's `true` and `1.0` equal 1 in Python.
    if type(version) is not int or version != FORMAT:
        raise OperatorError(
            f"{where}: format: {shown(version)} is not known, this station reads {FORMAT}",
            "Update the station, or make the manifest anew with: station manifest create",
        )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _file_problems(manifest: Manifest) -> Iterator[Problem]:
    previous = ""
    for file in manifest.files:
        if problem := size_problem(file.size):
            yield Problem(file.path, problem)
        if file.path < previous:
            yield Problem(file.path, f"stands after {previous!r}: files are sorted by path")
        previous = file.path
    yield from tree_problems(file.path for file in manifest.files)


def _folder_problem(folder: str) -> str | None:
    if not folder:
        return "is empty; the manifest's own folder is '.'"
    if folder.startswith("/"):
        return "is absolute; it must be relative to the manifest"
    if "\0" in folder or any("\ud800" <= character <= "\udfff" for character in folder):
        return "is no path"
    return None


def _parse_json(data: bytes, where: str) -> object:
    try:
        return json.loads(
            data.decode(), object_pairs_hook=_object_of_distinct_keys, parse_constant=_refuse
        )
    except json.JSONDecodeError as error:
        place = f"line {error.lineno} column {error.colno}: {error.msg}"
        raise OperatorError(f"{where}: is no JSON: {place}", _MAKE_ANEW) from None
    except UnicodeDecodeError as error:
        problem = f"is no UTF-8 text at byte {error.start:,}"
        raise OperatorError(f"{where}: {problem}", _MAKE_ANEW) from None
    except (ValueError, RecursionError) as error:
        # A repeated key, a number of thousands of digits, NaN, thousands of nested brackets.
        problem = "is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise OperatorError(f"{where}: is no manifest: {problem}", _MAKE_ANEW) from None


def _object_of_distinct_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    # JSON leaves it open which of two equal keys counts, and a bad merge can produce them.
    document = dict(pairs)
    if len(document) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(
            f"the key {next(key for key in keys if keys.count(key) > 1)!r} is repeated"
        )
    return document


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")
