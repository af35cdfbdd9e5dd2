"""Every image, as programs see it that know FAT32 and nothing of the station."""

import os
import random
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from station.image.geometry import Geometry, Layout, plan_geometry
from station.image.identity import VolumeIdentity
from station.image.planner import plan_volume
from station.image.tree import LARGEST_FILE_BYTES, FileEntry
from tests.image.fat_reader import FatVolume
from tests.image.judges import mtools, require_clean, run
from tests.image.sparse_image import copy_out, write_sparse

MB = 10**6
GB = 10**9
ODD_BYTES = 1_234_567_891  # a prime
CAPACITIES = (64 * MB, 100 * MB, 512 * MB, ODD_BYTES, 2 * GB, 8 * GB, 32 * GB, 128 * GB)
SMALLEST_WITH_LARGE_SECTORS_BYTES = 300 * MB
DRIVES = [
    pytest.param((capacity, sector, layout), id=f"{capacity}-{sector}-{layout}")
    for capacity in CAPACITIES
    for sector in (512, 4096)
    for layout in Layout
    if sector == 512 or capacity >= SMALLEST_WITH_LARGE_SECTORS_BYTES
]
IDENTITY = VolumeIdentity(volume_id=0xC0FFEE01, disk_signature=0x12345678)

# Name and size: sizes around clusters of 512 bytes, 4 KiB and 32 KiB, and one over many of them.
CONTENT = [
    FileEntry(path, size_bytes)
    for path, size_bytes in (
        ("README.TXT", 512),
        ("readme2.txt", 511),
        ("empty", 0),
        ("가나다.mp4", 3_000_001),
        ("😀 emoji.txt", 4096),
        ("a" * 255, 4097),
        ("한" * 255, 1),
        ("😀" * 127, 32_768),
        ("b" * 13, 513),
        ("c" * 26, 0),
        ("d" * 27, 32_769),
        ("sub/.hidden", 77),
        ("sub/x.y.z", 4095),
        ("sub/a+b=c;[1],2.tar.gz", 65_536),
        ("deep/1/2/3/4/5/6/7/8/file 10.txt", 12_345),
        ("deep/1/2/3/4/5/6/7/8/file 9.txt", 54_321),
        ("한글 폴더/😀/가.txt", 100),
        *((f"many/SAMESTEM {number}.html", number * 100) for number in range(40)),
    )
]


def content_of(files: Sequence[FileEntry], index: int) -> bytes:
    return random.Random(index).randbytes(files[index].size_bytes)


@dataclass(frozen=True, slots=True)
class Stick:
    """An image in a file, with the volume on it."""

    path: Path
    geometry: Geometry

    @property
    def volume_path(self) -> Path:
        """The volume alone: fsck.fat knows no offset."""
        if self.geometry.layout is Layout.SUPERFLOPPY:
            return self.path
        volume = self.path.with_suffix(".volume")
        geometry = self.geometry
        length_bytes = geometry.partition_sectors * geometry.sector_bytes
        copy_out(self.path, geometry.partition_bytes, length_bytes, volume)
        return volume


def make_stick(path: Path, files: Sequence[FileEntry], geometry: Geometry) -> Stick:
    image = plan_volume(files, geometry, label="MOVIES").image(IDENTITY)
    write_sparse(image, path, lambda index: content_of(files, index))
    return Stick(path, geometry)


@contextmanager
def open_volume(path: Path, offset_bytes: int) -> Iterator[FatVolume]:
    with path.open("rb") as file:
        yield FatVolume(lambda at, length: os.pread(file.fileno(), length, at), offset_bytes)


@pytest.fixture(scope="module", params=DRIVES)
def stick(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stick]:
    capacity_bytes, sector_bytes, layout = request.param
    geometry = plan_geometry(capacity_bytes, sector_bytes, layout)
    folder = tmp_path_factory.mktemp("stick")
    yield make_stick(folder / "stick.img", CONTENT, geometry)
    for path in folder.iterdir():
        path.unlink()


def test_fsck_finds_nothing_to_complain_about(stick: Stick) -> None:
    require_clean(stick.volume_path)


def pattern_of(path: str) -> str:
    """How mtools is asked for a file: it takes a name for a pattern and an emoji for two units."""
    return re.sub("[^\0-\uffff]", "??", path.replace("[", "?"))


def test_mtools_reads_every_file_back_byte_for_byte(stick: Stick) -> None:
    for index, file in enumerate(CONTENT):
        path = pattern_of(file.path)
        actual = mtools("mtype", stick.path, stick.geometry.partition_bytes, f"::/{path}")

        assert actual == content_of(CONTENT, index), file.path


def test_a_strict_reader_finds_every_name_and_every_byte_and_nothing_else(stick: Stick) -> None:
    with open_volume(stick.path, stick.geometry.partition_bytes) as volume:
        files = {node.path: volume.read(node) for node in volume.walk() if not node.is_folder}

    assert files == {file.path: content_of(CONTENT, i) for i, file in enumerate(CONTENT)}
    assert volume.label == b"MOVIES     "
    assert (volume.claimed[2:] == (volume.fat[2:] != 0)).all()


def test_mtools_sees_label_and_serial_number(tmp_path: Path) -> None:
    stick = make_stick(tmp_path / "stick.img", [], plan_geometry(64 * MB))
    offset_bytes = stick.geometry.partition_bytes

    listing = mtools("mdir", stick.path, offset_bytes, "-a", "::/").decode()

    assert " Volume in drive : is MOVIES" in listing
    assert " Volume Serial Number is C0FF-EE01" in listing


def test_an_empty_unlabelled_volume_is_clean(tmp_path: Path) -> None:
    path = tmp_path / "stick.img"
    geometry = plan_geometry(64 * MB, layout=Layout.SUPERFLOPPY)
    write_sparse(plan_volume([], geometry).image(IDENTITY), path, lambda _: b"")

    require_clean(path)


# fsck.fat 4.2, the newest release, counts a chain of 4 GiB as 0 bytes (dosfstools issue 208): it
# judges the longest file with a shorter chain, and our own reader alone the longest that there is.
LONGEST_THAT_FSCK_KNOWS_BYTES = (1 << 32) - 4096


@pytest.mark.parametrize("size_bytes", [LONGEST_THAT_FSCK_KNOWS_BYTES, LARGEST_FILE_BYTES])
def test_the_longest_files_of_fat32_end_where_they_should(tmp_path: Path, size_bytes: int) -> None:
    path = tmp_path / "stick.img"
    geometry = plan_geometry(8 * GB, layout=Layout.SUPERFLOPPY)
    files = [FileEntry("longest.iso", size_bytes), FileEntry("next.txt", 4)]
    image = plan_volume(files, geometry).image(IDENTITY)
    write_sparse(image, path, lambda index: (b"head", b"next")[index])
    [longest] = (extent for extent in image.extents if extent.length_bytes == size_bytes)
    with path.open("r+b") as file:
        file.seek(longest.end_bytes - 4)
        file.write(b"tail")

    if size_bytes <= LONGEST_THAT_FSCK_KNOWS_BYTES:
        require_clean(path)
    with open_volume(path, 0) as volume:
        node, following = volume.walk()
        content = volume.read_piece(node, size_bytes - 8, 8)
        beyond = volume.read(following)

    assert node.size_bytes == size_bytes
    assert (content, beyond) == (b"\0\0\0\0tail", b"next")


def test_20000_names_with_one_stem_in_one_folder_are_clean_and_all_there(tmp_path: Path) -> None:
    path = tmp_path / "stick.img"
    geometry = plan_geometry(64 * MB, layout=Layout.SUPERFLOPPY)
    files = [FileEntry(f"SAMESTEM {number}.html", number % 3) for number in range(20_000)]
    image = plan_volume([FileEntry(f"f/{f.path}", f.size_bytes) for f in files], geometry)
    write_sparse(image.image(IDENTITY), path, lambda index: content_of(files, index))

    require_clean(path)
    with open_volume(path, 0) as volume:
        folder, *nodes = volume.walk()

    assert folder.path == "f"
    assert [node.path for node in nodes] == [f"f/{file.path}" for file in files]
    assert len({node.short_name for node in nodes}) == len(files)


def chs(text: str) -> tuple[int, int, int]:
    cylinder, head, sector = text.split("/")
    return int(cylinder), int(head), int(sector)


@pytest.mark.parametrize("sector_bytes", [512, 4096])
@pytest.mark.parametrize("capacity_bytes", [512 * MB, ODD_BYTES, 7_800 * MB, 128 * GB])
def test_fdisk_reads_one_fat32_partition_and_the_same_cylinders_heads_and_sectors(
    tmp_path: Path, capacity_bytes: int, sector_bytes: int
) -> None:
    geometry = plan_geometry(capacity_bytes, sector_bytes)
    stick = make_stick(tmp_path / "stick.img", [], geometry)

    columns = "Start,End,Sectors,Id,Start-C/H/S,End-C/H/S"
    listing = run("fdisk", "-b", str(sector_bytes), "-l", "-o", columns, stick.path).decode()
    start, end, sectors, kind, first_chs, last_chs = listing.splitlines()[-1].split()
    first = geometry.partition_sector
    last = first + geometry.partition_sectors - 1

    assert "Disklabel type: dos" in listing
    assert "Disk identifier: 0x12345678" in listing
    assert (int(start), int(end), int(sectors)) == (first, last, geometry.partition_sectors)
    assert kind == "c"
    for sector, shown in ((first, first_chs), (last, last_chs)):
        cylinder, rest = divmod(sector, 255 * 63)
        expected = (cylinder, rest // 63, rest % 63 + 1) if cylinder <= 1023 else (1023, 254, 63)
        assert chs(shown) == expected


@pytest.mark.parametrize("capacity_bytes", CAPACITIES)
def test_sfdisk_has_no_complaint_about_the_partition_table(
    tmp_path: Path, capacity_bytes: int
) -> None:
    geometry = plan_geometry(capacity_bytes)
    stick = make_stick(tmp_path / "stick.img", [], geometry)

    verdict = run("sfdisk", "--verify", stick.path).decode()
    dump = run("sfdisk", "--dump", stick.path).decode()

    assert "No errors detected." in verdict
    assert "label: dos\nlabel-id: 0x12345678\n" in dump
    assert dump.count("start=") == 1
