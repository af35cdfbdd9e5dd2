from pathlib import Path

import pytest

from station.usb.candidate import read_candidate
from tests.usb.usb_tree import UsbTree


@pytest.fixture
def tree(tmp_path: Path) -> UsbTree:
    tree = UsbTree(tmp_path)
    tree.add_root(1, 2)
    tree.add_root(2, 2, mbps=10000)
    return tree


def test_a_drive_knows_the_speed_of_the_link_that_its_hub_shares(tree: UsbTree) -> None:
    tree.add_hub(2, "1", 4, mbps=10000)
    tree.add_hub(2, "1.3", 4, mbps=5000)
    tree.add_stick("sdb", 2, "1.3.2", mbps=5000)
    drive = read_candidate("sdb", sysfs=tree.sys, proc=tree.proc).drive

    assert (drive.link_mbps, drive.upstream_mbps) == (5000, 10000)


def test_without_a_hub_the_link_is_the_drives_own(tree: UsbTree) -> None:
    tree.add_stick("sdb", 1, "2", mbps=480)

    assert read_candidate("sdb", sysfs=tree.sys, proc=tree.proc).drive.upstream_mbps == 480


def test_a_speed_that_is_not_settled_yet_is_unknown(tree: UsbTree) -> None:
    hub = tree.add_hub(1, "1", 4)
    tree.add_stick("sdb", 1, "1.2")
    (hub / "speed").write_text("unknown\n")

    assert read_candidate("sdb", sysfs=tree.sys, proc=tree.proc).drive.upstream_mbps is None
