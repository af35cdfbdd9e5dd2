"""Jobs as a table that a person reads."""

from collections import Counter
from collections.abc import Iterator

from rich.table import Table
from rich.text import Text

from station.cli.console import out
from station.ledger.records import JobRow
from station.text import printable
from station.units import format_duration, format_size
from station.verdict import FailReason, Outcome, RefusalReason, Verdict

FAIL_MEANINGS: dict[FailReason, str] = {
    FailReason.REMOVED: "pulled before its verdict",
    FailReason.IO_ERROR: "a read or write failed",
    FailReason.STALLED: "stopped answering",
    FailReason.FAKE_CAPACITY: "holds less than it claims",
    FailReason.WRITE_PROTECTED: "took writes without effect",
    FailReason.VERIFY_MISMATCH: "read back other data than was written",
    FailReason.SOURCE_CHANGED: "a file of the bundle changed; the stick is not to blame",
    FailReason.INTERRUPTED: "the station stopped before its verdict",
}
REFUSAL_MEANINGS: dict[RefusalReason, str] = {
    RefusalReason.NOT_USB: "no USB drive",
    RefusalReason.IN_USE: "mounted or in use",
    RefusalReason.PORT_NOT_TAUGHT: "on a port that was not taught",
    RefusalReason.TOO_LARGE: "above the largest capacity allowed",
    RefusalReason.TOO_SMALL: "too small for the profile",
    RefusalReason.WRITE_PROTECTED: "locked against writing",
    RefusalReason.PROTECTED: "on the list of protected drives",
    RefusalReason.ALREADY_LOADED: "loaded before, still inserted",
    RefusalReason.CHANGED: "another drive took its place",
}
_STYLES = {Outcome.PASS: "green", Outcome.FAIL: "bold red", Outcome.REFUSED: "yellow"}
_RUNNING = "running"
# From here on there is room for what eighty columns can't hold.
_WIDE_COLUMNS = 120


def print_table(jobs: Iterator[JobRow], empty: str) -> None:
    """Print jobs and, below, how many ended how; or the line `empty` when there are none."""
    wide = out.width >= _WIDE_COLUMNS
    table = _table(wide=wide)
    counts: Counter[str] = Counter()
    for row in jobs:
        table.add_row(*_cells(row, wide=wide))
        counts[_word(row)] += 1
    if not counts:
        out.print(Text(printable(empty)))
        return
    # The console doesn't wrap, for the sake of pipes; the table must.
    out.print(table, soft_wrap=False)
    out.print(
        f"{counts[Outcome.PASS]} passed, {counts[Outcome.FAIL]} failed,"
        f" {counts[Outcome.REFUSED]} refused, {counts[_RUNNING]} running"
    )


def what_happened(verdict: Verdict) -> str:
    """The reason, what it means, and what exactly was found; empty on a plain pass."""
    if isinstance(verdict.reason, FailReason):
        meaning = f"{verdict.reason}: {FAIL_MEANINGS[verdict.reason]}"
    elif isinstance(verdict.reason, RefusalReason):
        meaning = f"{verdict.reason}: {REFUSAL_MEANINGS[verdict.reason]}"
    else:
        return verdict.detail
    return f"{meaning} ({verdict.detail})" if verdict.detail else meaning


def _table(*, wide: bool) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Job", justify="right", no_wrap=True)
    table.add_column("Started", no_wrap=True)
    if wide:
        table.add_column("Took", justify="right", no_wrap=True)
        table.add_column("Batch", overflow="fold", max_width=16)
        table.add_column("Profile", overflow="fold", max_width=16)
    table.add_column("Port", overflow="fold", max_width=10)
    table.add_column("Stick", overflow="fold", max_width=40 if wide else 18)
    table.add_column("Verdict", no_wrap=True)
    table.add_column("What happened", overflow="fold")
    return table


def _cells(row: JobRow, *, wide: bool) -> list[Text]:
    drive = row.start.drive
    took = "" if row.ended is None else format_duration((row.ended - row.started).total_seconds())
    stick = [format_size(drive.capacity_bytes), drive.vendor, drive.model]
    cells = [
        Text(str(row.job)),
        Text(f"{row.started.astimezone():%Y-%m-%d %H:%M}"),
        *([_text(took), _text(row.batch), _text(row.start.profile)] if wide else []),
        _text(row.start.port_label or drive.port or drive.node),
        _text(" ".join(part for part in (*stick, drive.serial if wide else "") if part)),
        Text(_RUNNING),
        Text(),
    ]
    if row.end is not None:
        verdict = row.end.verdict
        cells[-2:] = [
            Text(verdict.outcome.upper(), style=_STYLES[verdict.outcome]),
            _text(what_happened(verdict)),
        ]
    return cells


def _text(value: str) -> Text:
    return Text(printable(value))


def _word(row: JobRow) -> str:
    return _RUNNING if row.end is None else row.end.verdict.outcome
