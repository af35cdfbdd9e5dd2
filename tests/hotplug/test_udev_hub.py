import errno
import os
from collections import deque
from pathlib import Path

import pytest

from station.errors import OperatorError, StationFaultError
from station.hotplug.events import Inserted, PlugEvent, Port
from station.hotplug.monitor import DiskNotice, Phase
from station.hotplug.udev import LOOK_AT_ALL_INTERVAL_S, UdevHub, require_udev
from station.usb.guard import GuardPolicy
from station.verdict import DriveRefusedError, RefusalReason
from tests.device.sysfs_tree import MB, SysfsTree

ROOT = "0000:00:14.0"
TAUGHT: tuple[Port, ...] = (Port(f"{ROOT}/2", "B"), Port(f"{ROOT}/1", "A"))


class ScriptedUdev:
    """Says what a test queued, and lists what is in the tree; time passes only while it waits."""

    def __init__(self, tree: SysfsTree) -> None:
        self.tree = tree
        self.queue: deque[DiskNotice | OSError] = deque()
        self.unfinished: set[str] = set()
        self.now_s = 100.0
        self.restarts = 0
        self.restart_error: OSError | None = None
        self.closed = False

    def says(self, name: str, diskseq: int, phase: Phase = Phase.READY) -> None:
        self.queue.append(DiskNotice(name, diskseq, phase))

    def loses_notices(self) -> None:
        self.queue.append(OSError(errno.ENOBUFS, os.strerror(errno.ENOBUFS)))

    def restart(self) -> None:
        self.restarts += 1
        if self.restart_error is not None:
            raise self.restart_error

    def poll(self, timeout_s: float) -> DiskNotice | None:
        if not self.queue:
            self.now_s += timeout_s
            return None
        said = self.queue.popleft()
        if isinstance(said, OSError):
            self.queue.clear()
            raise said
        return said

    def present(self) -> list[DiskNotice]:
        disks = sorted((self.tree.sys / "block").iterdir())
        return [
            DiskNotice(
                disk.name,
                int((disk / "diskseq").read_text()),
                Phase.PENDING if disk.name in self.unfinished else Phase.READY,
            )
            for disk in disks
            if (disk / "diskseq").exists()
        ]

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def tree(tmp_path: Path) -> SysfsTree:
    tree = SysfsTree(tmp_path)
    tree.add_bus(1)
    tree.add_disk("vda", "pci0000:00/0000:00:04.0/virtio2")
    return tree


@pytest.fixture
def udev(tree: SysfsTree) -> ScriptedUdev:
    return ScriptedUdev(tree)


@pytest.fixture
def hub(tree: SysfsTree, udev: ScriptedUdev) -> UdevHub:
    return UdevHub(
        TAUGHT,
        GuardPolicy(taught_ports=frozenset(port.name for port in TAUGHT)),
        monitor=udev,
        sysfs=tree.sys,
        proc=tree.proc,
        clock=lambda: udev.now_s,
    )


def told(events: list[PlugEvent]) -> list[tuple[str, str, int | None]]:
    return [
        ("+", event.drive.port.removeprefix(f"{ROOT}/"), event.drive.diskseq)
        if isinstance(event, Inserted)
        else ("-", event.port.removeprefix(f"{ROOT}/"), event.diskseq)
        for event in events
    ]


def test_sticks_that_are_in_at_the_start_are_told_and_other_disks_are_not(
    tree: SysfsTree, hub: UdevHub
) -> None:
    tree.plug("sdb", 1, "1", diskseq=5)

    assert told(hub.poll(1)) == [("+", "1", 5)]
    assert hub.poll(1) == []


def test_sixteen_at_once_are_told_in_the_order_of_their_ports(
    tree: SysfsTree, hub: UdevHub, udev: ScriptedUdev
) -> None:
    hub.poll(0)
    for number in range(16, 0, -1):
        tree.plug(f"sd{chr(ord('a') + number)}", 1, f"4.{number}", diskseq=100 + number)
    udev.loses_notices()

    events = hub.poll(1) + hub.poll(1)

    assert told(events) == [("+", f"4.{number}", 100 + number) for number in range(1, 17)]


def test_a_stick_is_told_when_udev_says_so_and_once(
    tree: SysfsTree, hub: UdevHub, udev: ScriptedUdev
) -> None:
    hub.poll(0)
    tree.plug("sdb", 1, "1", diskseq=5)
    udev.says("sdb", 5)
    udev.says("sdb", 5)

    assert told(hub.poll(1)) == [("+", "1", 5)]
    assert hub.poll(1) == []


def test_a_stick_with_which_udev_is_not_done_is_told_later(
    tree: SysfsTree, hub: UdevHub, udev: ScriptedUdev
) -> None:
    tree.plug("sdb", 1, "1", diskseq=5)
    udev.unfinished.add("sdb")
    assert hub.poll(1) == []
    udev.unfinished.clear()
    udev.says("sdb", 5)

    assert told(hub.poll(1)) == [("+", "1", 5)]


def test_a_stick_that_was_told_stays_while_udev_works_on_it_again(
    tree: SysfsTree, hub: UdevHub, udev: ScriptedUdev
) -> None:
    tree.plug("sdb", 1, "1", diskseq=5)
    hub.poll(0)
    udev.unfinished.add("sdb")

    assert hub.poll(3 * LOOK_AT_ALL_INTERVAL_S) == []


def test_a_stick_that_was_pulled_is_told(tree: SysfsTree, hub: UdevHub, udev: ScriptedUdev) -> None:
    tree.plug("sdb", 1, "1", diskseq=5)
    hub.poll(0)
    tree.pull("sdb")
    udev.says("sdb", 5, Phase.LEAVING)

    assert told(hub.poll(1)) == [("-", "1", 5)]


def test_a_stick_is_gone_when_udev_says_so_even_while_sysfs_still_has_it(
    tree: SysfsTree, hub: UdevHub, udev: ScriptedUdev
) -> None:
    tree.plug("sdb", 1, "1", diskseq=5)
    hub.poll(0)
    udev.says("sdb", 5, Phase.LEAVING)

    assert told(hub.poll(1)) == [("-", "1", 5)]
    assert hub.poll(2 * LOOK_AT_ALL_INTERVAL_S) == []


def test_one_that_replaced_another_at_the_same_node_is_told_after_the_other_left(
    tree: SysfsTree, hub: UdevHub, udev: ScriptedUdev
) -> None:
    tree.plug("sdb", 1, "1", diskseq=5)
    hub.poll(0)
    tree.pull("sdb")
    tree.plug("sdb", 1, "1", diskseq=6)
    udev.says("sdb", 5, Phase.LEAVING)
    udev.says("sdb", 6)

    assert told([*hub.poll(1), *hub.poll(1)]) == [("-", "1", 5), ("+", "1", 6)]
    assert hub.poll(1) == []


def test_one_that_replaced_another_waits_for_udev_although_the_old_notice_comes_first(
    tree: SysfsTree, hub: UdevHub, udev: ScriptedUdev
) -> None:
    tree.plug("sdb", 1, "1", diskseq=5)
    hub.poll(0)
    tree.pull("sdb")
    tree.plug("sdb", 1, "1", diskseq=6)
    udev.unfinished.add("sdb")
    udev.says("sdb", 5, Phase.LEAVING)

    assert told(hub.poll(1)) == [("-", "1", 5)]


def test_the_late_notice_of_a_pulled_stick_does_not_remove_its_successor(
    tree: SysfsTree, hub: UdevHub, udev: ScriptedUdev
) -> None:
    tree.plug("sdb", 1, "1", diskseq=6)
    hub.poll(0)
    udev.says("sdb", 5, Phase.LEAVING)

    assert hub.poll(1) == []


def test_a_successor_at_the_same_port_is_told_after_the_pulled_one_although_its_notice_is_first(
    tree: SysfsTree, hub: UdevHub, udev: ScriptedUdev
) -> None:
    tree.plug("sdb", 1, "1", diskseq=5)
    hub.poll(0)
    tree.pull("sdb")
    tree.plug("sdc", 1, "1", diskseq=6)
    udev.says("sdc", 6)
    udev.says("sdb", 5, Phase.LEAVING)

    assert told(hub.poll(1)) == [("-", "1", 5), ("+", "1", 6)]


def test_lost_notices_are_made_up_for_and_counted(
    tree: SysfsTree, hub: UdevHub, udev: ScriptedUdev
) -> None:
    tree.plug("sdb", 1, "1", diskseq=5)
    hub.poll(0)
    tree.pull("sdb")
    tree.plug("sdc", 1, "2", diskseq=6)
    udev.loses_notices()

    assert told(hub.poll(1)) == [("-", "1", 5), ("+", "2", 6)]
    assert hub.losses == 1
    assert udev.restarts == 2


def test_what_was_heard_before_notices_were_lost_is_told(
    tree: SysfsTree, hub: UdevHub, udev: ScriptedUdev
) -> None:
    hub.poll(0)
    tree.plug("sdb", 1, "1", diskseq=5)
    udev.says("sdb", 5)
    udev.loses_notices()

    assert told(hub.poll(1)) == [("+", "1", 5)]
    assert hub.poll(1) == []


def test_a_stick_whose_notice_was_lost_without_a_trace_is_found_in_a_few_seconds(
    tree: SysfsTree, hub: UdevHub, udev: ScriptedUdev
) -> None:
    hub.poll(0)
    began_s = udev.now_s
    tree.plug("sdb", 1, "1", diskseq=5)

    assert told(hub.poll(60)) == [("+", "1", 5)]
    assert udev.now_s - began_s <= LOOK_AT_ALL_INTERVAL_S


def test_the_slots_of_a_card_reader_get_and_lose_media_while_the_reader_stays(
    tree: SysfsTree, hub: UdevHub, udev: ScriptedUdev
) -> None:
    tree.plug("sdb", 1, "1", diskseq=1, lun=0, capacity_bytes=0)
    tree.plug("sdc", 1, "1", diskseq=2, lun=1, capacity_bytes=0)
    assert hub.poll(1) == []
    tree.set_capacity("sdc", 64 * MB, diskseq=3)
    udev.says("sdc", 3)
    card = hub.poll(1)
    tree.set_capacity("sdc", 0, diskseq=4)
    udev.says("sdc", 4)
    no_card = hub.poll(1)
    tree.set_capacity("sdc", 128 * MB, diskseq=5)
    udev.says("sdc", 5)
    other_card = hub.poll(1)

    assert told(card) == [("+", "1:lun1", 3)]
    assert told(no_card) == [("-", "1:lun1", 3)]
    assert told(other_card) == [("+", "1:lun1", 5)]


def test_waiting_for_nothing_ends_in_time(hub: UdevHub, udev: ScriptedUdev) -> None:
    hub.poll(0)
    began_s = udev.now_s

    assert hub.poll(5.5) == []
    assert udev.now_s - began_s == pytest.approx(5.5)


def test_taught_ports_come_in_their_order_and_others_after_them_once_something_is_plugged(
    tree: SysfsTree, hub: UdevHub
) -> None:
    assert hub.ports == TAUGHT
    tree.plug("sdb", 1, "10", diskseq=5)
    tree.plug("sdc", 1, "9", diskseq=6)
    tree.plug("sdd", 1, "1", diskseq=7)
    hub.poll(0)
    tree.pull("sdb")
    hub.poll(2 * LOOK_AT_ALL_INTERVAL_S)

    assert hub.ports == (
        *TAUGHT,
        Port(f"{ROOT}/9", f"{ROOT}/9"),
        Port(f"{ROOT}/10", f"{ROOT}/10"),
    )


def test_a_stick_at_the_other_half_of_a_joined_socket_opens_no_port_of_its_own(
    tree: SysfsTree, udev: ScriptedUdev
) -> None:
    tree.add_bus(2, mbps=5000)
    joined = Port(f"{ROOT}/2", "B", (f"{ROOT}/usb3/1",))
    hub = UdevHub((joined,), GuardPolicy(), monitor=udev, sysfs=tree.sys, proc=tree.proc)
    tree.plug("sdb", 2, "1", diskseq=5)

    assert told(hub.poll(0)) == [("+", "usb3/1", 5)]
    assert hub.ports == (joined,)


def test_a_stick_that_was_swapped_after_it_was_told_is_refused(
    tree: SysfsTree, hub: UdevHub
) -> None:
    tree.plug("sdb", 1, "1", diskseq=5)
    (inserted,) = hub.poll(0)
    assert isinstance(inserted, Inserted)
    tree.pull("sdb")
    tree.plug("sdb", 1, "1", diskseq=6)

    with pytest.raises(DriveRefusedError) as raised:
        hub.open(inserted.drive)
    assert raised.value.verdict.reason == RefusalReason.CHANGED


def test_a_stick_at_an_untaught_port_is_told_and_refused(tree: SysfsTree, hub: UdevHub) -> None:
    tree.plug("sdb", 1, "3", diskseq=5)
    (inserted,) = hub.poll(0)
    assert isinstance(inserted, Inserted)

    with pytest.raises(DriveRefusedError) as raised:
        hub.open(inserted.drive)
    assert raised.value.verdict.reason == RefusalReason.PORT_NOT_TAUGHT


def test_a_hub_is_never_exhausted_and_closes_its_monitor(hub: UdevHub, udev: ScriptedUdev) -> None:
    hub.poll(0)
    assert not hub.exhausted
    hub.close()

    assert udev.closed


def test_a_kernel_without_sequence_numbers_is_the_stations_fault(
    tree: SysfsTree, hub: UdevHub, udev: ScriptedUdev
) -> None:
    hub.poll(0)
    tree.plug("sdb", 1, "1", diskseq=None)
    udev.queue.append(DiskNotice("sdb", None, Phase.READY))

    with pytest.raises(StationFaultError, match=r"Linux 5\.15"):
        hub.poll(0)


def test_a_station_that_may_not_listen_says_so(hub: UdevHub, udev: ScriptedUdev) -> None:
    udev.restart_error = OSError(errno.EPERM, os.strerror(errno.EPERM))

    with pytest.raises(StationFaultError, match="can't be listened to"):
        hub.poll(0)


def test_a_machine_without_udev_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="--virtual"):
        require_udev(tmp_path / "control")


def test_a_machine_with_udev_passes(tmp_path: Path) -> None:
    (tmp_path / "control").touch()

    require_udev(tmp_path / "control")
