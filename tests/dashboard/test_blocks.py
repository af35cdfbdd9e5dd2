import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from station.dashboard.blocks import Blocks, blocks_for
from station.dashboard.cells import strip_width
from station.dashboard.frame import compose
from station.dashboard.layout import Rectangle, grid_for, legibility
from station.dashboard.snapshot import StationSnapshot
from station.usb.hubs import HubOnTable
from tests.dashboard.samples import station, working

hubs = st.lists(st.integers(1, 20), min_size=2, max_size=6).map(tuple)
widths = st.integers(1, 400)
heights = st.integers(1, 120)


def cells_of(place: Rectangle) -> set[tuple[int, int]]:
    return {
        (x, y)
        for x in range(place.x, place.x + place.width)
        for y in range(place.y, place.y + place.height)
    }


def blocks_on(sizes: tuple[int, ...], width: int, height: int) -> Blocks:
    blocks = blocks_for(sizes, width, height)
    assume(blocks is not None)
    assert blocks is not None
    return blocks


@given(hubs, widths, heights)
def test_every_tile_and_heading_has_a_place_of_its_own_on_the_screen(
    sizes: tuple[int, ...], width: int, height: int
) -> None:
    blocks = blocks_on(sizes, width, height)
    places = [*blocks.headings, *blocks.slots]
    covered: set[tuple[int, int]] = set().union(*map(cells_of, places))

    assert len(blocks.headings) in (0, len(sizes))
    assert len(blocks.slots) == sum(sizes)
    assert all(place.width > 0 and place.height > 0 for place in places)
    assert len(covered) == sum(place.width * place.height for place in places)
    assert all(0 <= x < width and 0 <= y < height for x, y in covered)


@given(hubs, widths, heights)
def test_the_tiles_of_a_hub_stand_in_order_and_no_other_hubs_among_them(
    sizes: tuple[int, ...], width: int, height: int
) -> None:
    blocks = blocks_on(sizes, width, height)
    slots = iter(blocks.slots)
    for size in sizes:
        own = [next(slots) for _ in range(size)]
        right = max(slot.x + slot.width for slot in own)
        bottom = max(slot.y + slot.height for slot in own)

        assert [(slot.y, slot.x) for slot in own] == sorted((slot.y, slot.x) for slot in own)
        for other in set(blocks.slots) - set(own):
            assert not (own[0].y <= other.y < bottom and own[0].x <= other.x < right)


@given(hubs, widths, heights)
def test_a_heading_is_as_wide_as_its_block_and_right_above_it(
    sizes: tuple[int, ...], width: int, height: int
) -> None:
    blocks = blocks_on(sizes, width, height)
    slots = iter(blocks.slots)
    for heading, size in zip(blocks.headings, sizes, strict=False):
        own = [next(slots) for _ in range(size)]

        assert (own[0].x, own[0].y) == (heading.x, heading.y + 1)
        assert all(slot.x + slot.width <= heading.x + heading.width for slot in own)


@pytest.mark.parametrize(("width", "height"), [(80, 20), (220, 56)])
def test_blocks_that_have_no_room_for_headings_are_kept_apart_by_a_gap(
    width: int, height: int
) -> None:
    sizes = (8, 8)
    blocks = blocks_for(sizes, width, height)
    assert blocks is not None
    assert not blocks.headings
    slots = iter(blocks.slots)
    left = 0
    for size in sizes:
        own = [next(slots) for _ in range(size)]

        assert own[0].x >= left
        assert own[0].y == 0
        left = max(slot.x + slot.width for slot in own) + 2


@given(hubs, widths, heights)
def test_hubs_cost_no_legibility(sizes: tuple[int, ...], width: int, height: int) -> None:
    blocks = blocks_on(sizes, width, height)
    grid = grid_for(sum(sizes), width, height)
    narrowest = min(slot.width for slot in blocks.slots)

    assert legibility(narrowest, blocks.slots[0].height) >= legibility(
        grid.width // grid.columns, grid.height // grid.rows
    )


@given(st.integers(1, 40), widths, heights)
def test_one_hub_and_a_table_of_single_ports_are_not_grouped(
    ports: int, width: int, height: int
) -> None:
    assert blocks_for((ports,), width, height) is None
    assert blocks_for((1,) * ports, width, height) is None


@pytest.mark.parametrize(
    ("sizes", "width", "height"),
    [
        ((8, 8), 120, 36),
        ((16, 16), 220, 56),
        ((8, 8, 8, 8), 220, 56),
        ((8,) * 5, 220, 56),
        ((4, 4), 80, 20),
    ],
)
def test_the_usual_tables_are_grouped_on_the_usual_screens(
    sizes: tuple[int, ...], width: int, height: int
) -> None:
    assert blocks_for(sizes, width, height) is not None


def two_hubs(ports: int = 8) -> StationSnapshot:
    tiles = [working(f"{hub}{port}") for hub in "AB" for port in range(1, ports + 1)]
    snapshot = station(*tiles)
    return StationSnapshot(
        **{
            **{name: getattr(snapshot, name) for name in snapshot.__slots__},
            "hubs": (HubOnTable("left hub", ports), HubOnTable("\x1b[2Jright", ports)),
        }
    )


@given(st.integers(1, 250), st.integers(1, 70))
def test_a_screen_of_hubs_is_covered_cell_by_cell_and_shows_no_port_twice(
    width: int, height: int
) -> None:
    frame = compose(two_hubs(), (), width, height)
    text = "\n".join("".join(segment.text for segment in row) for row in frame.rows())

    assert [strip_width(row) for row in frame.rows()] == [width] * height
    for tile in two_hubs().tiles:
        assert text.count(f" {tile.label} ") <= 1


def test_each_hub_has_its_name_above_its_tiles() -> None:
    rows = [
        "".join(segment.text for segment in row) for row in compose(two_hubs(), (), 120, 40).rows()
    ]
    left, right = rows[3].index("━━ left hub ━"), rows[3].index("━━ \\x1b[2Jright ━")

    for tile in two_hubs().tiles:
        (x,) = (row.index(f" {tile.label} ") for row in rows if f" {tile.label} " in row)
        assert (x > right) is (tile.label[0] == "B")
        assert x > left


def test_a_table_too_full_for_the_screen_is_shown_without_hubs() -> None:
    assert blocks_for((40, 40), 80, 20) is None


def test_an_empty_table_has_no_hubs() -> None:
    assert blocks_for((), 80, 20) is None
    assert "no ports" in "".join(
        segment.text for row in compose(station(), (), 80, 24).rows() for segment in row
    )
