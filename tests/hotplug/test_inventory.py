from collections import Counter

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from station.device.drive import DriveInfo
from station.hotplug.events import Inserted, PlugEvent, Removed
from station.hotplug.inventory import Inventory

NODES = ["/dev/sdb", "/dev/sdc", "/dev/sdd", "/dev/sde"]
PORTS = ["0000:00:14.0/1", "0000:00:14.0/2", "0000:00:14.0/10", "0000:00:14.0/2:lun1"]


def stick(diskseq: int, node: str = NODES[0], port: str = PORTS[0]) -> DriveInfo:
    return DriveInfo(node=node, capacity_bytes=8 * 10**9, diskseq=diskseq, port=port)


def test_a_stick_is_told_of_once() -> None:
    inventory = Inventory()

    assert inventory.see(stick(1)) == [Inserted(stick(1))]
    assert inventory.see(stick(1)) == []
    assert inventory.see_all([stick(1)]) == []
    assert inventory.drives == (stick(1),)


def test_a_stick_leaves_once() -> None:
    inventory = Inventory()
    inventory.see(stick(1))

    assert inventory.see_nothing(NODES[0]) == [Removed(PORTS[0], 1)]
    assert inventory.see_nothing(NODES[0]) == []
    assert inventory.see_all([]) == []


def test_another_stick_at_the_same_node_means_that_the_first_has_left() -> None:
    inventory = Inventory()
    inventory.see(stick(1))
    new = stick(2, port=PORTS[1])

    assert inventory.see(new) == [Removed(PORTS[0], 1), Inserted(new)]


def test_another_stick_at_the_same_port_means_that_the_first_has_left() -> None:
    inventory = Inventory()
    inventory.see(stick(1))
    new = stick(2, node=NODES[1])

    assert inventory.see(new) == [Removed(PORTS[0], 1), Inserted(new)]
    assert inventory.see_nothing(NODES[0]) == []


def test_a_stick_that_displaces_two_is_told_after_both() -> None:
    inventory = Inventory()
    inventory.see(stick(1))
    inventory.see(stick(2, node=NODES[1], port=PORTS[1]))
    new = stick(3, node=NODES[0], port=PORTS[1])

    assert inventory.see(new) == [Removed(PORTS[0], 1), Removed(PORTS[1], 2), Inserted(new)]


def test_a_look_at_everything_tells_first_what_left_then_what_came_in_the_order_of_the_ports() -> (
    None
):
    inventory = Inventory()
    inventory.see(stick(1))
    came = [stick(number, node, port) for number, node, port in zip((7, 5, 6), NODES, PORTS)]  # noqa: B905 - one node more than numbers

    events = inventory.see_all(reversed(came))

    assert events == [Removed(PORTS[0], 1), *map(Inserted, came)]


def test_a_medium_without_a_number_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="no disk sequence number"):
        Inventory().see(DriveInfo(node="/dev/sdb", capacity_bytes=1))


class Volunteers(RuleBasedStateMachine):
    """Sticks come and go while looks at the nodes are late, doubled, out of order or missing."""

    def __init__(self) -> None:
        super().__init__()
        self.inventory = Inventory()
        self.present: dict[str, DriveInfo] = {}
        self.last_diskseq = 0
        self.log: list[PlugEvent] = []

    @rule(node=st.sampled_from(NODES), port=st.sampled_from(PORTS))
    def replace(self, node: str, port: str) -> None:
        self.pull(node)
        taken = [other for other, drive in self.present.items() if drive.port == port]
        for other in taken:
            self.pull(other)
        self.last_diskseq += 1
        self.present[node] = stick(self.last_diskseq, node, port)

    @rule(node=st.sampled_from(NODES))
    def pull(self, node: str) -> None:
        self.present.pop(node, None)

    @rule(node=st.sampled_from(NODES))
    def look(self, node: str) -> None:
        drive = self.present.get(node)
        self.log += self.inventory.see_nothing(node) if drive is None else self.inventory.see(drive)
        found = self.inventory.at_node(node)

        assert found == drive

    @rule()
    def look_at_all(self) -> None:
        self.log += self.inventory.see_all(self.present.values())

        assert set(self.inventory.drives) == set(self.present.values())

    @invariant()
    def each_is_inserted_once_and_removed_once_after(self) -> None:
        there: set[int] = set()
        told: Counter[int] = Counter()
        for event in self.log:
            match event:
                case Inserted(drive=DriveInfo(diskseq=int(diskseq))):
                    told[diskseq] += 1
                    there.add(diskseq)
                case Removed(diskseq=diskseq):
                    there.remove(diskseq)

        assert set(told.values()) <= {1}
        assert there == {drive.diskseq for drive in self.inventory.drives}

    @invariant()
    def no_node_and_no_port_holds_two(self) -> None:
        drives = self.inventory.drives

        assert len({drive.node for drive in drives}) == len(drives)
        assert len({drive.port for drive in drives}) == len(drives)


TestVolunteers = Volunteers.TestCase
