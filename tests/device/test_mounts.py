import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from station.device.mounts import (
    Claim,
    ClaimKind,
    Mount,
    parse_mountinfo,
    parse_swaps,
    read_claims,
)
from station.device.sysfs import DeviceNumber, read_disk
from tests.device.sysfs_tree import SysfsTree

SWAPS_HEAD = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"


@pytest.fixture
def tree(tmp_path: Path) -> SysfsTree:
    """A machine with a USB bus, at which nothing is plugged in yet."""
    tree = SysfsTree(tmp_path)
    tree.add_bus(1)
    return tree


@pytest.fixture
def proc(tree: SysfsTree) -> Callable[[str], Path]:
    """A /proc with these mounts."""

    def make(mountinfo: str) -> Path:
        (tree.proc / "self" / "mountinfo").write_text(mountinfo)
        return tree.proc

    return make


def test_a_mount_table_is_read_with_any_number_of_optional_fields() -> None:
    text = (
        "22 1 0:21 / /proc rw - proc proc rw\n"
        "36 35 8:17 / /mnt/stick rw,noatime shared:1 master:2 - vfat /dev/sdb1 rw\n"
        "37 35 8:33 /sub /mnt/a\\040-\\040b\\134c rw - ext4 /dev/disk/by-label/x\\040y rw\n"
    )

    assert parse_mountinfo(text) == (
        Mount(DeviceNumber(0, 21), "/proc", "proc"),
        Mount(DeviceNumber(8, 17), "/mnt/stick", "/dev/sdb1"),
        Mount(DeviceNumber(8, 33), "/mnt/a - b\\c", "/dev/disk/by-label/x y"),
    )


def test_only_swap_partitions_are_listed() -> None:
    text = SWAPS_HEAD + (
        "/dev/sdb2                               partition\t1048572\t\t0\t\t-2\n"
        "/swapfile                               file\t\t1048572\t\t0\t\t-3\n"
        "/dev/x\\040y                            partition\t4\t\t0\t\t-4\n"
    )

    assert parse_swaps(text) == ("/dev/sdb2", "/dev/x y")


def plug_partitioned(tree: SysfsTree) -> None:
    """A stick with one partition: 8:16 and 8:17."""
    tree.plug("sdb", 1, "1.4.3", diskseq=1, number="8:16")
    tree.add_partition("sdb", 1, number="8:17")


def test_a_disk_that_nobody_uses_is_free(tree: SysfsTree, proc: Callable[[str], Path]) -> None:
    plug_partitioned(tree)
    tables = proc("22 1 0:21 / /proc rw - proc proc rw\n36 35 8:1 / / rw - ext4 /dev/sda1 rw\n")

    assert read_claims(read_disk("sdb", tree.sys), tree.sys, tables) == ()


def test_every_mount_of_the_disk_and_its_partitions_is_told(
    tree: SysfsTree, proc: Callable[[str], Path]
) -> None:
    plug_partitioned(tree)
    tables = proc(
        "36 35 8:17 / /media/a rw - vfat /dev/sdb1 rw\n"
        "37 35 8:17 / /media/b\\040c rw - vfat /dev/sdb1 rw\n"
        "38 35 8:16 / /media/whole rw - vfat /dev/sdb rw\n"
    )
    claims = read_claims(read_disk("sdb", tree.sys), tree.sys, tables)

    assert [str(claim) for claim in claims] == [
        "sdb is mounted at /media/whole",
        "sdb1 is mounted at /media/a",
        "sdb1 is mounted at /media/b c",
    ]


def test_sda_is_not_in_use_because_sdaa_is(tree: SysfsTree, proc: Callable[[str], Path]) -> None:
    tree.plug("sda", 1, "1", diskseq=1, number="8:0")
    tree.add_partition("sda", 1, number="8:1")
    tree.plug("sdaa", 1, "2", diskseq=2, number="65:160")
    tree.add_partition("sdaa", 1, number="65:161")
    tables = proc("36 35 65:161 / /media/a rw - vfat /dev/sdaa1 rw\n")
    free, used = (
        read_claims(read_disk(name, tree.sys), tree.sys, tables) for name in ("sda", "sdaa")
    )

    assert free == ()
    assert used == (Claim("sdaa1", ClaimKind.MOUNT, "/media/a"),)


def test_a_mount_under_a_name_that_says_nothing_is_found_by_number(
    tree: SysfsTree, proc: Callable[[str], Path]
) -> None:
    plug_partitioned(tree)
    tables = proc("36 35 8:17 / / rw - ext4 /dev/root rw\n")

    assert read_claims(read_disk("sdb", tree.sys), tree.sys, tables) == (
        Claim("sdb1", ClaimKind.MOUNT, "/"),
    )


def test_devices_stacked_on_a_partition_are_told_with_what_uses_them(
    tree: SysfsTree, proc: Callable[[str], Path]
) -> None:
    tree.plug("sdb", 1, "1", diskseq=1)
    tree.add_partition("sdb", 1, holders=("md0",))
    tree.add_disk("md0", "virtual", number="9:0", holders=("dm-0",))
    tree.add_disk("dm-0", "virtual", number="253:0")
    tables = proc("36 35 253:0 / /srv rw - ext4 /dev/mapper/vg-srv rw\n")

    assert read_claims(read_disk("sdb", tree.sys), tree.sys, tables) == (
        Claim("sdb1", ClaimKind.HOLDER, "md0"),
        Claim("md0", ClaimKind.HOLDER, "dm-0"),
        Claim("dm-0", ClaimKind.MOUNT, "/srv"),
    )


def test_a_mount_point_that_is_no_utf8_can_still_be_stored_and_shown(tree: SysfsTree) -> None:
    tree.plug("sdb", 1, "1", diskseq=1, number="8:16")
    (tree.proc / "self" / "mountinfo").write_bytes(b"36 35 8:16 / /m/\xff rw - vfat /dev/sdb rw\n")

    assert read_claims(read_disk("sdb", tree.sys), tree.sys, tree.proc) == (
        Claim("sdb", ClaimKind.MOUNT, "/m/\\xff"),
    )


def test_a_file_system_with_a_number_of_its_own_is_found_by_its_source(
    make_image: Callable[..., Path], make_loop: Callable[..., Path], proc: Callable[[str], Path]
) -> None:
    node = make_loop(make_image())
    # btrfs: the kernel shows an anonymous device number.
    tables = proc(f"36 35 0:44 / /media/b rw - btrfs {node} rw\n37 35 0:45 / /t rw - tmpfs /t rw\n")

    assert read_claims(read_disk(node.name), proc=tables) == (
        Claim(node.name, ClaimKind.MOUNT, "/media/b"),
    )


def test_a_source_that_is_gone_or_no_device_claims_nothing(
    make_image: Callable[..., Path], make_loop: Callable[..., Path], proc: Callable[[str], Path]
) -> None:
    node = make_loop(make_image())
    tables = proc(
        "36 35 0:44 / /a rw - btrfs /dev/no-such-disk rw\n37 35 0:45 / /b rw - fuse /dev/fuse rw\n"
    )

    assert read_claims(read_disk(node.name), proc=tables) == ()


def test_a_disk_that_is_really_mounted_is_claimed(
    make_image: Callable[..., Path], make_loop: Callable[..., Path], mounted: Callable[..., Path]
) -> None:
    node = make_loop(make_image(8 << 20))
    subprocess.run(["mkfs.ext4", "-q", "-F", node], check=True)
    assert read_claims(read_disk(node.name)) == ()
    point = mounted(node, name="a folder")

    assert read_claims(read_disk(node.name)) == (Claim(node.name, ClaimKind.MOUNT, str(point)),)


@pytest.fixture
def swap(make_image: Callable[..., Path], make_loop: Callable[..., Path]) -> Iterator[Path]:
    node = make_loop(make_image(1 << 20))
    subprocess.run(["mkswap", node], check=True, capture_output=True)
    # The lowest priority: nothing is ever swapped to a test's file.
    subprocess.run(["swapon", "--priority", "0", node], check=True)
    yield node
    subprocess.run(["swapoff", node], check=True)


def test_a_disk_that_is_really_swapped_on_is_claimed(swap: Path) -> None:
    claims = read_claims(read_disk(swap.name))

    assert claims == (Claim(swap.name, ClaimKind.SWAP),)
    assert str(claims[0]) == f"{swap.name} is used as swap"
