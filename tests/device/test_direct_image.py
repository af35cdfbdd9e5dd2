import errno
import mmap
import os
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from station.device.buffer import aligned_buffer
from station.device.direct import DirectDrive
from station.errors import OperatorError
from station.verdict import DriveRefusedError, RefusalReason
from tests.device.contents import MIB, content, memory


@pytest.mark.parametrize(("offset_bytes", "length_bytes"), [(100, 512), (512, 100), (-512, 512)])
def test_a_transfer_across_sectors_is_the_callers_mistake(
    make_image: Callable[..., Path], offset_bytes: int, length_bytes: int
) -> None:
    with closing(DirectDrive.open_image(make_image())) as drive:
        with pytest.raises(ValueError, match="not in whole sectors"):
            drive.write(offset_bytes, aligned_buffer(length_bytes))
        with pytest.raises(ValueError, match="not in whole sectors"):
            drive.read(offset_bytes, aligned_buffer(length_bytes))


def test_memory_across_sectors_is_the_callers_mistake(make_image: Callable[..., Path]) -> None:
    with (
        closing(DirectDrive.open_image(make_image())) as drive,
        pytest.raises(ValueError, match="not aligned to 512 bytes"),
    ):
        drive.write(0, aligned_buffer(1024)[1:513])


@pytest.mark.parametrize("sector_bytes", [512, 4096])
@pytest.mark.parametrize("size_bytes", [MIB, MIB + 1, MIB + 511, MIB + 512, 4095, 1])
def test_all_of_an_image_file_can_be_written_and_read(
    make_image: Callable[..., Path], size_bytes: int, sector_bytes: int
) -> None:
    image = make_image(size_bytes)
    written = os.urandom(size_bytes)
    with closing(DirectDrive.open_image(image, sector_bytes)) as drive:
        drive.write(0, memory(written))
        drive.flush()

        assert content(drive, 0, size_bytes) == written
    assert image.read_bytes() == written


def test_an_image_file_never_grows(make_image: Callable[..., Path]) -> None:
    image = make_image(MIB)
    with (
        closing(DirectDrive.open_image(image)) as drive,
        pytest.raises(OSError, match="past the end") as caught,
    ):
        drive.write(MIB, aligned_buffer(512))

    assert caught.value.errno == errno.ENOSPC
    assert image.stat().st_size == MIB


@given(data=st.data())
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_an_image_file_behaves_as_the_bytes_that_it_holds(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    size_bytes = data.draw(st.integers(1, 40_000), label="size")
    model = bytearray(size_bytes)
    image = tmp_path_factory.mktemp("model") / "stick.img"
    image.write_bytes(model)
    with closing(DirectDrive.open_image(image)) as drive:
        for _ in range(data.draw(st.integers(1, 6), label="transfers")):
            first = 512 * data.draw(st.integers(0, (size_bytes - 1) // 512), label="first sector")
            last = 512 * data.draw(st.integers(first // 512 + 1, size_bytes // 512 + 1))
            last = min(last, size_bytes)
            written = data.draw(st.binary(min_size=1, max_size=8)) * (last - first)
            model[first:last] = written[: last - first]
            drive.write(first, memory(written[: last - first]))

            assert content(drive, first, last - first) == model[first:last]
        assert content(drive, 0, size_bytes) == model
    assert image.read_bytes() == model


def test_an_image_is_read_past_the_page_cache(make_image: Callable[..., Path]) -> None:
    image = make_image(MIB)
    with closing(DirectDrive.open_image(image)) as drive:
        drive.write(0, memory(b"\xd1" * MIB))
        drive.flush()
        drive.read(0, aligned_buffer(MIB))

    assert cached_pages(image) == 0


def cached_pages(path: Path) -> int:
    shown = subprocess.run(
        ["fincore", "--noheadings", "--output", "PAGES", path],
        check=True,
        capture_output=True,
        text=True,
    )
    return int(shown.stdout)


def test_the_tail_of_an_image_is_not_kept_in_the_page_cache(
    make_image: Callable[..., Path],
) -> None:
    image = make_image(MIB + 100)
    with closing(DirectDrive.open_image(image)) as drive:
        drive.write(MIB, memory(b"\xd1" * 100))

        assert cached_pages(image) == 0


def test_a_mapped_source_is_written_without_a_copy_of_it(
    make_image: Callable[..., Path], tmp_path: Path
) -> None:
    source = tmp_path / "film"
    source.write_bytes(os.urandom(MIB))
    image = make_image(MIB)
    with (
        source.open("rb") as file,
        mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapping,
        memoryview(mapping) as view,
        closing(DirectDrive.open_image(image)) as drive,
    ):
        drive.write(0, view)

    assert image.read_bytes() == source.read_bytes()


def test_a_source_that_became_shorter_is_told_by_efault(
    make_image: Callable[..., Path], tmp_path: Path
) -> None:
    source = tmp_path / "film"
    source.write_bytes(os.urandom(MIB))
    with (
        source.open("r+b") as file,
        closing(DirectDrive.open_image(make_image(MIB))) as drive,
    ):
        # Not closed by hand: the caught error's traceback still looks at it.
        mapping = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        file.truncate(0)
        with pytest.raises(OSError, match="Bad address") as caught:
            drive.write(0, memoryview(mapping))

    assert caught.value.errno == errno.EFAULT


def test_two_stations_never_write_one_image(make_image: Callable[..., Path]) -> None:
    image = make_image()
    with closing(DirectDrive.open_image(image)):
        for writable in (True, False):
            with pytest.raises(DriveRefusedError) as caught:
                DirectDrive.open_image(image, writable=writable)
            assert caught.value.verdict.reason is RefusalReason.IN_USE


def test_several_readers_share_an_image(make_image: Callable[..., Path]) -> None:
    image = make_image()
    image.chmod(0o444)
    with (
        closing(DirectDrive.open_image(image, writable=False)) as one,
        closing(DirectDrive.open_image(image, writable=False)) as other,
    ):
        assert content(one, 0, 512) == content(other, 0, 512)


def test_a_drive_opened_for_reading_takes_no_writes(make_image: Callable[..., Path]) -> None:
    with closing(DirectDrive.open_image(make_image(), writable=False)) as drive:
        drive.flush()
        with pytest.raises(OSError, match="Bad file descriptor"):
            drive.write(0, aligned_buffer(512))


def test_a_missing_an_empty_and_a_special_file_are_no_images(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path, problem in (
        (tmp_path / "missing", "No such file"),
        (empty, "is empty"),
        (pipe, "is no regular file"),
        (tmp_path, "is no regular file"),
    ):
        with pytest.raises(OperatorError, match=problem):
            DirectDrive.open_image(path)


def test_a_file_system_without_direct_io_is_named_and_never_written_through_the_cache(
    mounted: Callable[..., Path],
) -> None:
    image = mounted("none", "-t", "ramfs") / "stick.img"
    image.write_bytes(bytes(MIB))
    with pytest.raises(OperatorError, match="no direct I/O"):
        DirectDrive.open_image(image)


def test_an_image_on_a_disk_with_larger_sectors_is_refused_before_the_first_write(
    make_image: Callable[..., Path], make_loop: Callable[..., Path], mounted: Callable[..., Path]
) -> None:
    disk = make_loop(make_image(16 * MIB, "disk.img"), "--sector-size", "4096")
    subprocess.run(["mkfs.ext4", "-q", "-F", "-b", "4096", disk], check=True)
    image = mounted(disk) / "stick.img"
    image.write_bytes(os.urandom(MIB))
    with pytest.raises(OperatorError, match="sectors of 512 bytes"):
        DirectDrive.open_image(image)
    with closing(DirectDrive.open_image(image, 4096)) as drive:
        assert content(drive, 0, MIB) == image.read_bytes()
