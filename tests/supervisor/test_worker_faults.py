"""What goes wrong in a worker that is no fault of its drive."""

from pathlib import Path

import pytest

from station.device.drive import Drive, DriveInfo
from station.errors import OperatorError, StationFaultError
from tests.supervisor.table import PATIENCE_S, Table, shift_at, stick_at


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (OperatorError("/dev/sdx can't be opened", "See station install."), "See station install."),
        (ZeroDivisionError("a defect"), "a worker at late failed: ZeroDivisionError('a defect')"),
    ],
)
def test_a_fault_in_a_worker_lets_the_others_finish_and_then_fails_the_station(
    fault: Exception, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Table.open

    def open_one(table: Table, drive: DriveInfo) -> Drive:
        if drive.port == "late":
            raise fault
        return opened(table, drive)

    monkeypatch.setattr(Table, "open", open_one)
    with shift_at(tmp_path, stick_at("good"), stick_at("late")) as shift:
        assert shift.has_ended.wait(PATIENCE_S)

    assert isinstance(shift.fault, StationFaultError)
    assert told in str(shift.fault)
    assert shift.reasons_in_ledger("good") == [None]
    assert shift.reasons_in_ledger("late") == []
