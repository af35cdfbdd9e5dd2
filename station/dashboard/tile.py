"""One port drawn as a rectangle of exactly the size that the layout gives it."""

from dataclasses import dataclass
from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

from station.dashboard import letters
from station.dashboard.cells import Strip, blank, centre, cut, ends, first_fitting, fit, wrap
from station.dashboard.face import Face
from station.dashboard.layout import BORDER, BOXED_LINES, PROGRESS_LINES
from station.dashboard.letters import LetterSize
from station.dashboard.theme import BAR_DONE, BAR_LEFT, LOOKS, Look
from station.dashboard.words import SENTENCE_LINES, Act

# Enough for `12:34`, and for what a stick takes longer than an hour with.
_LEFT_CELLS = 5
_PERCENT_CELLS = len("100 %")
_SHORTEST_BAR_CELLS = 3


@lru_cache(maxsize=1024)
def draw_tile(face: Face, width: int, height: int, size: LetterSize | None) -> tuple[Strip, ...]:
    """Draw a tile as `height` strips, each exactly `width` cells wide.

    Args:
        face: what it says.
        width: in cells, at least 1.
        height: in lines, at least 1.
        size: of its block letters; None when there is no room for any.
    """
    if height < BOXED_LINES or width <= BORDER:
        # Without borders a blank keeps two neighbours apart.
        gap = blank(1 if width > 1 else 0)
        bare = _Drawing(face, width - len(gap), height, None).bare()
        return tuple(strip + gap for strip in bare)
    return _framed(face, _Drawing(face, width - BORDER, height - BORDER, size).inside(), width)


def _framed(face: Face, lines: tuple[Strip, ...], width: int) -> tuple[Strip, ...]:
    look = LOOKS[face.act]
    border, edge = look.border, look.faint if face.act is Act.INSERT else look.ground
    label = cut(f" {face.label} ", max(0, width - BORDER - 2))
    rule = border.horizontal * (width - BORDER - 1 - cell_len(label))
    bottom = border.bottom_left + border.horizontal * (width - BORDER) + border.bottom_right
    side = Segment(border.vertical, edge)
    return (
        (
            Segment(border.top_left + border.horizontal, edge),
            Segment(label, look.label),
            Segment(rule + border.top_right, edge),
        ),
        *((side, *line, side) for line in lines),
        (Segment(bottom, edge),),
    )


@dataclass(frozen=True, slots=True)
class _Drawing:
    """A face on a rectangle without a border; every strip is `width` cells wide."""

    face: Face
    width: int
    height: int
    size: LetterSize | None

    @property
    def look(self) -> Look:
        return LOOKS[self.face.act]

    def inside(self) -> tuple[Strip, ...]:
        """Draw what stands within the border."""
        match self.face.act:
            case Act.INSERT:
                text = centre(self.face.sentence, self.width)
                return self._filled(self._centred([self._line(text)], self.height))
            case Act.WAIT:
                return self._filled(self._waiting())
            case _:
                return self._filled(self._done())

    def bare(self) -> tuple[Strip, ...]:
        """Draw it all on one line, with more on the next ones where there are any."""
        face = self.face
        label = cut(face.label, max(2, self.width // 3))
        head = Segment(cut(f"{self.look.mark} {label} ", self.width), self.look.strong)
        room = max(0, self.width - cell_len(head.text))
        if face.act is Act.INSERT:
            return self._filled([(head, Segment(fit(face.sentence, room), self.look.faint))])
        if face.act is Act.WAIT:
            if face.job_percent is None:
                wait = Segment(fit(f"WAIT: {face.sentence}", room), self.look.ground)
                return self._filled([(head, wait)])
            more = ends(f"{face.stage} {face.stick}", face.speed, self.width)
            return self._filled([(head, *self._bar_and_figures(room)), self._line(more)])
        text = face.act.value if self.height > 1 else f"{face.act.value}: {face.sentence}"
        below = wrap(face.sentence, self.width, self.height - 1)
        return self._filled(
            [
                (head, Segment(fit(text, room), self.look.strong)),
                *(self._line(fit(line, self.width)) for line in below),
            ]
        )

    def _waiting(self) -> list[Strip]:
        stick = self._line(ends(self.face.stick, self.face.size, self.width))
        if self.face.job_percent is None:
            facts = [self._line(fit(self.face.sentence, self.width), self.look.faint)]
        else:
            facts = self._progress(self.height - 1)
        return [stick, *self._word(self.look.faint, self.height - 1 - len(facts)), *facts]

    def _progress(self, lines: int) -> list[Strip]:
        face = self.face
        percent = f"{face.job_percent} %"
        stage = first_fitting(
            (f"{face.stage} {face.stage_percent} %", face.stage),
            self.width - cell_len(face.speed) - 1,
        )
        first = self._line(ends(stage, face.speed, self.width))
        if lines < PROGRESS_LINES:
            return [first, self._bar_and_figures(self.width)][-lines:]
        left = first_fitting(
            (f"{face.left} left", face.left) if face.left else ("",),
            self.width - cell_len(percent) - 1,
        )
        figures = self._line(ends(percent, left, self.width), self.look.strong)
        return [first, _bar(face.job_percent or 0, self.width), figures]

    def _bar_and_figures(self, width: int) -> Strip:
        percent = f"{self.face.job_percent} %".rjust(_PERCENT_CELLS)
        left = self.face.left.rjust(_LEFT_CELLS)
        figures = first_fitting((f" {percent} {left}", f" {left}", ""), width - _SHORTEST_BAR_CELLS)
        return (
            *_bar(self.face.job_percent or 0, width - cell_len(figures)),
            Segment(figures, self.look.strong),
        )

    def _done(self) -> list[Strip]:
        face, look = self.face, self.look
        lines = min(SENTENCE_LINES, max(1, self.height - 1))
        sentence = [
            self._line(centre(line, self.width)) for line in wrap(face.sentence, self.width, lines)
        ]
        if self.size is None:
            # No room for block letters: the word stands in the place of the result.
            spaced = f"{look.mark} {' '.join(face.act.value)} {look.mark}"
            return [self._line(centre(spaced, self.width), look.strong), *sentence]
        result = self._line(centre(f"{look.mark} {face.result}", self.width), look.strong)
        stick: list[Strip] = []
        if self.height > self.size.height_cells + 1 + len(sentence):
            stick = [self._line(ends(face.stick, face.size, self.width))]
        room = self.height - len(stick) - 1 - len(sentence)
        return [*stick, *self._word(look.strong, room), result, *sentence]

    def _word(self, style: Style, lines: int) -> list[Strip]:
        """What to do, in block letters or else in spaced ones, in the middle of `lines` lines."""
        word = self.face.act.value
        drawn = letters.draw(word, self.size) if self.size else (" ".join(word),)
        return self._centred([self._line(centre(line, self.width), style) for line in drawn], lines)

    def _centred(self, strips: list[Strip], lines: int) -> list[Strip]:
        air = lines - len(strips)
        if air < 0:
            return [self._line(" " * self.width)] * lines
        above = [self._line(" " * self.width)] * (air // 2)
        return [*above, *strips, *[self._line(" " * self.width)] * (air - air // 2)]

    def _line(self, text: str, style: Style | None = None) -> Strip:
        return (Segment(text, style or self.look.ground),)

    def _filled(self, strips: list[Strip]) -> tuple[Strip, ...]:
        missing = max(0, self.height - len(strips))
        return (*strips[: self.height], *(blank(self.width, self.look.ground),) * missing)


def _bar(percent: int, width: int) -> Strip:
    halves = 2 * max(0, width) * percent // 100
    done = "█" * (halves // 2) + "▌" * (halves % 2)
    return Segment(done, BAR_DONE), Segment("░" * (width - len(done)), BAR_LEFT)
