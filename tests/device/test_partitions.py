from pathlib import Path

from station.device.partitions import show_partitions
from tests.device.sysfs_tree import SysfsTree


def test_partitions_of_the_next_medium_are_not_those_meant(tmp_path: Path) -> None:
    tree = SysfsTree(tmp_path)
    tree.add_bus(1)
    tree.plug("sdb", 1, "1", diskseq=8)
    tree.add_partition("sdb", 1)

    assert not show_partitions("sdb", 7, tree.sys)
    assert show_partitions("sdb", 8, tree.sys)


def test_a_stick_that_was_pulled_has_no_partitions(tmp_path: Path) -> None:
    assert not show_partitions("sdb", 7, SysfsTree(tmp_path).sys)
