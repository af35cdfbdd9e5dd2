"""Colours and shapes by what a volunteer is to do; each act differs in both."""

from dataclasses import dataclass
from typing import NamedTuple

from rich.style import Style

from station.dashboard.words import Act


class Border(NamedTuple):
    """The signs that a border is made of; one cell each."""

    top_left: str
    horizontal: str
    top_right: str
    vertical: str
    bottom_left: str
    bottom_right: str


@dataclass(frozen=True, slots=True)
class Look:
    """How a tile is drawn.

    Attributes:
        ground: of the whole tile.
        faint: of what may be overlooked.
        strong: of what must not.
        label: of the port's name.
        border: how the edge is drawn.
        mark: the shape that stands for the act; one cell.
    """

    ground: Style
    faint: Style
    strong: Style
    label: Style
    border: Border
    mark: str


def _filled(colour: str, ink: str, border: str, mark: str) -> Look:
    # Colours the wrong way round and reversed again: where NO_COLOR strips the colours off, the
    # tile is still filled.
    ground = Style(color=colour, bgcolor=ink, reverse=True)
    label = Style(color=colour, bgcolor=ink, bold=True)
    return Look(ground, ground, ground + Style(bold=True), label, Border(*border), mark)


def _outlined(border: str, mark: str) -> Look:
    bold = Style(bold=True)
    return Look(Style.null(), Style(dim=True), bold, bold, Border(*border), mark)


_ASIDE = _filled("#87afff", "#000000", "┏╍┓╏┗┛", "⚠")

LOOKS: dict[Act, Look] = {
    Act.INSERT: _outlined("┌┄┐┊└┘", "+"),
    Act.WAIT: _outlined("╭─╮│╰╯", "·"),
    Act.PULL: _filled("#5fd787", "#000000", "┏━┓┃┗┛", "✔"),
    Act.BIN: _filled("#d70000", "#ffffff", "╔═╗║╚╝", "✖"),
    Act.REDO: _filled("#ffd75f", "#000000", "┏╍┓╏┗┛", "↻"),
    Act.KEEP: _ASIDE,
    Act.BACK: _ASIDE,
    Act.MOVE: _ASIDE,
}

BAR_DONE = Style(color="#5fafff")
BAR_LEFT = Style(color="#4e4e4e")
TITLE = Style(color="#444444", bgcolor="#ffffff", reverse=True)
TITLE_STRONG = TITLE + Style(bold=True)
BANNER = Style(color="#ffd75f", bgcolor="#000000", reverse=True, bold=True)
PLAIN = Style.null()
STRONG = Style(bold=True)
FAINT = Style(dim=True)
GOOD_COUNT = Style(color="#5fd787", bold=True)
BAD_COUNT = Style(color="#ff5f5f", bold=True)
ASIDE_COUNT = Style(color="#87afff", bold=True)

# For terminals that show no more than ASCII: every sign above and in letters.py, cell for cell.
ASCII_SIGNS = str.maketrans(
    {
        **dict.fromkeys("┌┐└┘╭╮╰╯┏┓┗┛╔╗╚╝", "+"),
        **dict.fromkeys("─━╍┄", "-"),
        **dict.fromkeys("│┃╏", "|"),
        **dict.fromkeys("┊", ":"),
        **dict.fromkeys("═║", "#"),
        **dict.fromkeys("█▀▄", "#"),
        "▌": "=",
        "░": ".",
        "✔": "*",
        "✖": "X",
        "↻": "@",
        "⚠": "!",
        "·": "-",
        "…": "~",
    }
)
