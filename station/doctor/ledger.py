"""Whether verdicts can be written down."""

from station.doctor.finding import Finding, problem
from station.doctor.machine import Machine, existing_parent
from station.errors import StationError
from station.ledger.ledger import Ledger
from station.ledger.location import ledger_path


def check_ledger(machine: Machine) -> list[Finding]:
    """Look whether the ledger is one and can be written to, or could be made; makes nothing."""
    try:
        path = ledger_path(machine.ledger)
        if path.exists():
            Ledger.open(machine.ledger, read_only=True).close()
    except StationError as error:
        return [problem(error.problem, error.remedy)]
    # SQLite writes its log beside the ledger.
    needed = [path, path.parent] if path.exists() else [existing_parent(path)]
    closed = next((part for part in needed if not machine.may_use(part)), None)
    if closed is None:
        return []
    return [
        problem(
            f"the ledger {path} can't be written: {closed} is closed to this user",
            "Name another with --ledger, or run as the user that it belongs to.",
        )
    ]
