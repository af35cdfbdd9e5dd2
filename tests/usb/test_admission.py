import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from station.device.simulated import SimulatedDrive
from station.usb.admission import admit
from station.usb.candidate import read_candidate
from station.usb.guard import GuardPolicy, ProtectedDrive
from station.verdict import DriveRefusedError, RefusalReason
from tests.device.sysfs_tree import MB, SysfsTree

ANY_PORT = GuardPolicy(any_port=True)


@pytest.fixture
def tree(tmp_path: Path) -> SysfsTree:
    tree = SysfsTree(tmp_path / "kernel")
    tree.add_bus(1)
    return tree


class Station:
    """Opens sticks of the tree as simulated drives, and notes what was opened and closed."""

    def __init__(self, tree: SysfsTree, folder: Path) -> None:
        self.tree = tree
        self.folder = folder
        self.opened: list[tuple[str, int | None]] = []
        self.drives: list[SimulatedDrive] = []
        self.while_opening: Callable[[], object] = lambda: None
        self.opened_capacity_bytes = 512 * MB

    def open_device(self, node: str, expected_diskseq: int | None) -> SimulatedDrive:
        self.opened.append((node, expected_diskseq))
        self.while_opening()
        self.drives.append(SimulatedDrive(self.folder / "stick", self.opened_capacity_bytes))
        return self.drives[-1]

    def admit(self, policy: GuardPolicy = ANY_PORT, diskseq: int | None = 7) -> SimulatedDrive:
        drive = admit(
            "sdb",
            diskseq,
            policy,
            open_device=self.open_device,
            sysfs=self.tree.sys,
            proc=self.tree.proc,
        )
        assert isinstance(drive, SimulatedDrive)
        return drive

    def refusal(self, policy: GuardPolicy = ANY_PORT, diskseq: int | None = 7) -> RefusalReason:
        with pytest.raises(DriveRefusedError) as raised:
            self.admit(policy, diskseq)
        reason = raised.value.verdict.reason
        assert isinstance(reason, RefusalReason)
        return reason

    def all_closed(self) -> bool:
        def is_closed(drive: SimulatedDrive) -> bool:
            try:
                drive.flush()
            except OSError as error:
                return error.errno == errno.EBADF
            return False

        return all(map(is_closed, self.drives))


@pytest.fixture
def station(tree: SysfsTree, tmp_path: Path) -> Station:
    return Station(tree, tmp_path)


def test_the_facts_of_a_stick_are_read_from_the_kernel(tree: SysfsTree) -> None:
    tree.plug("sdb", 1, "2.3", diskseq=7)
    tree.add_partition("sdb", 1)
    tree.mount("sdb", "sdb1", "/media/lea")

    candidate = read_candidate("sdb", 6, sysfs=tree.sys, proc=tree.proc)

    assert candidate.is_usb
    assert candidate.claims == ("sdb1 is mounted at /media/lea",)
    assert candidate.announced_diskseq == 6
    assert candidate.drive.node == "/dev/sdb"
    assert candidate.drive.port == "0000:00:14.0/2.3"
    assert candidate.drive.diskseq == 7
    assert candidate.drive.capacity_bytes == 512 * MB
    assert candidate.drive.vendor == "Kingston"
    assert candidate.drive.usb_id == "0951:1666"
    assert candidate.drive.link_mbps == 480


def test_a_good_stick_is_opened_as_the_very_medium_that_was_judged(
    tree: SysfsTree, station: Station
) -> None:
    tree.plug("sdb", 1, "2", diskseq=7)

    drive = station.admit()

    assert station.opened == [("/dev/sdb", 7)]
    assert drive is station.drives[0]
    assert not station.all_closed()


def test_a_named_target_is_opened_as_the_medium_that_is_there(
    tree: SysfsTree, station: Station
) -> None:
    tree.plug("sdb", 1, "2", diskseq=9)

    station.admit(diskseq=None)

    assert station.opened == [("/dev/sdb", 9)]


def internal(tree: SysfsTree) -> None:
    tree.add_disk("sdb", "pci0000:00/0000:00:17.0/ata1", diskseq=7)


def mounted(tree: SysfsTree) -> None:
    tree.plug("sdb", 1, "2", diskseq=7)
    tree.add_partition("sdb", 1)
    tree.mount("sdb", "sdb1", "/")


def locked(tree: SysfsTree) -> None:
    tree.plug("sdb", 1, "2", diskseq=7, read_only=True)


def swapped(tree: SysfsTree) -> None:
    tree.plug("sdb", 1, "2", diskseq=8)


def gone(tree: SysfsTree) -> None:
    tree.plug("sdb", 1, "2", diskseq=7)
    tree.pull("sdb")


def other_class(tree: SysfsTree) -> None:
    tree.plug("sdb", 1, "2", diskseq=7, interface_class=0xFF)


@pytest.mark.parametrize(
    ("arrange", "reason"),
    [
        (internal, RefusalReason.NOT_USB),
        (other_class, RefusalReason.NOT_USB),
        (mounted, RefusalReason.IN_USE),
        (locked, RefusalReason.WRITE_PROTECTED),
        (swapped, RefusalReason.CHANGED),
        (gone, RefusalReason.CHANGED),
    ],
)
def test_what_is_refused_is_not_even_opened(
    tree: SysfsTree,
    station: Station,
    arrange: Callable[[SysfsTree], None],
    reason: RefusalReason,
) -> None:
    arrange(tree)

    assert station.refusal() == reason
    assert station.opened == []


def test_a_protected_drive_is_not_even_opened(tree: SysfsTree, station: Station) -> None:
    tree.plug("sdb", 1, "2", diskseq=7, serial="MINE")
    policy = GuardPolicy(any_port=True, protected=(ProtectedDrive.parse("serial:MINE"),))

    assert station.refusal(policy) == RefusalReason.PROTECTED
    assert station.opened == []


@pytest.mark.parametrize(
    ("meanwhile", "reason"),
    [
        pytest.param(
            lambda tree: tree.mount("sdb", "sdb1", "/media/lea"), RefusalReason.IN_USE, id="mounted"
        ),
        pytest.param(
            lambda tree: tree.set_capacity("sdb", 512 * MB, 8), RefusalReason.CHANGED, id="swapped"
        ),
        pytest.param(lambda tree: tree.pull("sdb"), RefusalReason.CHANGED, id="pulled"),
    ],
)
def test_what_changes_between_judgement_and_opening_is_refused_and_closed(
    tree: SysfsTree,
    station: Station,
    meanwhile: Callable[[SysfsTree], None],
    reason: RefusalReason,
) -> None:
    tree.plug("sdb", 1, "2", diskseq=7)
    tree.add_partition("sdb", 1)
    station.while_opening = lambda: meanwhile(tree)

    assert station.refusal() == reason
    assert station.drives[0].bytes_written == 0
    assert station.all_closed()


def test_a_drive_of_another_size_than_was_judged_is_refused_and_closed(
    tree: SysfsTree, station: Station
) -> None:
    tree.plug("sdb", 1, "2", diskseq=7)
    station.opened_capacity_bytes = 513 * MB

    assert station.refusal() == RefusalReason.CHANGED
    assert station.all_closed()
