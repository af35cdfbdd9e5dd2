from hypothesis import given, settings
from hypothesis import strategies as st

from station.image.footprint import Footprint
from station.image.geometry import Geometry, plan_geometry
from station.image.planner import plan_volume
from station.image.tree import FileEntry
from tests.image.strategies import trees

GB = 10**9
# Clusters of 512 bytes, 4 KiB and 32 KiB.
drives = st.sampled_from([plan_geometry(capacity) for capacity in (60 * 10**6, 2 * GB, 64 * GB)])


def planned_clusters(files: list[FileEntry], geometry: Geometry, *, has_label: bool) -> int:
    """What the planner really takes."""
    plan = plan_volume(files, geometry, label="TEST" if has_label else "")
    return geometry.cluster_count - plan.free_clusters


@settings(deadline=None, max_examples=50)
@given(files=trees(), geometry=drives, has_label=st.booleans())
def test_a_footprint_is_what_the_planner_takes(
    files: list[FileEntry], geometry: Geometry, *, has_label: bool
) -> None:
    footprint = Footprint(geometry.cluster_bytes, has_label=has_label).with_files(files)

    assert footprint.clusters == planned_clusters(files, geometry, has_label=has_label)


@settings(deadline=None, max_examples=50)
@given(files=trees(), at=st.integers(0, 25), geometry=drives, has_label=st.booleans())
def test_a_footprint_grows_by_parts_as_by_the_whole_and_the_smaller_one_stays(
    files: list[FileEntry], at: int, geometry: Geometry, *, has_label: bool
) -> None:
    part = Footprint(geometry.cluster_bytes, has_label=has_label).with_files(files[:at])
    before = part.clusters
    whole = part.with_files(files[at:])

    assert whole.clusters == planned_clusters(files, geometry, has_label=has_label)
    assert part.clusters == before <= whole.clusters


def test_an_empty_volume_takes_the_cluster_of_its_root() -> None:
    assert Footprint(4096, has_label=False).clusters == 1


def test_the_label_is_an_entry_that_can_cost_a_cluster() -> None:
    # Sixteen short names fill a cluster of 512 bytes to its last entry.
    files = [FileEntry(f"FILE{number}", 0) for number in range(16)]

    assert Footprint(512, has_label=False).with_files(files).clusters == 1
    assert Footprint(512, has_label=True).with_files(files).clusters == 2
