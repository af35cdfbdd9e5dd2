"""Where each tile stands when tiles are grouped like the hubs on the table: numbers alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from station.dashboard.layout import (
    BORDER,
    BOXED_LINES,
    LONGEST_WORD_PIXELS,
    TALLEST_LINES,
    WIDEST_CELLS,
    Rectangle,
    grid_for,
    legibility,
    letter_size,
    shape_worth,
)
from station.dashboard.letters import LetterSize
from station.dashboard.words import SENTENCE_LINES

# Any word in the smallest block letters; every sentence fits such a tile, too.
_NARROWEST_CELLS = BORDER + LONGEST_WORD_PIXELS
# What keeps two blocks that stand side by side apart: as much as the eye sees on a screen so wide.
_NARROWEST_GAP_CELLS = 2
_SCREEN_TO_GAP = 40


@dataclass(frozen=True, slots=True)
class Blocks:
    """A block of tiles for each hub; nothing overlaps.

    Attributes:
        headings: a line above each block; none where there is no room for them.
        slots: where the tiles are, hub by hub; all of one height, their widths nearly equal.
        letters: the block letters of all tiles; None when there is no room for any.
    """

    headings: tuple[Rectangle, ...]
    slots: tuple[Rectangle, ...]
    letters: LetterSize | None


@dataclass(frozen=True, slots=True)
class _Plan:
    """A way to put the blocks on the screen.

    Attributes:
        sizes: tiles of each block.
        across: how many blocks stand side by side.
        columns: how many tiles stand side by side in each.
        block_width: width of a block in cells.
        gap: cells between two blocks.
        tile_height: height of a tile in lines.
        heading_lines: height of a heading, or 0.
    """

    sizes: tuple[int, ...]
    across: int
    columns: int
    block_width: int
    gap: int
    tile_height: int
    heading_lines: int

    @property
    def tile_width(self) -> int:
        return self.block_width // self.columns

    @property
    def empty(self) -> int:
        """How many places for tiles stay empty."""
        rows = sum(_rows(self.sizes, self.across, self.columns))
        return self.across * self.columns * rows - sum(self.sizes)


@lru_cache(maxsize=64)
def blocks_for(sizes: tuple[int, ...], width: int, height: int) -> Blocks | None:
    """Lay out a block for each hub on `width` times `height` cells.

    Args:
        sizes: tiles of each hub, at least 1.
        width: in cells, at least 1.
        height: in lines, at least 1.

    Returns:
        The blocks; None when there is but one hub, when most hubs have one tile alone, when there
        is no room for borders, or when tiles without blocks (`grid_for`) could be read from farther
        away.
    """
    tiles = sum(sizes)
    if len(sizes) < 2 or 2 * len(sizes) > tiles:  # noqa: PLR2004 - one hub is no group
        return None
    plans = list(_plans(sizes, width, height))
    if not plans:
        return None
    best = max(plans, key=_worth)
    even = grid_for(tiles, width, height)
    if _readable(best.tile_width, best.tile_height) < _readable(
        even.width // even.columns, even.height // even.rows
    ):
        return None
    return _placed(best)


def _plans(sizes: tuple[int, ...], width: int, height: int) -> Iterator[_Plan]:
    gap = max(_NARROWEST_GAP_CELLS, width // _SCREEN_TO_GAP)
    for across in range(1, len(sizes) + 1):
        room = (width - (across - 1) * gap) // across
        for columns in range(1, min(max(sizes), room // _NARROWEST_CELLS) + 1):
            rows = _rows(sizes, across, columns)
            # Blocks that all stand side by side can do without headings: a gap keeps them apart.
            for heading_lines in (1, 0) if len(rows) == 1 else (1,):
                tile_height = (height - len(rows) * heading_lines) // sum(rows)
                if tile_height >= BOXED_LINES:
                    yield _Plan(
                        sizes,
                        across,
                        columns,
                        min(room, columns * WIDEST_CELLS),
                        gap,
                        min(tile_height, TALLEST_LINES),
                        heading_lines,
                    )


def _worth(plan: _Plan) -> tuple[tuple[int, int], int, tuple[int, int, float]]:
    """Rank a plan: what can be read comes first, then headings, then the shape."""
    return (
        _readable(plan.tile_width, plan.tile_height),
        plan.heading_lines,
        shape_worth(plan.tile_width, plan.tile_height, plan.empty),
    )


def _rows(sizes: Sequence[int], across: int, columns: int) -> list[int]:
    """Rows of tiles in each row of blocks."""
    return [-(-max(beside) // columns) for beside in _beside(sizes, across)]


def _beside(sizes: Sequence[int], across: int) -> list[Sequence[int]]:
    """Part the blocks into rows of blocks."""
    return [sizes[first : first + across] for first in range(0, len(sizes), across)]


def _readable(tile_width: int, tile_height: int) -> tuple[int, int]:
    """How well a tile can be read: its large word first, then how much of its sentence fits."""
    lines = min(SENTENCE_LINES, tile_height - BORDER - 1)
    return legibility(tile_width, tile_height), lines


def _placed(plan: _Plan) -> Blocks:
    headings: list[Rectangle] = []
    slots: list[Rectangle] = []
    y = 0
    rows = _rows(plan.sizes, plan.across, plan.columns)
    for beside, tile_rows in zip(_beside(plan.sizes, plan.across), rows, strict=True):
        for number, size in enumerate(beside):
            x = number * (plan.block_width + plan.gap)
            if plan.heading_lines:
                headings.append(Rectangle(x, y, plan.block_width, plan.heading_lines))
            for index in range(size):
                row, column = divmod(index, plan.columns)
                left, right = (
                    edge * plan.block_width // plan.columns for edge in (column, column + 1)
                )
                top = y + plan.heading_lines + row * plan.tile_height
                slots.append(Rectangle(x + left, top, right - left, plan.tile_height))
        y += plan.heading_lines + tile_rows * plan.tile_height
    return Blocks(tuple(headings), tuple(slots), letter_size(plan.tile_width, plan.tile_height))
