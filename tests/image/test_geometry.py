import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.errors import DriveTooLargeError, DriveTooSmallError, OperatorError
from station.image.geometry import Geometry, Layout, plan_geometry
from station.units import GIB, KIB, MIB, parse_size
from tests.image.strategies import geometries

FEWEST_CLUSTERS = 65_525 + 16
MOST_CLUSTERS = 268_435_444


@given(geometries())
def test_every_part_lies_behind_the_one_before_it_and_inside_of_the_drive(plan: Geometry) -> None:
    fat_1, fat_2 = (plan.fat_offset_bytes(index) for index in range(2))
    partition_end = plan.partition_bytes + plan.partition_sectors * plan.sector_bytes

    assert plan.partition_bytes + 32 * plan.sector_bytes <= fat_1
    assert fat_1 + plan.fat_bytes == fat_2
    assert fat_2 + plan.fat_bytes == plan.data_offset_bytes
    assert plan.data_offset_bytes + plan.data_bytes <= partition_end
    assert plan.data_bytes == plan.cluster_count * plan.cluster_bytes
    assert partition_end == plan.capacity_bytes // plan.sector_bytes * plan.sector_bytes


@given(geometries())
def test_a_reader_that_divides_the_volume_counts_the_same_clusters(plan: Geometry) -> None:
    data_sectors = plan.partition_sectors - plan.reserved_sectors - 2 * plan.fat_sectors

    assert data_sectors // plan.sectors_per_cluster == plan.cluster_count


@given(geometries())
def test_the_fat_has_an_entry_for_every_cluster_and_is_no_longer_than_it_must(
    plan: Geometry,
) -> None:
    needed_bytes = (plan.cluster_count + 2) * 4
    # At most the entries of the clusters whose room the alignment took.
    spare_bytes = (2 * 4 * MIB // plan.cluster_bytes + 1) * 4 + 2 * plan.sector_bytes

    assert needed_bytes <= plan.fat_bytes <= needed_bytes + spare_bytes


@pytest.mark.parametrize(
    ("capacity_bytes", "sector_bytes", "layout"),
    [
        (67_304_960, 512, Layout.MBR),
        (67_042_816, 512, Layout.SUPERFLOPPY),
        (467_660_800, 4096, Layout.MBR),
        (466_612_224, 4096, Layout.SUPERFLOPPY),
    ],
)
def test_the_fat_has_room_for_its_two_reserved_entries_where_they_need_a_sector_of_their_own(
    capacity_bytes: int, sector_bytes: int, layout: Layout
) -> None:
    plan = plan_geometry(capacity_bytes, sector_bytes, layout)

    assert plan.fat_bytes // 4 >= plan.cluster_count + 2


@given(geometries())
def test_the_cluster_count_is_that_of_fat32_with_a_distance_to_its_limits(plan: Geometry) -> None:
    assert FEWEST_CLUSTERS <= plan.cluster_count <= MOST_CLUSTERS


@given(geometries())
def test_partition_and_data_area_begin_on_a_border_of_the_flash(plan: Geometry) -> None:
    wanted_bytes = min(max(plan.capacity_bytes // 256, 64 * KIB), 4 * MIB)
    alignment_bytes = 64 * KIB
    while alignment_bytes * 2 <= wanted_bytes:
        alignment_bytes *= 2

    assert plan.partition_bytes == (alignment_bytes if plan.layout is Layout.MBR else 0)
    assert plan.data_offset_bytes % alignment_bytes == 0


@pytest.mark.parametrize("layout", Layout)
@pytest.mark.parametrize(
    ("limit_bytes", "up_to_bytes", "above_bytes"),
    [
        (260 * MIB, 512, 4 * KIB),
        (8 * GIB, 4 * KIB, 8 * KIB),
        (16 * GIB, 8 * KIB, 16 * KIB),
        (32 * GIB, 16 * KIB, 32 * KIB),
    ],
)
def test_clusters_have_the_size_of_microsofts_table_on_both_sides_of_every_limit(
    layout: Layout, limit_bytes: int, up_to_bytes: int, above_bytes: int
) -> None:
    sizes = [
        plan_geometry(limit_bytes + step * 512, 512, layout).cluster_bytes for step in (-1, 0, 1)
    ]

    assert sizes == [up_to_bytes, up_to_bytes, above_bytes]


@pytest.mark.parametrize("layout", Layout)
def test_a_cluster_is_never_smaller_than_a_sector(layout: Layout) -> None:
    assert plan_geometry(300 * MIB, 4096, layout).sectors_per_cluster == 1


@pytest.mark.parametrize("layout", Layout)
@pytest.mark.parametrize(
    ("capacity", "sector_bytes"), [("33MB", 512), ("64MB", 4096), ("100MB", 4096)]
)
def test_a_drive_with_too_few_clusters_for_fat32_is_refused_in_one_line_that_names_a_size_that_does(
    capacity: str, sector_bytes: int, layout: Layout
) -> None:
    with pytest.raises(DriveTooSmallError) as refusal:
        plan_geometry(parse_size(capacity), sector_bytes, layout)
    line = str(refusal.value)
    named_bytes = parse_size(line.removesuffix(".").rpartition("about ")[2])

    assert "\n" not in line
    assert f"too small for FAT32 with sectors of {sector_bytes} bytes" in line
    assert plan_geometry(named_bytes, sector_bytes, layout).cluster_count >= FEWEST_CLUSTERS


@pytest.mark.parametrize("layout", Layout)
@pytest.mark.parametrize("sector_bytes", [512, 4096])
def test_the_smallest_drive_that_is_taken_has_just_enough_clusters(
    sector_bytes: int, layout: Layout
) -> None:
    refused, taken = 0, 300 * MIB // sector_bytes
    while taken - refused > 1:
        sectors = (refused + taken) // 2
        try:
            plan_geometry(sectors * sector_bytes, sector_bytes, layout)
        except DriveTooSmallError:
            refused = sectors
        else:
            taken = sectors

    assert (
        plan_geometry(taken * sector_bytes, sector_bytes, layout).cluster_count == FEWEST_CLUSTERS
    )


@given(st.integers(0, 30 * MIB), st.sampled_from(Layout), st.sampled_from((512, 4096)))
def test_no_drive_is_too_small_to_be_refused_politely(
    capacity_bytes: int, layout: Layout, sector_bytes: int
) -> None:
    with pytest.raises(DriveTooSmallError):
        plan_geometry(capacity_bytes, sector_bytes, layout)


@pytest.mark.parametrize(
    ("sector_bytes", "most_bytes"),
    [
        pytest.param(512, ((1 << 32) - 1) * 512, id="sector numbers have 32 bits"),
        pytest.param(4096, MOST_CLUSTERS * 32 * KIB, id="so many clusters of 32 KiB"),
    ],
)
def test_the_largest_drive_is_taken_whole_and_one_sector_more_is_refused(
    sector_bytes: int, most_bytes: int
) -> None:
    plan = plan_geometry(most_bytes, sector_bytes)
    end_bytes = plan.partition_bytes + plan.partition_sectors * sector_bytes

    assert end_bytes == most_bytes
    assert most_bytes - plan.data_offset_bytes - plan.data_bytes < plan.cluster_bytes
    with pytest.raises(DriveTooLargeError, match=r"The largest drive is \d"):
        plan_geometry(most_bytes + sector_bytes, sector_bytes)


@pytest.mark.parametrize("sector_bytes", [0, 520, 1024, 8192])
def test_sectors_of_any_other_size_are_refused(sector_bytes: int) -> None:
    with pytest.raises(OperatorError, match=f"sectors of {sector_bytes} bytes"):
        plan_geometry(8 * GIB, sector_bytes)
