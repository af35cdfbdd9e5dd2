"""The 8.3 name that stands beside each long name.

Source: Microsoft FAT specification 1.03, "Long directory entries": basis name and numeric tail.
"""

import re
from collections.abc import Iterable

from station.image.names import folded

STEM_LENGTH = 8
EXTENSION_LENGTH = 3
_LONGEST_TAIL_DIGITS = 6

# Upper case ASCII alone: what a byte above 7F means depends on the reader's code page.
_PLAIN = re.compile(r"[A-Z0-9!#$%&'()\-@^_`{}~]{1,8}(?:\.[A-Z0-9!#$%&'()\-@^_`{}~]{1,3})?")
_NOT_SHORT = re.compile(r"[^A-Z0-9!#$%&'()\-@^_`{}~]")


def is_short(name: str) -> bool:
    """Whether a name is a valid 8.3 name as it stands and needs no long-name entry."""
    return _PLAIN.fullmatch(name) is not None


class ShortNames:
    """Gives out the short names of one folder, each once.

    Every long name of the folder must be known from the start: a short name may not equal the long
    name of a neighbour either. The work for each name does not depend on how many came before it.

    Args:
        names: all long names of the folder.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._long_names = frozenset(map(folded, names))
        self._next_tail: dict[tuple[str, str, int], int] = {}

    def give(self, name: str) -> bytes:
        """The short name of a long one: 11 bytes, stem and extension padded with spaces."""
        if is_short(name):
            stem, _, extension = name.partition(".")
            return _packed(stem, extension)
        stem, extension, is_lossless = _basis(name)
        # Without a loss it is the long name in upper case, which no neighbour can have.
        return _packed(stem, extension) if is_lossless else self._with_tail(stem, extension)

    def _with_tail(self, stem: str, extension: str) -> bytes:
        suffix = f".{extension}" if extension else ""
        # One counter for each width of the number, because a wider number leaves room for less of
        # the stem: stems that differ only in what is cut off share it, so that none of them has to
        # step through the numbers that another one took. A candidate belongs to one counter alone,
        # which never turns back, so that none but a long name can have taken it.
        for digits in range(1, _LONGEST_TAIL_DIGITS + 1):
            prefix = stem[: STEM_LENGTH - 1 - digits]
            key = (prefix, extension, digits)
            number = self._next_tail.get(key, 10 ** (digits - 1))
            while number < 10**digits:
                candidate = f"{prefix}~{number}"
                number += 1
                if candidate + suffix not in self._long_names:
                    self._next_tail[key] = number
                    return _packed(candidate, extension)
            self._next_tail[key] = number
        # A folder holds at most 65,536 entries, far fewer than there are tails.
        raise AssertionError(f"no short name is left for {stem!r}")


def _basis(name: str) -> tuple[str, str, bool]:
    """Stem, extension, and whether they say all that the long name says but for its case."""
    upper = folded(name)
    stripped = upper.replace(" ", "").lstrip(".")
    stem, dot, extension = stripped.rpartition(".")
    if not dot:
        stem, extension = extension, ""
    stem = stem.replace(".", "")
    short_stem = _NOT_SHORT.sub("_", stem)[:STEM_LENGTH]
    short_extension = _NOT_SHORT.sub("_", extension)[:EXTENSION_LENGTH]
    rebuilt = f"{short_stem}.{short_extension}" if short_extension else short_stem
    return short_stem or "_", short_extension, rebuilt == upper


def _packed(stem: str, extension: str) -> bytes:
    return f"{stem:<8}{extension:<3}".encode("ascii")


def checksum(short_name: bytes) -> int:
    """The sum that ties long-name entries to their short name, over its 11 bytes."""
    total = 0
    for byte in short_name:
        total = (((total & 1) << 7) + (total >> 1) + byte) & 0xFF
    return total
