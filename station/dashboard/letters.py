"""Block letters that can be read from across a room, at whatever size there is room for."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest

# Five pixels high, one pixel between two letters. Narrow on purpose: a four-letter word in the
# smallest size has to fit a tile of 20 cells, a quarter of an 80-column terminal.
_GLYPHS = {
    "A": ("###", "# #", "###", "# #", "# #"),
    "B": ("## ", "# #", "## ", "# #", "## "),
    "C": ("###", "#  ", "#  ", "#  ", "###"),
    "D": ("## ", "# #", "# #", "# #", "## "),
    "E": ("###", "#  ", "## ", "#  ", "###"),
    "I": ("#", "#", "#", "#", "#"),
    "K": ("# #", "# #", "## ", "# #", "# #"),
    "L": ("#  ", "#  ", "#  ", "#  ", "###"),
    "M": ("#   #", "## ##", "# # #", "#   #", "#   #"),
    "N": ("#  #", "## #", "# ##", "#  #", "#  #"),
    "O": ("###", "# #", "# #", "# #", "###"),
    "P": ("###", "# #", "###", "#  ", "#  "),
    "R": ("###", "# #", "## ", "# #", "# #"),
    "S": ("###", "#  ", "###", "  #", "###"),
    "T": ("###", " # ", " # ", " # ", " # "),
    "U": ("# #", "# #", "# #", "# #", "###"),
    "V": ("# #", "# #", "# #", "# #", " # "),
    "W": ("#   #", "#   #", "# # #", "## ##", "#   #"),
}
_LETTER_PIXELS = 5
_HALVES = {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): " "}


@dataclass(frozen=True, slots=True)
class LetterSize:
    """How large one pixel of a letter is drawn.

    Attributes:
        width_cells: width of a pixel.
        height_halves: height of a pixel in half cells; a cell is about twice as high as wide.
    """

    width_cells: int
    height_halves: int

    @property
    def height_cells(self) -> int:
        """Height of a line of letters."""
        return -(-_LETTER_PIXELS * self.height_halves // 2)


# From large to small; the odd one out, (1, 2), makes tall letters where a tile is narrow.
SIZES = (
    LetterSize(6, 6),
    LetterSize(4, 4),
    LetterSize(3, 3),
    LetterSize(2, 2),
    LetterSize(1, 2),
    LetterSize(1, 1),
)


@lru_cache(maxsize=256)
def width_pixels(word: str) -> int:
    """Width of a word in pixels. Raises KeyError for a letter that there is no glyph for."""
    return sum(len(_GLYPHS[letter][0]) for letter in word) + len(word) - 1


@lru_cache(maxsize=256)
def draw(word: str, size: LetterSize) -> tuple[str, ...]:
    """Draw a word as `size.height_cells` lines of one width."""
    pixel_rows = [
        [
            pixel != " "
            for pixel in " ".join(_GLYPHS[letter][row] for letter in word)
            for _ in range(size.width_cells)
        ]
        for row in range(_LETTER_PIXELS)
    ]
    half_rows = [row for row in pixel_rows for _ in range(size.height_halves)]
    nothing = [False] * len(pixel_rows[0])
    return tuple(
        "".join(_HALVES[halves] for halves in zip(upper, lower, strict=True))
        for upper, lower in zip_longest(half_rows[::2], half_rows[1::2], fillvalue=nothing)
    )
