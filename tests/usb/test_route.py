from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from station.errors import OperatorError
from station.usb.labels import Port
from station.usb.ports import port_of_disk
from station.usb.route import BusRoute, find_routes
from station.usb.topology import Unit, parse_disk_path
from tests.usb.usb_tree import UsbTree

ROOT = "0000:00:14.0"
CONTROLLER = f"/devices/pci0000:00/{ROOT}"


@pytest.fixture
def tree(tmp_path: Path) -> UsbTree:
    """A controller with four sockets, of which 3 and 4 do USB 3, as ports 1 and 2 of that bus."""
    tree = UsbTree(tmp_path)
    tree.add_root(1, 4)
    tree.add_root(2, 2, mbps=5000)
    tree.pair((1, "3"), (2, "1"))
    tree.pair((1, "4"), (2, "2"))
    return tree


def routes(tree: UsbTree, chain: str) -> list[tuple[bool, tuple[int, ...]]]:
    (found,) = find_routes(Port(f"{ROOT}/{chain}", "A1"), tree.sys)
    return [(route.is_usb3, route.chain) for route in found.routes]


def test_a_usb_2_socket_has_one_way(tree: UsbTree) -> None:
    (found,) = find_routes(Port(f"{ROOT}/1.4:lun2", "A1"), tree.sys)

    assert found.unit == Unit(lun=2)
    assert found.routes == (BusRoute(CONTROLLER, is_usb3=False, chain=(1, 4)),)


def test_a_usb_3_socket_has_two_though_no_hub_is_plugged_in_yet(tree: UsbTree) -> None:
    assert routes(tree, "3.4.2") == [(False, (3, 4, 2)), (True, (1, 4, 2))]


def test_a_hubs_own_ports_lead_where_they_are_known(tree: UsbTree) -> None:
    # Hubs inside of computers are wired as their makers please.
    tree.add_hub(1, "3", 4)
    tree.add_hub(2, "1", 4, mbps=5000)
    tree.pair((1, "3.1"), (2, "1.4"))

    assert routes(tree, "3.1.2") == [(False, (3, 1, 2)), (True, (1, 4, 2))]


def test_a_port_of_a_controller_that_is_not_there_is_refused(tree: UsbTree) -> None:
    with pytest.raises(OperatorError, match=r"A1 is on the controller 0000:09:00\.0"):
        find_routes(Port("0000:09:00.0/1", "A1"), tree.sys)


def test_both_halves_of_a_socket_that_the_kernel_does_not_know_for_one_have_their_way(
    tree: UsbTree,
) -> None:
    tree.add_root(3, 2, mbps=10_000, controller="pci0000:00/0000:00:1c.0")
    port = Port("0000:00:1c.0/1.2", "A1", ("0000:00:1c.0/usb3/1.2",))
    tree.add_root(4, 2, controller="pci0000:00/0000:00:1c.0")
    slow, fast = find_routes(port, tree.sys)

    assert [(way.is_usb3, way.chain) for way in slow.routes] == [(False, (1, 2))]
    assert [(way.is_usb3, way.chain) for way in fast.routes] == [(True, (1, 2))]


def test_ways_to_two_controllers_do_not_mix(tree: UsbTree) -> None:
    tree.add_root(5, 4, controller="pci0000:00/0000:00:1c.0/0000:05:00.0")

    (found,) = find_routes(Port("0000:05:00.0/3", "A1"), tree.sys)

    assert found.routes == (
        BusRoute("/devices/pci0000:00/0000:00:1c.0/0000:05:00.0", is_usb3=False, chain=(3,)),
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(bus=st.integers(1, 2), chain=st.lists(st.integers(1, 2), min_size=1, max_size=4))
def test_wherever_a_stick_is_plugged_in_its_ports_routes_lead_to_it(
    tree: UsbTree, bus: int, chain: list[int]
) -> None:
    tree.plug("sdz", bus, ".".join(map(str, chain)), diskseq=1)
    disk = tree.sys / "block" / "sdz"
    name = port_of_disk(disk, tree.sys)
    location = parse_disk_path(f"/{disk.resolve().relative_to(tree.sys)}")
    tree.pull("sdz")

    assert name is not None
    assert location is not None
    (found,) = find_routes(Port(name, "A1"), tree.sys)
    assert BusRoute(CONTROLLER, bus == 2, location.socket.chain) in found.routes
