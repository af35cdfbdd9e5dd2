"""The plan of a whole drive, read back by a strict reader that shares nothing with the planner."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from station.errors import DriveTooSmallError
from station.image.extent import Kind
from station.image.footprint import Footprint
from station.image.geometry import Geometry, Layout, plan_geometry
from station.image.identity import VolumeIdentity
from station.image.image import Image
from station.image.names import folded
from station.image.order import natural_key
from station.image.planner import plan_volume
from station.image.short_names import is_short
from station.image.tree import FileEntry
from station.units import MIB
from tests.image.fat_reader import FatVolume
from tests.image.strategies import geometries, small_geometries, trees

IDENTITY = VolumeIdentity(volume_id=0xABCD, disk_signature=0x1234)
FIXED_DATES = (0, 0, 0, 0, 0, 0x21)  # written at midnight of 1980-01-01, and nothing else
labels = st.sampled_from(("", "MOVIES", "ELEVEN BYTE"))


def content_of(index: int, size_bytes: int) -> bytes:
    return bytes([index % 255 + 1]) * size_bytes


class ImageReader:
    """The bytes of a drive that holds an image."""

    def __init__(self, image: Image, files: list[FileEntry]) -> None:
        self._image = image
        self._extents = list(image.extents)
        self._files = files

    def __call__(self, offset_bytes: int, length_bytes: int) -> bytes:
        end_bytes = offset_bytes + length_bytes
        return b"".join(
            self._part(index, max(offset_bytes, extent.start_bytes), end_bytes)
            for index, extent in enumerate(self._extents)
            if extent.start_bytes < end_bytes and offset_bytes < extent.end_bytes
        )

    def _part(self, index: int, start_bytes: int, end_bytes: int) -> bytes:
        extent = self._extents[index]
        skipped = start_bytes - extent.start_bytes
        length = min(end_bytes, extent.end_bytes) - start_bytes
        match extent.kind:
            case Kind.SEAL:
                return self._image.seal[skipped : skipped + length]
            case Kind.BLOCK:
                return bytes(self._image.blocks[extent.ref].render(skipped, length))
            case Kind.FILE:
                size_bytes = self._files[extent.ref].size_bytes
                return content_of(extent.ref, size_bytes)[skipped : skipped + length]
            case _:
                return bytes([extent.ref]) * length


def volume_of(
    files: list[FileEntry], geometry: Geometry, label: str = ""
) -> tuple[FatVolume, Image]:
    image = plan_volume(files, geometry, label=label).image(IDENTITY)
    return FatVolume(ImageReader(image, files), geometry.partition_bytes), image


@given(files=trees(), geometry=geometries(), label=labels, keeps_free_space=st.booleans())
def test_extents_cover_the_drive_ascending_without_gap_or_overlap(
    files: list[FileEntry], geometry: Geometry, label: str, *, keeps_free_space: bool
) -> None:
    plan = plan_volume(files, geometry, label=label, keeps_free_space=keeps_free_space)
    at = 0
    for extent in plan.extents:
        assert extent.start_bytes == at
        assert extent.length_bytes > 0
        at = extent.end_bytes

    assert at == geometry.capacity_bytes


@given(trees(), geometries(), labels)
def test_each_file_stands_on_the_drive_once_whole_and_on_a_cluster_of_its_own(
    files: list[FileEntry], geometry: Geometry, label: str
) -> None:
    plan = plan_volume(files, geometry, label=label)
    extents = [extent for extent in plan.extents if extent.kind is Kind.FILE]

    assert sorted((extent.ref, extent.length_bytes) for extent in extents) == [
        (index, file.size_bytes) for index, file in enumerate(files) if file.size_bytes
    ]
    for extent in extents:
        assert (extent.start_bytes - geometry.data_offset_bytes) % geometry.cluster_bytes == 0
    assert plan.content_bytes == sum(file.size_bytes for file in files)


@given(trees(), geometries(), labels)
def test_blocks_are_as_long_as_their_extents_and_all_fill_is_zero(
    files: list[FileEntry], geometry: Geometry, label: str
) -> None:
    image = plan_volume(files, geometry, label=label).image(IDENTITY)

    assert len(image.seal) == geometry.sector_bytes
    for extent in image.extents:
        if extent.kind is Kind.BLOCK:
            assert image.blocks[extent.ref].length_bytes == extent.length_bytes
        elif extent.kind is Kind.FILL:
            assert extent.ref == 0


@settings(max_examples=60)
@given(trees(), small_geometries(), labels)
def test_every_name_size_and_byte_survives_and_nothing_else_is_there(
    files: list[FileEntry], geometry: Geometry, label: str
) -> None:
    volume, _ = volume_of(files, geometry, label)
    nodes = list(volume.walk())
    folders = {
        file.path[:at]
        for file in files
        for at, character in enumerate(file.path)
        if character == "/"
    }

    assert {node.path for node in nodes if node.is_folder} == folders
    assert {node.path: volume.read(node) for node in nodes if not node.is_folder} == {
        file.path: content_of(index, file.size_bytes) for index, file in enumerate(files)
    }
    assert len(nodes) == len(folders) + len(files)
    assert not any(any(volume.slack(node)) for node in nodes if not node.is_folder)
    assert volume.label == (label.encode().ljust(11) if label else b"")


@settings(max_examples=60)
@given(trees(), small_geometries())
def test_every_cluster_in_use_belongs_to_something_and_the_rest_is_counted_as_free(
    files: list[FileEntry], geometry: Geometry
) -> None:
    volume, image = volume_of(files, geometry)
    for _ in volume.walk():
        pass
    plan = plan_volume(files, geometry)
    used = np.flatnonzero(volume.fat[2:])

    assert (volume.claimed[2:] == (volume.fat[2:] != 0)).all()
    assert plan.free_clusters == geometry.cluster_count - len(used)
    assert plan.last_cluster == used[-1] + 2
    assert plan.content_end_bytes == geometry.cluster_offset_bytes(plan.last_cluster + 1)
    assert volume.fat[0] == 0x0FFFFFF8
    assert image.capacity_bytes == geometry.capacity_bytes


@settings(max_examples=60)
@given(trees(), small_geometries())
def test_directories_list_folders_and_then_files_in_natural_order_under_unique_short_names(
    files: list[FileEntry], geometry: Geometry
) -> None:
    volume, _ = volume_of(files, geometry)
    by_folder: dict[str, list[tuple[bool, str, str]]] = {}
    for node in volume.walk():
        folder, _, name = node.path.rpartition("/")
        by_folder.setdefault(folder, []).append((not node.is_folder, name, node.short_name))
        assert node.has_long_name is not is_short(name)
        assert node.dates == FIXED_DATES

    for entries in by_folder.values():
        assert entries == sorted(entries, key=lambda entry: (entry[0], natural_key(entry[1])))
        assert len({short_name for _, _, short_name in entries}) == len(entries)
        for _, name, short_name in entries:
            assert short_name not in {folded(other) for _, other, _ in entries if other != name}


@given(trees(), geometries())
def test_what_is_kept_lies_between_the_content_and_the_last_mib(
    files: list[FileEntry], geometry: Geometry
) -> None:
    whole = plan_volume(files, geometry)
    plan = plan_volume(files, geometry, keeps_free_space=True)
    kept = [extent for extent in plan.extents if extent.kind is Kind.KEEP]
    [last] = kept
    rest_bytes = geometry.capacity_bytes - last.end_bytes

    written_before = [e for e in plan.extents if e.end_bytes <= last.start_bytes]

    assert last.start_bytes == max(plan.content_end_bytes, MIB)
    assert MIB <= rest_bytes < MIB + geometry.sector_bytes
    assert last.end_bytes % geometry.sector_bytes == 0
    assert written_before[: len(whole.extents) - 1] == list(whole.extents)[:-1]
    assert plan.image(IDENTITY).transfer_bytes == last.start_bytes + rest_bytes


def test_nothing_is_kept_when_the_content_reaches_into_the_last_mib() -> None:
    geometry = plan_geometry(64 * 10**6)
    directory_bytes = geometry.cluster_bytes
    files = [FileEntry("full.bin", geometry.data_bytes - directory_bytes)]
    plan = plan_volume(files, geometry, keeps_free_space=True)

    assert plan.free_clusters == 0
    assert plan.extents.total_bytes(Kind.KEEP) == 0


@pytest.mark.parametrize("layout", Layout)
def test_a_volume_is_filled_to_its_last_cluster_and_not_one_byte_further(layout: Layout) -> None:
    geometry = plan_geometry(64 * 10**6, layout=layout)
    room_bytes = geometry.data_bytes - geometry.cluster_bytes

    assert plan_volume([FileEntry("F", room_bytes)], geometry).free_clusters == 0
    with pytest.raises(DriveTooSmallError, match=r"the files need .* has room for"):
        plan_volume([FileEntry("F", room_bytes + 1)], geometry)


@given(files=trees(), geometry=geometries(), has_label=st.booleans())
def test_a_footprint_foretells_the_clusters_that_a_plan_takes(
    files: list[FileEntry], geometry: Geometry, *, has_label: bool
) -> None:
    plan = plan_volume(files, geometry, label="L" if has_label else "")
    half = len(files) // 2
    empty = Footprint(geometry.cluster_bytes, has_label=has_label)
    grown = empty.with_files(files[:half]).with_files(files[half:])

    assert grown.clusters == geometry.cluster_count - plan.free_clusters
    assert empty.clusters == 1


@given(trees(), small_geometries())
def test_two_sticks_differ_in_nothing_but_volume_id_and_disk_signature(
    files: list[FileEntry], geometry: Geometry
) -> None:
    plan = plan_volume(files, geometry)
    one, other = plan.image(VolumeIdentity(1, 2)), plan.image(VolumeIdentity(0xFFFFFFFE, 7))
    boot = [[image.seal, bytes(image.blocks[0].render(0, 512))] for image in (one, other)]
    differing = {
        at
        for sectors in zip(*boot, strict=True)
        for at, (a, b) in enumerate(zip(*sectors, strict=False))
        if a != b
    }

    assert one.blocks[1:] == other.blocks[1:]
    assert differing <= {*range(67, 71), *range(440, 444)}
    assert differing >= set(range(67, 71))


@given(trees(), geometries())
def test_sector_0_is_the_one_extent_that_is_held_back(
    files: list[FileEntry], geometry: Geometry
) -> None:
    image = plan_volume(files, geometry).image(IDENTITY)
    seals = [extent for extent in image.extents if extent.kind is Kind.SEAL]

    assert [(seal.start_bytes, seal.length_bytes) for seal in seals] == [(0, geometry.sector_bytes)]
    assert image.seal[510:512] == b"\x55\xaa"
