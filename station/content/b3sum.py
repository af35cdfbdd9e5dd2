r"""The line format of stock b3sum: what it prints, and what `b3sum --check` reads.

A line is 64 hexadecimal digits, two spaces and the path. In a path with a backslash or a line feed
these become `\\` and `\n`, and a backslash before the digits says so.
Source: https://github.com/BLAKE3-team/BLAKE3/blob/master/b3sum/what_does_check_do.md
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from station.content.manifest import Manifest
from station.errors import OperatorError

_LINE = re.compile(r"(?P<escaped>\\?)(?P<digest>[0-9a-f]{64})  (?P<path>[^\n\0]+)")
_ESCAPES = {"\\\\": "\\", "\\n": "\n"}
_ESCAPED = re.compile(r"\\(?:\\|n)")
_PATH = re.compile(r"(?:[^\\]|\\\\|\\n)+")


@dataclass(frozen=True, slots=True)
class Checksum:
    """One line of b3sum.

    Attributes:
        path: as b3sum was given it.
        blake3: digest, 64 lower-case hexadecimal digits.
    """

    path: str
    blake3: str


def checksum_lines(manifest: Manifest) -> Iterator[str]:
    """Write a manifest for `b3sum --check`, to be run in the folder of the files.

    Yields:
        Lines with their line feed.
    """
    for file in manifest.files:
        yield format_checksum(Checksum(file.path, file.blake3))


def format_checksum(checksum: Checksum) -> str:
    """Write one line, with its line feed."""
    path = checksum.path.replace("\\", "\\\\").replace("\n", "\\n")
    mark = "" if path == checksum.path else "\\"
    return f"{mark}{checksum.blake3}  {path}\n"


def parse_checksums(data: bytes, where: str) -> list[Checksum]:
    """Read what b3sum printed.

    Args:
        data: the lines.
        where: the file's name, for messages.

    Raises:
        OperatorError: when a line is none of b3sum's; names its number.
    """
    checksums = []
    lines = data.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    for number, line in enumerate(lines, start=1):
        checksum = _parse_line(line)
        if checksum is None:
            raise OperatorError(
                f"{where}:{number}: is no line of b3sum (64 digits, two spaces, path)",
                "Write the file with: b3sum FILE... > SUMS",
            )
        checksums.append(checksum)
    return checksums


def _parse_line(line: bytes) -> Checksum | None:
    try:
        match = _LINE.fullmatch(line.removesuffix(b"\r").decode())
    except UnicodeDecodeError:
        return None
    if match is None:
        return None
    path = match["path"]
    if match["escaped"]:
        if _PATH.fullmatch(path) is None:
            return None
        path = _ESCAPED.sub(lambda escape: _ESCAPES[escape[0]], path)
    return Checksum(path, match["digest"])
