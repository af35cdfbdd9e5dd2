"""Whether the clock can be right: the ledger says when, and `failed today` is counted by it."""

from datetime import UTC, datetime, timedelta

from station.doctor.finding import Finding, advice, problem
from station.doctor.machine import Machine
from station.errors import OperatorError
from station.ledger.location import ledger_path

# Older than this program: a clock that starts at its epoch, for want of a battery.
_EARLIEST = datetime(2025, 1, 1, tzinfo=UTC)
_TOLERANCE = timedelta(minutes=5)
_REMEDY = "Set the clock: timedatectl set-time, or timedatectl set-ntp true."


def check_clock(machine: Machine) -> list[Finding]:
    """Compare the clock with what it can't be before."""
    now = machine.now
    if now < _EARLIEST:
        return [problem(f"the clock says {now:%Y-%m-%d %H:%M}, which is long ago", _REMEDY)]
    written = _last_written(machine)
    if written is not None and now < written - _TOLERANCE:
        return [
            problem(
                f"the clock says {now:%Y-%m-%d %H:%M}, before the ledger was last written to"
                f" ({written:%Y-%m-%d %H:%M})",
                _REMEDY,
            )
        ]
    timesync = machine.root / "run" / "systemd" / "timesync"
    if timesync.exists() and not (timesync / "synchronized").exists():
        return [advice("the clock was not yet compared with a time server", _REMEDY)]
    return []


def _last_written(machine: Machine) -> datetime | None:
    try:
        return datetime.fromtimestamp(ledger_path(machine.ledger).stat().st_mtime, UTC)
    except (OSError, OperatorError):
        # No ledger yet, or none that can be used: that is another check's matter.
        return None
