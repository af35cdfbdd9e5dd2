"""The dashboard as a picture."""

import io
import re

from rich.console import Console
from rich.segment import Segment, Segments

from station.dashboard.frame import compose
from station.dashboard.snapshot import StationSnapshot

# Rich makes the picture load a font from a server of others; the reader's own will do.
_REMOTE_FONTS = re.compile(r"@font-face\s*\{[^}]*\}\s*")


def export_svg(snapshot: StationSnapshot, width: int, height: int, title: str) -> str:
    """Draw a snapshot as an SVG picture of a terminal.

    Args:
        snapshot: what to show.
        width: of the terminal in cells.
        height: of the terminal in lines.
        title: of the window.
    """
    console = Console(
        record=True,
        file=io.StringIO(),
        width=width,
        height=height,
        force_terminal=True,
        color_system="truecolor",
        legacy_windows=False,
        # A picture has its colours whatever the terminal of the one who takes it can show.
        no_color=False,
        _environ={},
    )
    segments: list[Segment] = []
    for row in compose(snapshot, (), width, height).rows():
        for segment in row:
            # Some programs that show SVG drop the spaces at the beginning of a text.
            text = segment.text.lstrip(" ")
            indent = " " * (len(segment.text) - len(text))
            segments += [Segment(indent, segment.style), Segment(text, segment.style)]
        segments.append(Segment.line())
    console.print(Segments(segments), end="", crop=False)
    return _REMOTE_FONTS.sub("", console.export_svg(title=title))
