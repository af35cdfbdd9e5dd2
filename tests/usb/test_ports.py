from pathlib import Path

import pytest

from station.usb.ports import port_of_disk
from tests.device.sysfs_tree import SysfsTree

USB2 = 1
USB3 = 2


@pytest.fixture
def tree(tmp_path: Path) -> SysfsTree:
    """One USB 3 controller; its root ports 5 (USB 2) and 1 (USB 3) are one socket."""
    tree = SysfsTree(tmp_path)
    tree.add_bus(USB2, mbps=480)
    tree.add_bus(USB3, mbps=10_000)
    tree.pair((USB2, "5"), (USB3, "1"))
    return tree


def port_of(tree: SysfsTree, name: str) -> str | None:
    return port_of_disk(tree.sys / "block" / name, tree.sys)


def test_both_halves_of_a_root_socket_are_one_port(tree: SysfsTree) -> None:
    tree.plug("sdb", USB2, "5", diskseq=1)
    slow = port_of(tree, "sdb")
    tree.pull("sdb")
    tree.plug("sdc", USB3, "1", diskseq=2)
    fast = port_of(tree, "sdc")

    assert slow == fast == "0000:00:14.0/5"


def test_both_halves_of_a_socket_below_nested_hubs_are_one_port(tree: SysfsTree) -> None:
    tree.pair((USB2, "5.4"), (USB3, "1.4"))
    tree.pair((USB2, "5.4.3"), (USB3, "1.4.3"))
    tree.plug("sdb", USB2, "5.4.3", diskseq=1)
    slow = port_of(tree, "sdb")
    tree.pull("sdb")
    tree.plug("sdc", USB3, "1.4.3", diskseq=2)
    fast = port_of(tree, "sdc")

    assert slow == fast == "0000:00:14.0/5.4.3"


def test_the_half_is_found_through_the_hub_when_the_port_itself_tells_no_peer(
    tree: SysfsTree,
) -> None:
    tree.plug("sdc", USB3, "1.4.3", diskseq=1)

    assert port_of(tree, "sdc") == "0000:00:14.0/5.4.3"


def test_a_usb_2_socket_goes_by_its_number(tree: SysfsTree) -> None:
    tree.plug("sdb", USB2, "7.2", diskseq=1)

    assert port_of(tree, "sdb") == "0000:00:14.0/7.2"


def test_a_usb_3_port_whose_other_half_is_unknown_is_no_port_of_the_usb_2_bus(
    tree: SysfsTree,
) -> None:
    tree.plug("sdb", USB2, "3", diskseq=1)
    tree.plug("sdc", USB3, "3", diskseq=2)
    tree.plug("sdd", USB3, "4.2", diskseq=3)

    assert port_of(tree, "sdb") == "0000:00:14.0/3"
    assert port_of(tree, "sdc") == "0000:00:14.0/usb3/3"
    assert port_of(tree, "sdd") == "0000:00:14.0/usb3/4.2"


def test_each_slot_of_a_card_reader_is_a_port(tree: SysfsTree) -> None:
    tree.plug("sdb", USB3, "1", diskseq=1, lun=0)
    tree.plug("sdc", USB3, "1", diskseq=2, lun=1)

    assert port_of(tree, "sdb") == "0000:00:14.0/5"
    assert port_of(tree, "sdc") == "0000:00:14.0/5:lun1"


def test_a_disk_that_is_not_on_usb_has_no_port(tree: SysfsTree) -> None:
    tree.add_disk("vda", "pci0000:00/0000:00:04.0/virtio2")

    assert port_of(tree, "vda") is None


def test_a_disk_that_left_meanwhile_is_an_os_error(tree: SysfsTree) -> None:
    with pytest.raises(FileNotFoundError):
        port_of(tree, "sdb")
