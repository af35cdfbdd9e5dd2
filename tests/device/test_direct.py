import contextlib
import errno
import fcntl
import mmap
import os
import subprocess
import threading
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psutil import disk_io_counters

from station.device.buffer import aligned_buffer
from station.device.direct import DirectDrive
from station.device.ioctl import blkgetdiskseq
from station.device.sysfs import read_disk
from station.errors import OperatorError
from station.verdict import DriveRefusedError, RefusalReason

MIB = 1 << 20
LOOP_CHANGE_FD = 0x4C06  # include/uapi/linux/loop.h


def memory(data: bytes) -> memoryview:
    buffer = aligned_buffer(len(data))
    buffer[:] = data
    return buffer


def content(drive: DirectDrive, offset_bytes: int, length_bytes: int) -> bytes:
    buffer = aligned_buffer(length_bytes)
    drive.read(offset_bytes, buffer)
    return bytes(buffer)


def refusal(node: Path, diskseq: int | None = None, *, writable: bool = True) -> RefusalReason:
    with pytest.raises(DriveRefusedError) as caught:
        DirectDrive.open_device(node, diskseq, writable=writable)
    reason = caught.value.verdict.reason
    assert isinstance(reason, RefusalReason)
    return reason


def open_files() -> set[str]:
    targets = set()
    for entry in Path("/proc/self/fd").iterdir():
        # The listing itself was one of them.
        with contextlib.suppress(FileNotFoundError):
            targets.add(str(entry.readlink()))
    return targets


@pytest.mark.parametrize("sector_bytes", [512, 4096])
def test_a_device_tells_its_own_size_and_sectors(
    make_image: Callable[..., Path], make_loop: Callable[..., Path], sector_bytes: int
) -> None:
    node = make_loop(make_image(4 * MIB), "--sector-size", str(sector_bytes))
    with closing(DirectDrive.open_device(node)) as drive:
        assert (drive.capacity_bytes, drive.sector_bytes) == (4 * MIB, sector_bytes)


@pytest.mark.parametrize("sector_bytes", [512, 4096])
def test_a_device_gives_back_what_it_was_given(
    make_image: Callable[..., Path], make_loop: Callable[..., Path], sector_bytes: int
) -> None:
    image = make_image(4 * MIB)
    written = os.urandom(MIB)
    node = make_loop(image, "--sector-size", str(sector_bytes))
    with closing(DirectDrive.open_device(node)) as drive:
        drive.write(sector_bytes, memory(written))
        drive.flush()

        assert content(drive, sector_bytes, MIB) == written
    assert image.read_bytes()[sector_bytes : sector_bytes + MIB] == written


def test_every_byte_written_and_read_really_goes_to_and_comes_from_the_device(
    make_image: Callable[..., Path], make_loop: Callable[..., Path]
) -> None:
    node = make_loop(make_image(4 * MIB))
    with closing(DirectDrive.open_device(node)) as drive:
        before = disk_io_counters(perdisk=True)[node.name]
        drive.write(0, aligned_buffer(2 * MIB))
        drive.flush()
        drive.read(0, aligned_buffer(2 * MIB))
        drive.read(0, aligned_buffer(2 * MIB))
        after = disk_io_counters(perdisk=True)[node.name]

    assert after.write_bytes - before.write_bytes == 2 * MIB
    assert after.read_bytes - before.read_bytes == 4 * MIB


def test_the_medium_that_was_judged_is_opened(
    make_image: Callable[..., Path], make_loop: Callable[..., Path]
) -> None:
    node = make_loop(make_image())
    diskseq = read_disk(node.name).diskseq
    with closing(DirectDrive.open_device(node, diskseq)) as drive:
        assert drive.capacity_bytes == 4 * MIB


def test_another_medium_on_the_same_node_is_refused(
    make_image: Callable[..., Path], make_loop: Callable[..., Path]
) -> None:
    node = make_loop(make_image())
    diskseq = read_disk(node.name).diskseq
    assert diskseq is not None

    assert refusal(node, diskseq - 1) is RefusalReason.CHANGED


def test_a_medium_that_was_changed_under_the_open_drive_is_not_taken_for_it(
    make_image: Callable[..., Path], make_loop: Callable[..., Path]
) -> None:
    node = make_loop(make_image(), "--read-only")
    other = make_image(name="other.img")
    with (
        closing(DirectDrive.open_device(node, writable=False)) as drive,
        node.open("rb") as loop,
        other.open("rb") as file,
    ):
        drive.read(0, aligned_buffer(512))
        fcntl.ioctl(loop, LOOP_CHANGE_FD, file.fileno())
        with pytest.raises(OSError, match="another medium") as caught:
            drive.read(0, aligned_buffer(512))

    assert caught.value.errno == errno.ENODEV


def test_a_link_to_a_device_is_followed(
    make_image: Callable[..., Path], make_loop: Callable[..., Path], tmp_path: Path
) -> None:
    node = make_loop(make_image())
    link = tmp_path / "by-id"
    link.symlink_to(node)
    with closing(DirectDrive.open_device(link, read_disk(node.name).diskseq)) as drive:
        assert drive.capacity_bytes == 4 * MIB


@pytest.mark.parametrize("writable", [True, False])
def test_a_mounted_device_is_in_use(
    make_image: Callable[..., Path],
    make_loop: Callable[..., Path],
    mounted: Callable[..., Path],
    *,
    writable: bool,
) -> None:
    node = make_loop(make_image(8 * MIB))
    subprocess.run(["mkfs.ext4", "-q", "-F", node], check=True)
    mounted(node)

    assert refusal(node, writable=writable) is RefusalReason.IN_USE


def test_a_device_that_another_job_has_open_is_in_use(
    make_image: Callable[..., Path], make_loop: Callable[..., Path]
) -> None:
    node = make_loop(make_image())
    with closing(DirectDrive.open_device(node)):
        assert refusal(node) is RefusalReason.IN_USE


def test_a_device_that_another_program_keeps_locked_is_in_use(
    make_image: Callable[..., Path],
    make_loop: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("station.device.opening.LOCK_WAIT_S", 0.1)
    node = make_loop(make_image())
    with node.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_SH)

        assert refusal(node) is RefusalReason.IN_USE


def test_a_lock_that_is_soon_given_up_is_waited_for(
    make_image: Callable[..., Path], make_loop: Callable[..., Path]
) -> None:
    node = make_loop(make_image())
    with node.open("rb") as prober:
        fcntl.flock(prober, fcntl.LOCK_SH)
        release = threading.Timer(0.1, fcntl.flock, (prober, fcntl.LOCK_UN))
        release.start()
        with closing(DirectDrive.open_device(node)) as drive:
            assert drive.capacity_bytes == 4 * MIB
        release.join()


def test_an_open_device_is_locked_against_probing(
    make_image: Callable[..., Path], make_loop: Callable[..., Path]
) -> None:
    node = make_loop(make_image())
    with (
        closing(DirectDrive.open_device(node)),
        node.open("rb") as prober,
        pytest.raises(BlockingIOError),
    ):
        fcntl.flock(prober, fcntl.LOCK_SH | fcntl.LOCK_NB)


def test_a_read_only_device_is_write_protected(
    make_image: Callable[..., Path], make_loop: Callable[..., Path]
) -> None:
    assert refusal(make_loop(make_image(), "--read-only")) is RefusalReason.WRITE_PROTECTED


def test_a_read_only_device_can_be_verified(
    make_image: Callable[..., Path], make_loop: Callable[..., Path]
) -> None:
    node = make_loop(make_image(), "--read-only")
    with closing(DirectDrive.open_device(node, writable=False)) as drive:
        assert content(drive, 0, 4096) == bytes(4096)


def test_a_device_without_a_medium_has_changed(
    make_image: Callable[..., Path], make_loop: Callable[..., Path]
) -> None:
    # A loop device over an empty file answers as a card reader's empty slot does: size 0.
    node = make_loop(make_image(0))

    assert refusal(node) is RefusalReason.CHANGED


def test_a_node_that_is_gone_has_changed() -> None:
    assert refusal(Path("/dev/no-such-stick")) is RefusalReason.CHANGED


def test_a_refused_device_is_left_open_to_others(
    make_image: Callable[..., Path], make_loop: Callable[..., Path]
) -> None:
    node = make_loop(make_image(), "--read-only")
    refusal(node)

    assert str(node) not in open_files()


@pytest.mark.parametrize("node", ["/dev/null", "/dev", "/proc/self/status"])
def test_only_a_block_device_is_opened_as_one(node: str) -> None:
    with pytest.raises(OperatorError, match="is no block device"):
        DirectDrive.open_device(node)


@pytest.mark.parametrize("operation", ["write", "read"])
def test_a_medium_that_left_while_it_was_open_is_no_device_any_more(
    make_image: Callable[..., Path], make_loop: Callable[..., Path], operation: str
) -> None:
    image = make_image()
    node = make_loop(image)
    with closing(DirectDrive.open_device(node)) as drive:
        # Size 0 is what the kernel gives to a disk that it is removing.
        os.truncate(image, 0)
        subprocess.run(["losetup", "--set-capacity", node], check=True)
        with pytest.raises(OSError, match="No such device") as refused:
            getattr(drive, operation)(0, memory(bytes(4096)))

    assert refused.value.errno == errno.ENODEV


def test_past_the_end_of_a_device_there_is_no_space_and_nothing_is_written(
    make_image: Callable[..., Path], make_loop: Callable[..., Path]
) -> None:
    image = make_image(4 * MIB)
    node = make_loop(image)
    with closing(DirectDrive.open_device(node)) as drive:
        with pytest.raises(OSError, match="past the end") as write:
            drive.write(4 * MIB - 4096, memory(b"x" * 8192))
        with pytest.raises(OSError, match="past the end") as read:
            drive.read(4 * MIB - 4096, aligned_buffer(8192))

    assert (write.value.errno, read.value.errno) == (errno.ENOSPC, errno.EIO)
    assert image.read_bytes() == bytes(4 * MIB)


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


def test_a_closed_drive_takes_nothing_and_may_be_closed_again(
    make_image: Callable[..., Path],
) -> None:
    image = make_image()
    drive = DirectDrive.open_image(image)
    drive.close()
    drive.close()

    assert str(image) not in open_files()
    buffer = aligned_buffer(512)
    for use in (partial(drive.write, 0, buffer), partial(drive.read, 0, buffer), drive.flush):
        with pytest.raises(OSError, match="closed") as caught:
            use()
        assert caught.value.errno == errno.EBADF


def test_a_closed_device_is_free_for_others(
    make_image: Callable[..., Path], make_loop: Callable[..., Path]
) -> None:
    node = make_loop(make_image())
    DirectDrive.open_device(node).close()
    fd = os.open(node, os.O_RDWR | os.O_EXCL)
    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)

    assert blkgetdiskseq(fd) == read_disk(node.name).diskseq
    os.close(fd)
