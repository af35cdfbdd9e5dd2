"""A whole screen as values: which strip of text stands where."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.segment import Segment

from station.dashboard import header, theme
from station.dashboard.blocks import Blocks, blocks_for
from station.dashboard.cells import Strip, blank, centre, first_fitting, strip_width
from station.dashboard.event import JobEnded
from station.dashboard.face import ACTION_URGENCY, face_of, urgency
from station.dashboard.layout import Rectangle, chosen_tiles, grid_for
from station.dashboard.letters import LetterSize
from station.dashboard.snapshot import StationSnapshot
from station.dashboard.tile import draw_tile
from station.usb.bus import LinkLoad

# From these heights on there is room for one more line around the tiles, the most needed one first.
_TITLE_FROM_LINES = 4
_COUNTS_FROM_LINES = 8
_LEGEND_FROM_LINES = 14
_RECENT_FROM_LINES = 18


@dataclass(frozen=True, slots=True)
class Patch:
    """A strip and where it begins, in cells from the top left corner."""

    x: int
    y: int
    strip: Strip


@dataclass(frozen=True, slots=True)
class Frame:
    """What a screen shows.

    Attributes:
        width: of the screen in cells.
        height: of the screen in lines.
        patches: from top to bottom and left to right; together they cover every cell once.
    """

    width: int
    height: int
    patches: tuple[Patch, ...]

    def changes_since(self, before: "Frame | None") -> tuple[Patch, ...]:
        """Say what to draw on a screen that shows `before`, or on one that shows anything."""
        if before is None or (before.width, before.height) != (self.width, self.height):
            return self.patches
        # Equal strips at another place, or cut in another way, count as changes: rare and harmless.
        known = set(before.patches)
        return tuple(patch for patch in self.patches if patch not in known)

    def rows(self) -> list[Strip]:
        """The screen line by line."""
        rows: list[list[Segment]] = [[] for _ in range(self.height)]
        for patch in self.patches:
            rows[patch.y].extend(patch.strip)
        return [tuple(row) for row in rows]


def compose(
    snapshot: StationSnapshot, recent: Sequence[JobEnded], width: int, height: int
) -> Frame:
    """Draw a screen of any size from 1 times 1 on.

    Args:
        snapshot: what to show.
        recent: the newest verdicts, newest first.
        width: of the screen in cells.
        height: of the screen in lines.
    """
    links = snapshot.links
    above: list[Strip] = []
    below: list[Strip] = []
    if height >= _TITLE_FROM_LINES:
        above.append(header.title_line(snapshot, width))
    if height >= _COUNTS_FROM_LINES:
        above.append(header.counts_line(snapshot, width))
    # That no stick may be inserted any more matters more than a second line of tiles.
    if height >= (_TITLE_FROM_LINES if snapshot.draining else _LEGEND_FROM_LINES):
        above.append(header.legend_line(snapshot, width))
    if height >= _RECENT_FROM_LINES:
        below.append(header.recent_line(recent, links, width))
    area = Rectangle(0, len(above), width, height - len(above) - len(below))
    patches = [Patch(0, y, strip) for y, strip in enumerate(above)]
    patches += _tile_patches(snapshot, links, area)
    patches += [Patch(0, area.y + area.height + y, strip) for y, strip in enumerate(below)]
    return Frame(width, height, _covering(patches, width, height))


def _tile_patches(
    snapshot: StationSnapshot, links: Sequence[LinkLoad], area: Rectangle
) -> list[Patch]:
    tiles = snapshot.tiles
    if not tiles:
        middle = area.y + (area.height - 1) // 2
        return [Patch(0, middle, (Segment(centre("no ports", area.width), theme.FAINT),))]
    blocks = blocks_for(tuple(hub.size for hub in snapshot.hubs), area.width, area.height)
    if blocks is not None:
        return _block_patches(snapshot, links, blocks, area)
    grid = grid_for(len(tiles), area.width, area.height)
    chosen = chosen_tiles([urgency(tile) for tile in tiles], grid.capacity)
    patches: list[Patch] = []
    for slot, index in enumerate(chosen):
        patches += _tile_at(grid.slot(slot), snapshot, index, grid.letters, area)
    if len(chosen) < len(tiles):
        place = grid.slot(grid.capacity - 1)
        text = _hidden_text(snapshot, set(chosen), place.width)
        patches.append(
            Patch(
                area.x + place.x,
                area.y + place.y,
                (Segment(centre(text, place.width), theme.BANNER),),
            )
        )
    return patches


def _block_patches(
    snapshot: StationSnapshot, links: Sequence[LinkLoad], blocks: Blocks, area: Rectangle
) -> list[Patch]:
    patches: list[Patch] = []
    first = 0
    # There is a heading for each hub or none at all.
    for hub, place in zip(snapshot.hubs, blocks.headings, strict=False):
        labels = {tile.label for tile in snapshot.tiles[first : first + hub.size]}
        first += hub.size
        busiest = next((load for load in links if not labels.isdisjoint(load.labels)), None)
        strip = header.hub_line(hub.name, busiest, place.width)
        patches.append(Patch(area.x + place.x, area.y + place.y, strip))
    for index, place in enumerate(blocks.slots):
        patches += _tile_at(place, snapshot, index, blocks.letters, area)
    return patches


def _tile_at(
    place: Rectangle,
    snapshot: StationSnapshot,
    index: int,
    letters: LetterSize | None,
    area: Rectangle,
) -> list[Patch]:
    face = face_of(snapshot.tiles[index], draining=snapshot.draining)
    strips = draw_tile(face, place.width, place.height, letters)
    return [
        Patch(area.x + place.x, area.y + place.y + line, strip) for line, strip in enumerate(strips)
    ]


def _hidden_text(snapshot: StationSnapshot, chosen: set[int], width: int) -> str:
    hidden = [tile for index, tile in enumerate(snapshot.tiles) if index not in chosen]
    waiting = sum(urgency(tile) >= ACTION_URGENCY for tile in hidden)
    if waiting:
        return first_fitting(
            (
                f"+{len(hidden)} more, {waiting} need you",
                f"+{len(hidden)} ({waiting} done)",
                f"+{len(hidden)}",
            ),
            width,
        )
    return first_fitting((f"+{len(hidden)} more ports", f"+{len(hidden)} more"), width)


def _covering(patches: list[Patch], width: int, height: int) -> tuple[Patch, ...]:
    """Fill what is left of the screen with blanks, so that nothing old can stay on it."""
    by_row: list[list[Patch]] = [[] for _ in range(height)]
    for patch in patches:
        by_row[patch.y].append(patch)
    covered: list[Patch] = []
    for y, row in enumerate(by_row):
        x = 0
        for patch in sorted(row, key=lambda patch: patch.x):
            if patch.x > x:
                covered.append(Patch(x, y, blank(patch.x - x)))
            covered.append(patch)
            x = patch.x + strip_width(patch.strip)
        if x < width:
            covered.append(Patch(x, y, blank(width - x)))
    return tuple(covered)
