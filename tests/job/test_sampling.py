from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from station.job.sampling import sample_ranges

SECTIONS = 1000  # NIST SP 800-88 r1, 4.7.2
sector_sizes = st.sampled_from((512, 4096))


@st.composite
def regions(draw: st.DrawFn, fewest: int, most: int) -> tuple[int, int, int]:
    """Start and end in bytes, and the sector size; the end may lie within a sector."""
    sector = draw(sector_sizes)
    start = draw(st.integers(0, 1 << 30)) * sector
    sectors = draw(st.integers(fewest, most))
    return start, start + sectors * sector + draw(st.integers(0, sector - 1)), sector


@settings(deadline=None, max_examples=50)
@given(region=regions(20_000, 4_000_000), seed=st.integers())
def test_each_of_a_thousand_sections_gives_two_samples_of_a_twentieth_each(
    region: tuple[int, int, int], seed: int
) -> None:
    start, end, sector = region
    sectors = (end - start) // sector
    ranges = sample_ranges(start, end, sector, Random(seed))
    held = [((low - start) // sector, -(-(high - start) // sector)) for low, high in ranges]

    index = 0
    for section in range(SECTIONS):
        low, high = section * sectors // SECTIONS, (section + 1) * sectors // SECTIONS
        while held[index][1] <= low:
            index += 1
        sampled = 0
        step = index
        while step < len(held) and held[step][0] < high:
            sampled += min(held[step][1], high) - max(held[step][0], low)
            step += 1
        # Two that don't overlap, each of at least a twentieth: together at least a tenth.
        assert sampled * 20 >= 2 * (high - low)


@settings(deadline=None, max_examples=50)
@given(region=regions(1, 200_000), seed=st.integers())
def test_samples_ascend_apart_from_each_other_within_the_region_on_sector_borders(
    region: tuple[int, int, int], seed: int
) -> None:
    start, end, sector = region
    ranges = sample_ranges(start, end, sector, Random(seed))
    edges = [edge for low_high in ranges for edge in low_high]

    assert edges == sorted(set(edges))
    assert all(edge % sector == 0 for edge in edges[:-1])
    # The first and the last addressable location are always among them.
    assert (edges[0], edges[-1]) == (start, end)


@settings(deadline=None, max_examples=50)
@given(region=regions(100_000, 4_000_000), seed=st.integers())
def test_samples_are_a_small_part_of_a_large_region(
    region: tuple[int, int, int], seed: int
) -> None:
    start, end, sector = region
    sampled = sum(high - low for low, high in sample_ranges(start, end, sector, Random(seed)))

    # A tenth, and what rounding up to whole sectors adds.
    assert sampled <= (end - start) // 10 + (2 * SECTIONS + 3) * sector


@settings(deadline=None, max_examples=50)
@given(
    region=regions(100_000, 1_000_000),
    seeds=st.lists(st.integers(), min_size=2, max_size=3, unique=True),
)
def test_samples_lie_elsewhere_each_time(region: tuple[int, int, int], seeds: list[int]) -> None:
    drawn = {tuple(sample_ranges(*region, Random(seed * 2 + 1))) for seed in map(abs, seeds)}

    assert len(drawn) == len(set(map(abs, seeds)))


@settings(deadline=None, max_examples=50)
@given(region=regions(1, 19_999))
def test_a_region_too_small_for_samples_is_read_whole(region: tuple[int, int, int]) -> None:
    start, end, sector = region

    assert sample_ranges(start, end, sector, Random(0)) == [(start, end)]


def test_nothing_is_sampled_where_nothing_is_left() -> None:
    assert sample_ranges(4096, 4096, 512, Random(0)) == []
