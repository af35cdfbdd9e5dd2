"""Where each tile stands on a screen of a given size: computed from numbers alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from station.dashboard.letters import SIZES, LetterSize, width_pixels
from station.dashboard.words import Act, longest_sentence_lines

# Below this height a tile is drawn as bare lines, without a border.
BOXED_LINES = 4
# Larger than this a tile only pulls apart what belongs together.
WIDEST_CELLS = 100
TALLEST_LINES = 30
# What a line needs to name its port, what to do, and a little of the reason.
NARROWEST_CELLS = 20

# A stage with its speed, a bar, and the figures below it.
PROGRESS_LINES = 3
# What a border takes of a tile's width, and of its height.
BORDER = 2

# Letters larger than this are welcome, but not at the price of an ugly shape.
_LARGE_ENOUGH = LetterSize(3, 3)
LONGEST_WORD_PIXELS = max(width_pixels(act.value) for act in Act if act is not Act.INSERT)
# Width divided by height of a tile that looks right; a cell is about twice as high as wide.
_BEST_ASPECT = 2.6


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A part of the screen, in cells, from its top left corner."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Grid:
    """Slots counted row by row, without gap or overlap, from the top left corner on.

    Attributes:
        columns: how many slots stand side by side.
        rows: how many stand one below the other.
        width: of all columns together, in cells.
        height: of all rows together, in lines; a multiple of `rows`.
    """

    columns: int
    rows: int
    width: int
    height: int

    @property
    def capacity(self) -> int:
        """How many slots there are."""
        return self.columns * self.rows

    def slot(self, index: int) -> Rectangle:
        """Where slot `index` is; all are of one height, and their widths differ by one at most."""
        row, column = divmod(index, self.columns)
        left, right = (edge * self.width // self.columns for edge in (column, column + 1))
        height = self.height // self.rows
        return Rectangle(left, row * height, right - left, height)

    @property
    def letters(self) -> LetterSize | None:
        """The block letters of all tiles: one size, so that a screen looks of one piece."""
        return letter_size(self.width // self.columns, self.height // self.rows)


@lru_cache(maxsize=64)
def grid_for(tiles: int, width: int, height: int) -> Grid:
    """Choose columns and rows for `tiles` tiles on `width` times `height` cells, all at least 1.

    The best by `shape_worth` wins. When not even bare lines would fit them all, the grid has fewer
    slots than tiles: see `chosen_tiles`.
    """
    candidates = [
        Grid(
            columns,
            rows,
            min(width, columns * WIDEST_CELLS),
            rows * min(height // rows, TALLEST_LINES),
        )
        for columns in range(1, min(tiles, max(1, width // NARROWEST_CELLS)) + 1)
        if (rows := -(-tiles // columns)) <= height
    ]
    if not candidates:
        return Grid(max(1, width // NARROWEST_CELLS), height, width, height)
    return max(
        candidates,
        key=lambda grid: shape_worth(
            grid.width // grid.columns, grid.height // grid.rows, grid.capacity - tiles
        ),
    )


def shape_worth(tile_width: int, tile_height: int, empty: int) -> tuple[int, int, float]:
    """Rank a layout by its tiles' size in cells and lines, and by its empty slots; more is better.

    What can be read from farther away comes first, then few empty slots, then a pleasant shape.
    """
    aspect = tile_width / tile_height
    return (
        legibility(tile_width, tile_height),
        -empty,
        -max(aspect / _BEST_ASPECT, _BEST_ASPECT / aspect),
    )


def legibility(tile_width: int, tile_height: int) -> int:
    """Rank a tile by how far away it can be read: its block letters, or whether it has a border."""
    letters = letter_size(tile_width, tile_height)
    if letters is None:
        return int(tile_height >= BOXED_LINES)
    return 2 - max(SIZES.index(letters), SIZES.index(_LARGE_ENOUGH)) + len(SIZES)


@lru_cache(maxsize=256)
def letter_size(width: int, height: int) -> LetterSize | None:
    """Choose the largest block letters for tiles of a size, whichever word they are to say.

    None where there is room for no block letters.
    """
    inner_width, inner_height = width - BORDER, height - BORDER
    # A verdict has its result and its sentence beside the letters, work its stick and its progress.
    beside = 1 + max(PROGRESS_LINES, longest_sentence_lines(inner_width))
    for size in SIZES:
        if (
            size.width_cells * LONGEST_WORD_PIXELS <= inner_width
            and size.height_cells <= inner_height - beside
        ):
            return size
    return None


def chosen_tiles(urgencies: Sequence[int], slots: int) -> tuple[int, ...]:
    """Choose which tiles to show when there may be more of them than slots.

    With too few slots the last one is left to say how many are hidden, and the most urgent tiles
    get the others.

    Args:
        urgencies: of each tile, in the order of the table; a larger one is shown first.
        slots: how many there are, at least 1.

    Returns:
        Indices of the tiles to show, in the order of the table.
    """
    if len(urgencies) <= slots:
        return tuple(range(len(urgencies)))
    by_urgency = sorted(range(len(urgencies)), key=lambda index: -urgencies[index])
    return tuple(sorted(by_urgency[: slots - 1]))
