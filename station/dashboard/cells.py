"""Text measured in terminal cells, as a tile needs it: cut, padded and wrapped to an exact width.

A Korean syllable takes two cells, a combining mark none. Widths are those that Rich knows.
"""

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style

from station.text import printable

# A run of styled text within one line of the screen.
Strip = tuple[Segment, ...]

ELLIPSIS = "…"


@lru_cache(maxsize=4096)
def shown(text: str) -> str:
    r"""Escape text of foreign origin so that it can neither drive the screen nor shift it.

    Beyond what `printable` escapes, that is every character without a width of its own: terminals
    disagree on what it does to its neighbour (`❤` with a variation selector is one cell wide in one
    and two in another). Composed form comes first, so decomposed Hangul shows as syllables, and
    every kind of space becomes a plain one.
    """
    safe = printable(unicodedata.normalize("NFC", text))
    return safe if safe.isascii() else "".join(map(_plain_or_escaped, safe))


def _plain_or_escaped(character: str) -> str:
    if unicodedata.category(character) == "Zs":
        return " "
    if cell_len(character) == 0:
        return character.encode("ascii", "backslashreplace").decode("ascii")
    return character


def cut(text: str, width_cells: int) -> str:
    """Shorten text to at most `width_cells`, with an ellipsis in place of what is missing."""
    if cell_len(text) <= width_cells:
        return text
    if width_cells <= 0:
        return ""
    return set_cell_size(text, width_cells - 1) + ELLIPSIS


def fit(text: str, width_cells: int) -> str:
    """Cut or pad text on the right to exactly `width_cells`."""
    return set_cell_size(cut(text, width_cells), max(0, width_cells))


def centre(text: str, width_cells: int) -> str:
    """Cut text or pad it on both sides to exactly `width_cells`."""
    short = cut(text, width_cells)
    return fit(" " * ((width_cells - cell_len(short)) // 2) + short, width_cells)


def ends(left: str, right: str, width_cells: int) -> str:
    """Put one text at each end of `width_cells`; the left one is cut when both don't fit."""
    room = width_cells - cell_len(right) - 1
    return f"{fit(left, room)} {right}" if right and room > 0 else fit(left, width_cells)


def wrap(text: str, width_cells: int, lines: int) -> list[str]:
    """Break text between words into at most `lines`, the last one cut when there is more."""
    broken: list[str] = []
    words = text.split()
    while words and len(broken) < lines - 1:
        line = words.pop(0)
        while words and cell_len(line) + 1 + cell_len(words[0]) <= width_cells:
            line = f"{line} {words.pop(0)}"
        broken.append(cut(line, width_cells))
    if words and lines > 0:
        broken.append(cut(" ".join(words), width_cells))
    return broken


def first_fitting(candidates: Sequence[str], width_cells: int) -> str:
    """Choose the first text that fits; the last one is cut when none does."""
    for candidate in candidates:
        if cell_len(candidate) <= width_cells:
            return candidate
    return cut(candidates[-1], width_cells)


def strip_width(strip: Strip) -> int:
    """Width of a strip in cells."""
    return sum(cell_len(segment.text) for segment in strip)


def blank(width_cells: int, style: Style | None = None) -> Strip:
    """A strip of nothing."""
    return (Segment(" " * width_cells, style),) if width_cells > 0 else ()
