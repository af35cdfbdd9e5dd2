import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.device.sysfs import (
    DeviceNumber,
    disk_name_of,
    disk_names,
    parse_device_number,
    read_disk,
    read_unit,
)
from station.errors import OperatorError
from tests.device.sysfs_tree import SysfsTree


@pytest.fixture
def tree(tmp_path: Path) -> SysfsTree:
    """A machine with a USB bus, at which nothing is plugged in yet."""
    tree = SysfsTree(tmp_path)
    tree.add_bus(1)
    return tree


def test_a_stick_behind_nested_hubs_tells_all_that_the_guard_asks(tree: SysfsTree) -> None:
    tree.plug("sdb", 1, "1.4.3", diskseq=42, capacity_bytes=15_633_408 * 512, number="8:16")
    tree.add_partition("sdb", 1)
    disk = read_disk("sdb", tree.sys)

    assert (disk.name, disk.node, disk.unit.number) == ("sdb", "/dev/sdb", DeviceNumber(8, 16))
    assert [unit.name for unit in disk.partitions] == ["sdb1"]
    assert (disk.capacity_bytes, disk.sector_bytes) == (15_633_408 * 512, 512)
    assert (disk.read_only, disk.diskseq) == (False, 42)
    assert (disk.vendor, disk.model, disk.serial) == ("Kingston", "DataTraveler 2.0", "0123456789")
    assert disk.usb is not None
    assert disk.usb.is_mass_storage
    assert (disk.usb.vendor_id, disk.usb.product_id) == ("0951", "1666")
    assert (disk.usb.device_path.name, disk.usb.link_mbps) == ("1-1.4.3", 480)


def test_a_capacity_counts_512_byte_sectors_whatever_the_drive_has(tree: SysfsTree) -> None:
    tree.plug("sdb", 1, "1", diskseq=1, capacity_bytes=8192 * 512, sector_bytes=4096)
    disk = read_disk("sdb", tree.sys)

    assert (disk.capacity_bytes, disk.sector_bytes) == (8192 * 512, 4096)


def test_a_disk_on_a_usb_interface_of_another_class_is_no_mass_storage(tree: SysfsTree) -> None:
    tree.plug("sdb", 1, "1", diskseq=1, interface_class=0xFF)
    usb = read_disk("sdb", tree.sys).usb

    assert usb is not None
    assert not usb.is_mass_storage


@pytest.mark.parametrize(
    ("speed", "link_mbps"), [("1.5", 1), ("12", 12), ("5000", 5000), ("unknown", None)]
)
def test_a_link_speed_is_megabits_or_unknown(
    tree: SysfsTree, speed: str, link_mbps: int | None
) -> None:
    tree.plug("sdb", 1, "1", diskseq=1, speed=speed)
    usb = read_disk("sdb", tree.sys).usb

    assert usb is not None
    assert usb.link_mbps == link_mbps


def test_strings_that_are_no_utf8_can_still_be_stored_and_shown(tree: SysfsTree) -> None:
    tree.plug("sdb", 1, "1", diskseq=1, serial=b"\xff\x1b[2J")
    disk = read_disk("sdb", tree.sys)

    assert disk.serial == "\\xff\x1b[2J"
    assert disk.serial.encode()


def test_a_bus_that_begins_with_usb_in_its_name_only_is_no_usb(tree: SysfsTree) -> None:
    tree.add_disk("sda", "pci0000:00/usb9/ata1")

    assert read_disk("sda", tree.sys).usb is None


def test_inner_disks_are_not_on_usb(tree: SysfsTree) -> None:
    virtio = tree.add_disk("vda", "pci0000:00/0000:00:02.0/virtio1")
    (virtio / "serial").write_text("root\n")
    nvme = tree.add_disk("nvme0n1", "pci0000:00/0000:01:00.0/nvme/nvme0")
    for attribute, text in {"model": "SSD 980", "serial": "S64"}.items():
        (nvme / "device" / attribute).write_text(f"{text}\n")
    tree.add_partition("nvme0n1", 1)
    tree.add_disk("loop0", "virtual", diskseq=None)
    vda, nvme0n1, loop0 = (read_disk(name, tree.sys) for name in ("vda", "nvme0n1", "loop0"))

    assert [disk.usb for disk in (vda, nvme0n1, loop0)] == [None, None, None]
    assert vda.serial == "root"
    assert (nvme0n1.model, nvme0n1.serial) == ("SSD 980", "S64")
    assert [unit.name for unit in nvme0n1.partitions] == ["nvme0n1p1"]
    assert loop0.diskseq is None
    assert disk_names(tree.sys) == ("loop0", "nvme0n1", "vda")


def test_holders_of_a_disk_and_of_a_partition_are_told_apart(tree: SysfsTree) -> None:
    tree.plug("sdb", 1, "1", diskseq=1, holders=("md0",))
    tree.add_partition("sdb", 1, holders=("dm-0", "dm-1"))
    disk = read_disk("sdb", tree.sys)

    assert disk.unit.holders == ("md0",)
    assert disk.partitions[0].holders == ("dm-0", "dm-1")
    assert read_unit("sdb1", tree.sys) == disk.partitions[0]


def test_a_disk_that_is_gone_is_an_os_error(tree: SysfsTree) -> None:
    with pytest.raises(FileNotFoundError):
        read_disk("sdb", tree.sys)


def test_a_node_leads_to_its_disk(
    make_image: Callable[..., Path], make_loop: Callable[..., Path], tmp_path: Path
) -> None:
    node = make_loop(make_image())
    link = tmp_path / "link"
    link.symlink_to(node)

    assert disk_name_of(node) == node.name
    assert disk_name_of(link) == node.name


def test_a_partition_is_no_target_and_its_disk_is_named(
    tree: SysfsTree, make_image: Callable[..., Path], make_loop: Callable[..., Path]
) -> None:
    node = make_loop(make_image())
    number = node.stat().st_rdev
    tree.plug("sdb", 1, "1", diskseq=1)
    tree.add_partition("sdb", 1, number=f"{os.major(number)}:{os.minor(number)}")

    with pytest.raises(OperatorError, match=r"is a partition. Name the whole disk: /dev/sdb"):
        disk_name_of(node, tree.sys)


@pytest.mark.parametrize(
    ("node", "problem"), [("/dev/no-such-disk", "there is no"), ("/dev/null", "no block device")]
)
def test_what_is_no_disk_is_told_by_name(node: str, problem: str) -> None:
    with pytest.raises(OperatorError, match=problem):
        disk_name_of(node)


def test_a_real_disk_tells_what_losetup_made_of_it(
    make_image: Callable[..., Path], make_loop: Callable[..., Path]
) -> None:
    node = make_loop(make_image(5 << 20), "--sector-size", "4096", "--read-only")
    disk = read_disk(node.name)

    assert (disk.node, disk.capacity_bytes, disk.sector_bytes) == (str(node), 5 << 20, 4096)
    assert (disk.read_only, disk.usb, disk.partitions) == (True, None, ())
    assert disk.name in disk_names()


@given(st.integers(0, 4095), st.integers(0, 1 << 20))
def test_a_device_number_is_read_as_it_is_written(major: int, minor: int) -> None:
    number = DeviceNumber(major, minor)

    assert parse_device_number(str(number)) == number
