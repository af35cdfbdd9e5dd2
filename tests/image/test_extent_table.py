from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.image.extent import Extent, ExtentTable, Kind
from station.image.image import plan_pattern

kinds = st.sampled_from([Kind.BLOCK, Kind.FILE, Kind.FILL, Kind.KEEP])
runs = st.lists(st.tuples(st.integers(1, 50), kinds), min_size=1, max_size=12)


def extents_of(lengths: list[tuple[int, Kind]]) -> list[Extent]:
    extents = []
    at = 0
    for ref, (length, kind) in enumerate(lengths):
        extents.append(Extent(at, length, kind, ref))
        at += length
    return extents


def table_of(lengths: list[tuple[int, Kind]]) -> ExtentTable:
    return ExtentTable.joined([ExtentTable.part(extents_of(lengths))])


@given(runs)
def test_a_table_gives_back_the_extents_it_was_made_of(lengths: list[tuple[int, Kind]]) -> None:
    table = table_of(lengths)

    assert list(table) == extents_of(lengths)
    assert len(table) == len(lengths)
    assert table.end_bytes == sum(length for length, _ in lengths)
    for kind in Kind:
        assert table.total_bytes(kind) == sum(length for length, k in lengths if k is kind)


@given(runs, st.data())
def test_pieces_say_of_every_byte_in_a_range_where_it_comes_from(
    lengths: list[tuple[int, Kind]], data: st.DataObject
) -> None:
    table = table_of(lengths)
    start = data.draw(st.integers(0, table.end_bytes - 1))
    end = data.draw(st.integers(start + 1, table.end_bytes))
    pieces = list(table.pieces(start, end))
    told = [
        (piece.start_bytes + step, piece.kind, piece.ref, piece.skipped_bytes + step)
        for piece in pieces
        for step in range(piece.length_bytes)
    ]
    expected = [
        (extent.start_bytes + step, extent.kind, extent.ref, step)
        for extent in extents_of(lengths)
        for step in range(extent.length_bytes)
        if start <= extent.start_bytes + step < end
    ]

    assert told == expected
    assert all(piece.length_bytes for piece in pieces)
    assert [piece.ref for piece in pieces if piece.is_last] == [
        extent.ref for extent in extents_of(lengths) if start < extent.end_bytes <= end
    ]


@given(runs, st.integers(1, 70))
def test_spans_are_all_that_is_not_kept_cut_at_multiples_of_the_transfer_size(
    lengths: list[tuple[int, Kind]], longest_bytes: int
) -> None:
    spans = list(table_of(lengths).spans(longest_bytes))
    covered = [at for start, end in spans for at in range(start, end)]
    expected = [
        at
        for extent in extents_of(lengths)
        for at in range(extent.start_bytes, extent.end_bytes)
        if extent.kind is not Kind.KEEP
    ]

    assert covered == expected
    assert all(start // longest_bytes == (end - 1) // longest_bytes for start, end in spans)


@given(runs, st.integers(1, 70))
def test_spans_are_as_long_as_they_can_be(
    lengths: list[tuple[int, Kind]], longest_bytes: int
) -> None:
    spans = list(table_of(lengths).spans(longest_bytes))

    for (_, end), (start, _) in pairwise(spans):
        assert end < start or end % longest_bytes == 0


@pytest.mark.parametrize(
    ("extents", "complaint"),
    [
        pytest.param([], "begin at zero", id="nothing"),
        pytest.param([(1, 5)], "begin at zero", id="not from the start"),
        pytest.param([(0, 5), (6, 5)], "gap or overlap", id="a gap"),
        pytest.param([(0, 5), (4, 5)], "gap or overlap", id="an overlap"),
        pytest.param([(5, 5), (0, 5)], "begin at zero", id="descending"),
        pytest.param([(0, -5)], "hold something", id="a length below zero"),
    ],
)
def test_a_table_with_a_gap_or_an_overlap_can_not_be_made(
    extents: list[tuple[int, int]], complaint: str
) -> None:
    parts = [
        ExtentTable.part([Extent(start, length, Kind.FILL, 0)]) for start, length in extents
    ] or [ExtentTable.part([])]

    with pytest.raises(ValueError, match=complaint):
        ExtentTable.joined(parts)


@given(st.integers(2, 10**12), st.sampled_from((512, 4096)), st.integers(0, 255))
def test_a_wipe_puts_its_pattern_on_everything_but_sector_0_which_stays_zero(
    sectors: int, sector_bytes: int, value: int
) -> None:
    capacity_bytes = sectors * sector_bytes + 7
    image = plan_pattern(capacity_bytes, sector_bytes, value)

    assert list(image.extents) == [
        Extent(0, sector_bytes, Kind.SEAL, 0),
        Extent(sector_bytes, capacity_bytes - sector_bytes, Kind.FILL, value),
    ]
    assert image.seal == bytes(sector_bytes)
    assert image.transfer_bytes == image.capacity_bytes == capacity_bytes
