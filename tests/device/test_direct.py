import contextlib
import errno
import fcntl
import os
import subprocess
import threading
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from psutil import disk_io_counters

from station.device.buffer import aligned_buffer
from station.device.direct import DirectDrive
from station.device.ioctl import blkgetdiskseq
from station.device.sysfs import read_disk
from station.errors import OperatorError
from station.verdict import DriveRefusedError, RefusalReason
from tests.device.contents import MIB, content, memory

LOOP_CHANGE_FD = 0x4C06  # include/uapi/linux/loop.h


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
