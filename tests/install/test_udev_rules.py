import grp
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from station.errors import OperatorError
from station.install.udev_rules import render_udev_rules
from station.usb.labels import Port
from station.usb.route import PortRoutes, find_routes
from tests.install.udev_judge import rule_on
from tests.usb.usb_tree import UsbTree

ROOT = "0000:00:14.0"
# Any group that every system has stands for the station's.
GROUP = grp.getgrgid(0).gr_name


@pytest.fixture
def tree(tmp_path: Path) -> UsbTree:
    """Four sockets; 3 and 4 do USB 3, as ports 1 and 2 of that bus. A hub is in 3, one in 1."""
    tree = UsbTree(tmp_path)
    tree.add_root(1, 4)
    tree.add_root(2, 2, mbps=5000)
    tree.pair((1, "3"), (2, "1"))
    tree.pair((1, "4"), (2, "2"))
    tree.add_usb3_hub((1, "3"), (2, "1"), ports=4)
    tree.add_hub(1, "1", 4)
    for bus in (1, 2):
        (tree.device(bus, "") / "interface_authorized_default").write_text("1\n")
    return tree


def routes(tree: UsbTree, chains: Sequence[str]) -> list[PortRoutes]:
    return [
        way for chain in chains for way in find_routes(Port(f"{ROOT}/{chain}", chain), tree.sys)
    ]


def rules(tree: UsbTree, *chains: str) -> str:
    return render_udev_rules(routes(tree, chains), GROUP)


def interface_of(tree: UsbTree, bus: int, chain: str) -> Path:
    return tree.device(bus, chain) / f"{bus}-{chain}:1.0"


@pytest.mark.parametrize(
    ("bus", "chain", "mbps"),
    [
        pytest.param(1, "3.2", 480, id="USB 2 stick in a USB 3 socket"),
        pytest.param(2, "1.2", 5000, id="USB 3 stick in the same socket"),
        pytest.param(1, "1.4", 480, id="socket without USB 3"),
    ],
)
def test_a_disk_on_a_taught_port_goes_to_the_group_and_udisks_leaves_it_alone(
    tree: UsbTree, bus: int, chain: str, mbps: int
) -> None:
    disk = tree.add_stick("sdz", bus, chain, mbps=mbps)

    ruling = rule_on(tree, rules(tree, "3.2", "1.4"), disk)

    assert ruling.complaints == []
    assert (ruling.group, ruling.mode) == (0, "0660")
    assert ruling.properties["UDISKS_IGNORE"] == "1"


@pytest.mark.parametrize(
    ("bus", "chain", "mbps"),
    [
        pytest.param(1, "3.3", 480, id="the socket beside"),
        pytest.param(1, "3.2.1", 480, id="below a hub in the taught socket"),
        pytest.param(2, "2", 5000, id="USB 3 socket whose number is that of a taught USB 2 one"),
        pytest.param(1, "2.1.4", 480, id="a chain that ends alike"),
        pytest.param(1, "1.42", 480, id="a number that begins alike"),
    ],
)
def test_no_other_disk_is_given_away(tree: UsbTree, bus: int, chain: str, mbps: int) -> None:
    disk = tree.add_stick("sdz", bus, chain, mbps=mbps)

    ruling = rule_on(tree, rules(tree, "3.2", "1.4", "2"), disk)

    assert (ruling.group, ruling.mode) == (None, None)
    assert "UDISKS_IGNORE" not in ruling.properties


def test_both_halves_of_a_joined_socket_are_given_away(tree: UsbTree) -> None:
    tree.add_root(5, 2, controller="pci0000:00/0000:00:1a.0")
    tree.add_root(6, 2, mbps=5000, controller="pci0000:00/0000:00:1a.0")
    slow = tree.add_stick("sdx", 5, "2", diskseq=1)
    fast = tree.add_stick("sdy", 6, "1", mbps=5000, diskseq=2)
    beside = tree.add_stick("sdz", 6, "2", mbps=5000, diskseq=3)
    joined = Port("0000:00:1a.0/2", "A1", ("0000:00:1a.0/usb3/1",))
    text = render_udev_rules(find_routes(joined, tree.sys), GROUP)

    assert [rule_on(tree, text, disk).group for disk in (slow, fast, beside)] == [0, 0, None]


def test_the_systems_own_disk_is_not_given_away(tree: UsbTree) -> None:
    disk = tree.add_disk("sda", "pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0")

    assert rule_on(tree, rules(tree, "3.2", "1.4"), disk).group is None


def test_of_a_card_reader_only_the_taught_slot_is_given_away(tree: UsbTree) -> None:
    taught = tree.add_stick("sdy", 1, "1.4", lun=2, diskseq=1)
    other = tree.add_stick("sdz", 1, "1.4", lun=1, diskseq=2)
    text = rules(tree, "1.4:lun2")

    assert rule_on(tree, text, taught).group == 0
    assert rule_on(tree, text, other).group is None


def test_nothing_found_on_a_disk_is_acted_upon(tree: UsbTree) -> None:
    disk = tree.add_stick("sdz", 1, "1.4")
    found = 'SUBSYSTEM=="block", ENV{ID_FS_TYPE}="linux_raid_member", ENV{ID_FS_USAGE}="raid"\n'

    ruling = rule_on(tree, found + rules(tree, "1.4"), disk)

    assert not ruling.properties.get("ID_FS_TYPE")
    assert not ruling.properties.get("ID_FS_USAGE")


def test_new_interfaces_on_the_buses_of_taught_ports_start_out_unauthorised(tree: UsbTree) -> None:
    text = rules(tree, "3.2")
    for bus in (1, 2):
        assert rule_on(tree, text, tree.device(bus, "")).complaints == []

        assert (tree.device(bus, "") / "interface_authorized_default").read_text().strip() == "0"


def test_a_controller_without_taught_ports_stays_as_it_is(tree: UsbTree) -> None:
    tree.add_root(5, 2, controller="pci0000:00/0000:00:1a.0")
    root = tree.device(5, "")
    (root / "interface_authorized_default").write_text("1\n")
    rule_on(tree, rules(tree, "3.2"), root)

    assert (root / "interface_authorized_default").read_text() == "1\n"


def test_a_keyboard_on_a_taught_port_is_not_authorised(tree: UsbTree) -> None:
    interface = tree.add_keyboard(1, "1.4")

    ruling = rule_on(tree, rules(tree, "1.4"), interface)

    assert ruling.complaints == []
    assert (interface / "authorized").read_text().strip() == "0"
    assert "drivers_probe" not in ruling.text


def test_a_hub_on_a_taught_port_is_not_authorised(tree: UsbTree) -> None:
    tree.add_hub(1, "1.4", 4)
    rule_on(tree, rules(tree, "1.4"), interface_of(tree, 1, "1.4"))

    assert (interface_of(tree, 1, "1.4") / "authorized").read_text().strip() == "0"


@pytest.mark.parametrize(
    ("bus", "chain"),
    [pytest.param(1, "1.4", id="on a taught port"), pytest.param(1, "2", id="elsewhere")],
)
def test_mass_storage_is_let_in_and_gets_its_driver(tree: UsbTree, bus: int, chain: str) -> None:
    tree.add_stick("sdz", bus, chain)
    interface = interface_of(tree, bus, chain)
    (interface / "driver").unlink()
    (interface / "authorized").write_text("0\n")

    ruling = rule_on(tree, rules(tree, "1.4"), interface)

    assert (interface / "authorized").read_text().strip() == "1"
    assert f"echo {interface.name} >/sys/bus/usb/drivers_probe" in ruling.text


def test_a_keyboard_elsewhere_on_the_same_bus_is_let_in(tree: UsbTree) -> None:
    interface = tree.add_keyboard(1, "2")
    (interface / "driver").unlink()
    (interface / "authorized").write_text("0\n")

    rule_on(tree, rules(tree, "1.4"), interface)

    assert (interface / "authorized").read_text().strip() == "1"


def test_udev_does_complain_about_rules_that_are_wrong(tree: UsbTree) -> None:
    disk = tree.add_stick("sdz", 1, "1.4")

    assert rule_on(tree, rules(tree, "1.4") + 'SUBSYSTEM=="block", FOO=="bar"\n', disk).complaints


def test_a_path_with_a_meaning_in_rules_is_refused(tree: UsbTree) -> None:
    (port,) = routes(tree, ["1.4"])
    odd = replace(
        port,
        routes=tuple(
            replace(route, controller_path='/devices/x*", RUN+="sh') for route in port.routes
        ),
    )

    with pytest.raises(OperatorError, match="can't be written in a udev rule"):
        render_udev_rules([odd], GROUP)


def test_labels_never_reach_the_rules(tree: UsbTree) -> None:
    found = find_routes(Port(f"{ROOT}/1.4", '"$kernel\\'), tree.sys)

    assert "$kernel\\" not in render_udev_rules(found, GROUP)
