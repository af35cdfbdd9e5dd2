"""A stick that stops answering is left behind, and its late answer never becomes a pass."""

import threading
from pathlib import Path
from threading import Event

import pytest

from station.dashboard.snapshot import Tile, TileState
from station.device.drive import Drive, DriveInfo
from station.device.fault import Hang
from station.device.simulated import SimulatedDrive
from station.job.patience import Patience
from station.job.progress import Operation
from station.ledger.records import Tally
from station.units import MIB
from station.verdict import FailReason
from tests.job.workshop import STICK_BYTES, HookedDrive
from tests.supervisor.table import ZEROS, Shift, Temper, shift_at, stick_at, wait_until

HUNG = stick_at("a", faults=(Hang(STICK_BYTES // 2 // MIB * MIB),))


def test_a_hung_stick_is_left_behind_and_the_others_pass(tmp_path: Path) -> None:
    with shift_at(tmp_path, HUNG, stick_at("b"), patience=Patience(floor_s=1.5)) as shift:
        tally = shift.end()

    assert tally == Tally(passed=1, failed=1)
    assert shift.reasons_in_ledger("a") == [FailReason.STALLED]
    assert shift.reasons_in_ledger("b") == [None]
    (stalled,) = shift.tape.verdicts("a")
    assert "no answer to a write" in stalled.detail
    assert shift.table.sector_0("a.img") == ZEROS


def test_the_port_of_a_hung_stick_says_so_and_is_free_once_it_is_pulled(tmp_path: Path) -> None:
    patience = Temper()
    with shift_at(tmp_path, HUNG, stick_at("b"), patience=patience) as shift:
        wait_until(lambda: shift.tape.verdicts("b"))
        wait_until(lambda: is_hanging(shift, 1))
        wait_until(lambda: lose(patience, shift))
        assert shift.tile("a").state is TileState.HUNG
        shift.table.pull("a")
        wait_until(lambda: shift.tile("a") == Tile("a"))
        patience.__dict__.clear()
        shift.table.plug(stick_at("a"))
        tally = shift.end()

    assert tally == Tally(passed=2, failed=1)
    assert shift.tape.reasons("a") == [FailReason.STALLED, None]
    assert shift.reasons_in_ledger("a") == [FailReason.STALLED, None]


def is_hanging(shift: Shift, diskseq: int) -> bool:
    drive = shift.table._opened.get(diskseq)
    return drive is not None and drive._interruptions[0].left == 0


def lose(patience: Temper, shift: Shift) -> bool:
    patience.lose()
    return bool(shift.tape.verdicts("a"))


class LateDrive(HookedDrive):
    """Hangs in sealing until it is told to answer.

    Args:
        drive: the stick.
        hangs_in: the write of sector 0, or its reading back.
    """

    def __init__(self, drive: SimulatedDrive, hangs_in: Operation) -> None:
        super().__init__(drive, lambda _kind, _at: None)
        self.hangs_in = hangs_in
        self.reached = Event()
        self.may_answer = Event()
        self._is_sealing = False

    def write(self, offset_bytes: int, data: memoryview) -> None:
        self._is_sealing = offset_bytes == 0 and len(data) == 512 and any(data)
        self._hang(Operation.WRITE)
        super().write(offset_bytes, data)

    def read(self, offset_bytes: int, into: memoryview) -> None:
        self._hang(Operation.READ)
        super().read(offset_bytes, into)

    def _hang(self, kind: Operation) -> None:
        if self._is_sealing and kind is self.hangs_in:
            self.reached.set()
            self.may_answer.wait(30)


@pytest.mark.parametrize("hangs_in", [Operation.WRITE, Operation.READ])
def test_a_stick_that_was_given_up_while_it_was_sealed_does_not_stay_sealed(
    tmp_path: Path, hangs_in: Operation
) -> None:
    drives: list[LateDrive] = []

    def wrap(_info: DriveInfo, drive: SimulatedDrive) -> Drive:
        drives.append(LateDrive(drive, hangs_in))
        return drives[-1]

    patience = Temper()
    with shift_at(tmp_path, stick_at("a"), patience=patience, wrap=wrap) as shift:
        wait_until(lambda: drives and drives[0].reached.is_set())
        is_sealed = shift.table.sector_0("a.img") != ZEROS
        wait_until(lambda: lose(patience, shift))
        tally = shift.end()
        drives[0].may_answer.set()
        wait_until(lambda: "drive a" not in {thread.name for thread in threading.enumerate()})

    assert is_sealed is (hangs_in is Operation.READ)
    assert tally == Tally(failed=1)
    assert shift.table.sector_0("a.img") == ZEROS
    assert shift.reasons_in_ledger("a") == [FailReason.STALLED]


def test_a_stop_does_not_wait_for_ever_for_a_stick_that_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("station.supervisor.supervisor._STOP_GRACE_S", 0.3)
    with shift_at(tmp_path, HUNG) as shift:
        wait_until(lambda: is_hanging(shift, 1))
        shift.supervisor.request_stop()
        shift.supervisor.request_stop()
        assert shift.has_ended.wait(30)

    assert shift.reasons_in_ledger("a") == [FailReason.INTERRUPTED]
    assert "did not answer" in shift.tape.verdicts("a")[0].detail
    assert shift.table.sector_0("a.img") == ZEROS
