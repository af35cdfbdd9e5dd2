import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.dashboard.layout import NARROWEST_CELLS, chosen_tiles, grid_for

widths = st.integers(1, 400)
heights = st.integers(1, 120)
tile_counts = st.integers(1, 200)


@given(tile_counts, widths, heights)
def test_slots_stay_inside_and_never_overlap(tiles: int, width: int, height: int) -> None:
    grid = grid_for(tiles, width, height)
    slots = [grid.slot(index) for index in range(grid.capacity)]
    cells = [
        (x, y)
        for slot in slots
        for x in range(slot.x, slot.x + slot.width)
        for y in range(slot.y, slot.y + slot.height)
    ]

    assert all(slot.width > 0 and slot.height > 0 for slot in slots)
    assert len(cells) == len(set(cells))
    assert all(0 <= x < width and 0 <= y < height for x, y in cells)


@given(tile_counts, widths, heights)
def test_all_tiles_have_a_slot_wherever_a_line_each_would_fit(
    tiles: int, width: int, height: int
) -> None:
    lines = max(1, width // NARROWEST_CELLS) * height

    assert (grid_for(tiles, width, height).capacity >= tiles) == (lines >= tiles)


@given(tile_counts, widths, heights)
def test_all_slots_of_a_grid_are_of_one_height_and_nearly_one_width(
    tiles: int, width: int, height: int
) -> None:
    grid = grid_for(tiles, width, height)
    slots = [grid.slot(index) for index in range(grid.capacity)]
    slot_widths = [slot.width for slot in slots]

    assert len({slot.height for slot in slots}) == 1
    assert max(slot_widths) - min(slot_widths) <= 1


@pytest.mark.parametrize(
    ("tiles", "width", "height"), [(8, 80, 20), (16, 120, 36), (40, 220, 56), (64, 220, 56)]
)
def test_the_usual_stations_have_block_letters(tiles: int, width: int, height: int) -> None:
    assert grid_for(tiles, width, height).letters is not None


@given(tile_counts, st.integers(40, 300), st.integers(5, 100), st.integers(1, 100))
def test_a_larger_screen_never_has_smaller_letters(
    tiles: int, width: int, height: int, more: int
) -> None:
    small, large = (grid_for(tiles, width + grow, height + grow) for grow in (0, more))
    small_cells, large_cells = (
        grid.letters.width_cells * grid.letters.height_halves if grid.letters else 0
        for grid in (small, large)
    )

    # From 3 by 3 on the letters are large enough, and the shape of the tiles decides.
    assert min(large_cells, 9) >= min(small_cells, 9)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=80), st.integers(1, 100))
def test_tiles_are_shown_or_counted_and_the_most_urgent_ones_are_shown(
    urgencies: list[int], slots: int
) -> None:
    chosen = chosen_tiles(urgencies, slots)
    hidden = [index for index in range(len(urgencies)) if index not in chosen]

    assert list(chosen) == sorted(set(chosen))
    # With any tile hidden, one slot is left to count them in.
    assert len(chosen) + bool(hidden) <= slots
    assert not hidden or len(chosen) == slots - 1
    assert all(urgencies[a] >= urgencies[b] for a in chosen for b in hidden)
