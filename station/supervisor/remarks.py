"""Which sticks of a run passed and yet deserve a second look, and why."""

from collections.abc import Iterator, Sequence
from statistics import median_low

from station.dashboard.face import stick_name
from station.job.quality import SpeedProfile
from station.ledger.ledger import Ledger
from station.ledger.records import JobRow, PassSpeeds
from station.units import format_size, format_speed

# Fewer sticks say little about their kind.
_FEWEST_OTHERS = 3
# Sticks of one kind differ, and share their bus with others; a worn one is slower than this.
_SLOW_FRACTION = 1 / 2


def remarks_on_run(ledger: Ledger) -> Iterator[str]:
    """One line for each stick of this run with something to remark on, oldest first.

    Raises:
        StationFaultError: when the ledger fails.
    """
    kinds: dict[tuple[str, str, int | None], list[PassSpeeds]] = {}
    for row in ledger.passes_of_this_run():
        drive = row.start.drive
        kind = (drive.usb_id, drive.model, drive.link_mbps)
        if kind not in kinds:
            kinds[kind] = ledger.kind_speeds(drive)
        if remarks := remarks_on(row, kinds[kind]):
            yield f"{_named(row)}: {'; '.join(remarks)}"


def remarks_on(row: JobRow, kind: Sequence[PassSpeeds]) -> list[str]:
    """What deserves a second look about one stick; mostly nothing.

    Args:
        row: its job, which has ended.
        kind: speeds of its own kind; its own among them do not count.
    """
    if row.end is None:
        return []
    others = [one for one in kind if one.job != row.job]
    load, verify = row.end.quality.load, row.end.quality.verify
    return [
        *_slowness("writes", load, [one.load_bytes_per_s for one in others]),
        *_slowness("reads", verify, [one.verify_bytes_per_s for one in others]),
        *_dead_region("writing", load),
        *_dead_region("reading", verify),
    ]


def _slowness(
    verb: str, profile: SpeedProfile | None, others: Sequence[float | None]
) -> Iterator[str]:
    known = [speed for speed in others if speed is not None]
    if profile is None or len(known) < _FEWEST_OTHERS:
        return
    # The low one, so that never more than half of a kind is slower than its kind.
    usual = median_low(known)
    if profile.median_bytes_per_s < _SLOW_FRACTION * usual:
        speed = format_speed(profile.median_bytes_per_s)
        yield f"{verb} {speed}, others of its kind {format_speed(usual)}"


def _dead_region(doing: str, profile: SpeedProfile | None) -> Iterator[str]:
    if profile is not None and profile.has_dead_region:
        slowest = format_speed(profile.slowest_bytes_per_s)
        usual = format_speed(profile.median_bytes_per_s)
        at = format_size(profile.slowest_at_bytes)
        yield f"almost stands still when {doing} at {at}: {slowest}, elsewhere {usual}"


def _named(row: JobRow) -> str:
    drive = row.start.drive
    size = format_size(drive.capacity_bytes)
    return f"{row.start.port_label} {stick_name(drive)} {size} [job {row.job}]"
