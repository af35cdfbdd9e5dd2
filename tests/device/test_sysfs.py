import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.device.sysfs import (
    DeviceNumber,
    Traffic,
    disk_name_of,
    disk_names,
    parse_device_number,
    parse_stat,
    parse_usb_device_name,
    read_disk,
    read_traffic,
    read_unit,
)
from station.errors import OperatorError
from tests.device.sysfs_tree import SysfsTree


@pytest.fixture
def tree(tmp_path: Path) -> SysfsTree:
    return SysfsTree(tmp_path)


def test_a_stick_behind_nested_hubs_tells_all_that_the_guard_asks(tree: SysfsTree) -> None:
    stick = tree.usb_stick(sectors=15_633_408, diskseq=42)
    tree.partition(stick, "8:17")
    disk = read_disk("sdb", tree.root)

    assert (disk.name, disk.node, disk.unit.number) == ("sdb", "/dev/sdb", DeviceNumber(8, 16))
    assert [unit.name for unit in disk.partitions] == ["sdb1"]
    assert (disk.capacity_bytes, disk.sector_bytes) == (15_633_408 * 512, 512)
    assert (disk.read_only, disk.removable, disk.diskseq) == (False, True, 42)
    assert (disk.vendor, disk.model, disk.serial) == ("SanDisk", "Cruzer Blade", "4C530001")
    assert (disk.lun, disk.max_sectors) == (0, 240)
    assert disk.usb is not None
    assert disk.usb.is_mass_storage
    assert (disk.usb.controller, disk.usb.bus, disk.usb.port_chain) == ("0000:00:14.0", 1, "1.4.3")
    assert (disk.usb.vendor_id, disk.usb.product_id) == ("0781", "5567")
    assert (disk.usb.driver, disk.usb.link_mbps) == ("usb-storage", 480)
    assert disk.usb.device_path.name == "1-1.4.3"


def test_a_capacity_counts_512_byte_sectors_whatever_the_drive_has(tree: SysfsTree) -> None:
    tree.usb_stick(sectors=8192, sector_bytes=4096)
    disk = read_disk("sdb", tree.root)

    assert (disk.capacity_bytes, disk.sector_bytes) == (8192 * 512, 4096)


def test_the_controller_of_a_small_board_is_told_by_its_platform_name(tree: SysfsTree) -> None:
    tree.usb_stick(controller="platform/soc/fe9c0000.xhci", bus=3, chain="2")
    usb = read_disk("sdb", tree.root).usb

    assert usb is not None
    assert (usb.controller, usb.bus, usb.port_chain) == ("fe9c0000.xhci", 3, "2")


def test_the_slots_of_a_card_reader_differ_in_their_lun(tree: SysfsTree) -> None:
    tree.usb_stick("sdb", "8:16", lun=0)
    tree.usb_stick("sdc", "8:32", lun=1, sectors=0)
    first, second = (read_disk(name, tree.root) for name in ("sdb", "sdc"))

    assert (first.lun, second.lun) == (0, 1)
    assert first.usb == second.usb
    assert second.capacity_bytes == 0


def test_a_disk_on_a_usb_interface_of_another_class_is_no_mass_storage(tree: SysfsTree) -> None:
    tree.usb_stick(interface_class="ff")
    usb = read_disk("sdb", tree.root).usb

    assert usb is not None
    assert not usb.is_mass_storage


@pytest.mark.parametrize(
    ("speed", "link_mbps"), [("1.5", 1), ("12", 12), ("5000", 5000), ("unknown", None)]
)
def test_a_link_speed_is_megabits_or_unknown(
    tree: SysfsTree, speed: str, link_mbps: int | None
) -> None:
    tree.usb_stick(speed=speed)
    usb = read_disk("sdb", tree.root).usb

    assert usb is not None
    assert usb.link_mbps == link_mbps


def test_strings_that_are_no_utf8_can_still_be_stored_and_shown(tree: SysfsTree) -> None:
    tree.usb_stick(serial=b"\xff\x1b[2J", vendor="가")
    disk = read_disk("sdb", tree.root)

    assert disk.serial == "\\xff\x1b[2J"
    assert disk.vendor == "가"
    assert disk.serial.encode()


def test_a_bus_that_begins_with_usb_in_its_name_only_is_no_usb(tree: SysfsTree) -> None:
    tree.device("pci0000:00/usb9", "pci")
    tree.device("pci0000:00/usb9/ata1", "scsi")
    tree.block("pci0000:00/usb9/ata1/block/sda", "8:0")

    assert read_disk("sda", tree.root).usb is None


def test_inner_disks_are_not_on_usb(tree: SysfsTree) -> None:
    tree.device("pci0000:00/0000:00:02.0", "pci")
    tree.device("pci0000:00/0000:00:02.0/virtio1", "virtio", vendor="0x1af4")
    tree.block("pci0000:00/0000:00:02.0/virtio1/block/vda", "254:0", serial="root")
    tree.device("pci0000:00/0000:01:00.0", "pci")
    tree.device("pci0000:00/0000:01:00.0/nvme/nvme0", "nvme", model="SSD 980", serial="S64")
    nvme = tree.block("pci0000:00/0000:01:00.0/nvme/nvme0/nvme0n1", "259:0")
    (nvme / "device").symlink_to("..")
    tree.partition(nvme, "259:1")
    tree.block("virtual/block/loop0", "7:0", diskseq=None)
    vda, nvme0n1, loop0 = (read_disk(name, tree.root) for name in ("vda", "nvme0n1", "loop0"))

    assert [disk.usb for disk in (vda, nvme0n1, loop0)] == [None, None, None]
    assert (vda.serial, vda.lun) == ("root", None)
    assert (nvme0n1.model, nvme0n1.serial) == ("SSD 980", "S64")
    assert [unit.name for unit in nvme0n1.partitions] == ["nvme0n1p1"]
    assert loop0.diskseq is None
    assert disk_names(tree.root) == ("loop0", "nvme0n1", "vda")


def test_holders_of_a_disk_and_of_a_partition_are_told_apart(tree: SysfsTree) -> None:
    stick = tree.usb_stick(holders=("md0",))
    tree.partition(stick, "8:17", holders=("dm-0", "dm-1"))
    disk = read_disk("sdb", tree.root)

    assert disk.unit.holders == ("md0",)
    assert disk.partitions[0].holders == ("dm-0", "dm-1")
    assert read_unit("sdb1", tree.root) == disk.partitions[0]


def test_a_disk_that_is_gone_is_an_os_error(tree: SysfsTree) -> None:
    with pytest.raises(FileNotFoundError):
        read_disk("sdb", tree.root)


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
    stick = tree.usb_stick()
    tree.partition(stick, f"{os.major(number)}:{os.minor(number)}")
    with pytest.raises(OperatorError, match=r"is a partition. Name the whole disk: /dev/sdb"):
        disk_name_of(node, tree.root)


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


def test_traffic_is_counted_in_512_byte_sectors(tree: SysfsTree) -> None:
    stick = tree.usb_stick()
    (stick / "stat").write_text("   10 11 300 13 20 21 400 23 0 5 6 1 2 3 4 5 6\n")

    assert read_traffic("sdb", tree.root) == Traffic(read_bytes=300 * 512, written_bytes=400 * 512)


def test_a_stat_of_an_old_kernel_is_read_too() -> None:
    assert parse_stat("1 0 8 0 1 0 16 0 0 0 0") == Traffic(8 * 512, 16 * 512)


@given(st.integers(0, 4095), st.integers(0, 1 << 20))
def test_a_device_number_is_read_as_it_is_written(major: int, minor: int) -> None:
    number = DeviceNumber(major, minor)

    assert parse_device_number(str(number)) == number


@given(st.integers(1, 255), st.lists(st.integers(1, 255), min_size=1, max_size=6))
def test_a_usb_device_name_is_bus_and_chain(bus: int, ports: list[int]) -> None:
    chain = ".".join(map(str, ports))

    assert parse_usb_device_name(f"{bus}-{chain}") == (bus, chain)


@pytest.mark.parametrize(
    "name", ["usb1", "1-1:1.0", "1-", "1-1.", "-1", "1-1.4\n", "x1-1", "1-0x1"]
)
def test_a_root_hub_or_an_interface_is_no_device_behind_a_port(name: str) -> None:
    assert parse_usb_device_name(name) is None
