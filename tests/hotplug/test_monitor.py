"""Against the kernel itself: loop devices that come and change, told of over netlink."""

import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import pytest

from station.hotplug.monitor import (
    DiskNotice,
    Phase,
    Source,
    UdevMonitor,
    is_processed,
)

# A tiny queue, a long burst: some of it must be lost.
TINY_BUFFER_BYTES = 2304
BURST = 200
PATIENCE_S = 20.0

needs_root = pytest.mark.skipif(
    os.geteuid() != 0 and "CI" not in os.environ, reason="loop devices need root"
)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "image"
    path.write_bytes(bytes(1 << 20))
    return path


@pytest.fixture
def loop(image: Path) -> Iterator[Path]:
    """A loop device of our own; yields its folder in sysfs."""
    attached = subprocess.run(
        ["losetup", "--find", "--show", image], check=True, capture_output=True, text=True
    )
    node = attached.stdout.strip()
    yield Path("/sys/block") / Path(node).name
    subprocess.run(["losetup", "--detach", node], check=True)


def diskseq_of(disk: Path) -> int:
    return int((disk / "diskseq").read_text())


def wait_for(monitor: UdevMonitor, name: str) -> DiskNotice | None:
    deadline = monotonic() + PATIENCE_S
    while (left_s := deadline - monotonic()) > 0:
        notice = monitor.poll(left_s)
        if notice is not None and notice.name == name:
            return notice
    return None


def drain(monitor: UdevMonitor) -> None:
    for _ in range(BURST):
        monitor.poll(0)


@pytest.fixture
def listen() -> Iterator[Callable[[int | None], UdevMonitor]]:
    monitors = []

    def start(receive_buffer_bytes: int | None) -> UdevMonitor:
        monitors.append(UdevMonitor(Source.KERNEL, receive_buffer_bytes))
        monitors[-1].restart()
        return monitors[-1]

    yield start
    for monitor in monitors:
        monitor.close()


Listen = Callable[[int | None], UdevMonitor]


@needs_root
def test_a_notice_names_the_disk_and_its_medium(loop: Path, listen: Listen) -> None:
    monitor = listen(None)
    (loop / "uevent").write_text("change")

    assert wait_for(monitor, loop.name) == DiskNotice(loop.name, diskseq_of(loop), Phase.READY)


@needs_root
def test_a_removal_is_told_as_one(loop: Path, listen: Listen) -> None:
    monitor = listen(None)
    (loop / "uevent").write_text("remove")
    notice = wait_for(monitor, loop.name)

    assert notice is not None
    assert notice.phase is Phase.LEAVING


@needs_root
def test_lost_notices_are_an_error_and_listening_afresh_mends_it(
    loop: Path, listen: Listen
) -> None:
    monitor = listen(TINY_BUFFER_BYTES)
    for _ in range(BURST):
        (loop / "uevent").write_text("change")
    with pytest.raises(OSError, match=r"."):
        drain(monitor)
    monitor.restart()
    (loop / "uevent").write_text("change")

    assert wait_for(monitor, loop.name) is not None


@needs_root
def test_all_disks_that_are_there_are_listed_with_their_media(loop: Path, listen: Listen) -> None:
    found = {notice.name: notice for notice in listen(None).present()}

    assert found[loop.name] == DiskNotice(loop.name, diskseq_of(loop), Phase.READY)


def test_partitions_are_not_listed() -> None:
    names = {notice.name for notice in UdevMonitor(Source.KERNEL).present()}

    assert names <= {disk.name for disk in Path("/sys/block").iterdir()}


def test_nothing_to_tell_ends_the_wait(listen: Listen) -> None:
    monitor = listen(None)

    assert monitor.poll(-1) is None or monitor.poll(0) is None


@dataclass
class DatabaseEntry:
    """What udev's database says of disk 7, as pyudev shows it."""

    device_links: tuple[str, ...] = ()
    is_initialized: bool = True

    @property
    def properties(self) -> dict[str, str]:
        return {"DISKSEQ": "7"}


@pytest.mark.parametrize(
    "links",
    [
        pytest.param(("/dev/disk/by-id/x", "/dev/disk/by-diskseq/7"), id="its own links"),
        pytest.param(("/dev/disk/by-id/x",), id="udev that makes no such links"),
    ],
)
def test_udev_is_done_with_a_medium_that_is_in_its_database(links: tuple[str, ...]) -> None:
    assert is_processed(DatabaseEntry(links))


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(DatabaseEntry(is_initialized=False), id="no entry"),
        pytest.param(DatabaseEntry(("/dev/disk/by-diskseq/6",)), id="its predecessor's entry"),
        pytest.param(DatabaseEntry(("/dev/disk/by-diskseq/77",)), id="a similar number"),
    ],
)
def test_udev_is_not_done_with_a_medium_that_is_not_in_its_database(entry: DatabaseEntry) -> None:
    assert not is_processed(entry)


def test_a_closed_monitor_can_not_be_waited_on(listen: Listen) -> None:
    monitor = listen(None)
    monitor.close()

    with pytest.raises(OSError, match="not listening"):
        monitor.poll(0)
