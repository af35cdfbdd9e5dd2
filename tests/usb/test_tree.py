from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.usb.tree import SocketNode, is_superspeed_capable, read_usb_tree
from tests.usb.usb_tree import HIGH_SPEED_BOS, SUPERSPEED_BOS, UsbTree

ROOT = "0000:00:14.0"


@pytest.fixture
def tree(tmp_path: Path) -> UsbTree:
    """A controller with two sockets, of which the second does USB 3."""
    tree = UsbTree(tmp_path)
    tree.add_root(1, 2)
    tree.add_root(2, 1, mbps=5000)
    tree.pair((1, "2"), (2, "1"))
    return tree


def sockets(tree: UsbTree) -> dict[str, SocketNode]:
    return {
        socket.name.removeprefix(f"{ROOT}/"): socket
        for controller in read_usb_tree(tree.sys)
        for socket in controller.walk()
    }


def test_a_machine_without_usb_has_no_controllers(tmp_path: Path) -> None:
    assert read_usb_tree(tmp_path) == ()


def test_a_socket_with_two_halves_is_one(tree: UsbTree) -> None:
    (controller,) = read_usb_tree(tree.sys)

    assert controller.name == ROOT
    assert [hub.speed_mbps for hub in controller.root_hubs] == [480, 5000]
    assert [(socket.name, socket.has_usb3) for socket in controller.sockets] == [
        (f"{ROOT}/1", False),
        (f"{ROOT}/2", True),
    ]


def test_a_usb_3_hub_is_one_hub_of_two_halves_and_its_sockets_are_its_own(tree: UsbTree) -> None:
    tree.add_usb3_hub((1, "2"), (2, "1"), ports=4)
    tree.add_stick("sda", 1, "2.3")
    tree.add_stick("sdb", 2, "1.4", mbps=5000)

    hub = sockets(tree)["2"]
    assert [device.name for device in hub.devices] == ["1-2", "2-1"]
    assert [
        (socket.name.removeprefix(f"{ROOT}/"), [device.name for device in socket.devices])
        for socket in hub.sockets
    ] == [("2.1", []), ("2.2", []), ("2.3", ["1-2.3"]), ("2.4", ["2-1.4"])]


def test_sockets_come_as_people_count(tree: UsbTree) -> None:
    tree.add_hub(1, "1", ports=12)

    assert [name for name in sockets(tree) if name.startswith("1.")] == [
        f"1.{number}" for number in range(1, 13)
    ]


def test_a_stick_tells_its_speed_power_endpoints_and_disks(tree: UsbTree) -> None:
    tree.add_stick("sdc", 1, "1", max_power_ma=300)

    (stick,) = sockets(tree)["1"].devices
    assert (stick.speed_mbps, stick.max_power_ma, stick.is_self_powered) == (480, 300, False)
    assert (stick.endpoint_count, stick.disks, stick.is_hub) == (3, ("sdc",), False)
    assert stick.is_mass_storage
    assert [interface.driver for interface in stick.interfaces] == ["usb-storage"]


def test_a_card_readers_disks_are_all_told(tree: UsbTree) -> None:
    tree.add_stick("sdd", 1, "1", lun=1, diskseq=2)
    tree.add_stick("sdc", 1, "1", lun=0, diskseq=1)

    assert sockets(tree)["1"].devices[0].disks == ("sdc", "sdd")


@pytest.mark.parametrize(
    ("mbps", "version", "bos", "could"),
    [
        pytest.param(5000, "3.20", None, True, id="on USB 3"),
        pytest.param(480, "2.10", None, True, id="says 2.10, as USB 3 sticks do on USB 2"),
        pytest.param(480, "2.00", None, False, id="says 2.00"),
        pytest.param(480, "2.10", SUPERSPEED_BOS, True, id="tells of SuperSpeed"),
        pytest.param(480, "2.10", HIGH_SPEED_BOS, False, id="tells of USB 2 only"),
    ],
)
def test_a_stick_that_could_do_usb_3_is_known(
    tree: UsbTree,
    mbps: int,
    version: str,
    bos: bytes | None,
    could: bool,  # noqa: FBT001 - a column of the table
) -> None:
    tree.add_stick("sdc", 1, "1", mbps=mbps, version=version, bos=bos)

    assert sockets(tree)["1"].devices[0].has_superspeed is could


def test_a_keyboard_that_was_not_let_in_shows(tree: UsbTree) -> None:
    interface = tree.add_keyboard(1, "1")
    (interface / "authorized").write_text("0\n")

    (keyboard,) = sockets(tree)["1"].devices
    assert [(each.usb_class, each.authorized) for each in keyboard.interfaces] == [(3, False)]


def test_a_device_that_is_half_gone_is_left_out(tree: UsbTree) -> None:
    tree.add_stick("sdc", 1, "1")
    (tree.device(1, "1") / "idVendor").unlink()

    assert sockets(tree)["1"].devices == ()


@given(st.binary(max_size=64))
def test_no_descriptor_of_a_stick_leads_astray(bos: bytes) -> None:
    assert is_superspeed_capable(bos) in (True, False)


@given(st.integers(0, len(SUPERSPEED_BOS)))
def test_a_capability_is_known_as_soon_as_its_kind_is(length: int) -> None:
    kind_ends = SUPERSPEED_BOS.index(b"\x0a\x10\x03") + 3

    assert is_superspeed_capable(SUPERSPEED_BOS[:length]) is (length >= kind_ends)
