"""Jobs as a table that a person reads."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from rich.table import Table
from rich.text import Text

from station.cli.console import out
from station.job.quality import Quality, SpeedProfile
from station.job.state import Stage
from station.ledger.records import JobEnd, JobOrder, JobRow
from station.text import printable
from station.units import format_duration, format_size, format_speed
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
_DOUBTFUL_STYLE = "bold yellow"
_RUNNING = "running"
# From here on there is room for what eighty columns can't hold, and from there on for all figures.
_WIDE_COLUMNS = 120
_FIGURE_COLUMNS = 160

# The figures that jobs can be sorted by.
_FIGURES: dict[JobOrder, tuple[str, Callable[[Quality], str]]] = {
    JobOrder.LOAD_SPEED: ("Load", lambda quality: _speed(quality.load)),
    JobOrder.VERIFY_SPEED: ("Verify", lambda quality: _speed(quality.verify)),
    JobOrder.RETRIES: ("Retries", lambda quality: str(quality.retries)),
    JobOrder.PAUSE: ("Pause", lambda quality: f"{quality.longest_pause_s:.1f} s"),
}


def print_table(jobs: Iterator[JobRow], order: JobOrder, empty: str) -> None:
    """Print jobs and, below, how many ended how.

    Args:
        jobs: the jobs, in the order in which to print them.
        order: what they are sorted by; that figure is shown on a narrow terminal, too.
        empty: the line to print instead when there are none.
    """
    wide = out.width >= _WIDE_COLUMNS
    figures = [figure for figure in _FIGURES if figure is order or out.width >= _FIGURE_COLUMNS]
    table = _table(figures, wide=wide)
    counts: Counter[str] = Counter()
    for row in jobs:
        table.add_row(*_cells(row, figures, wide=wide))
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


def doubts(quality: Quality) -> list[str]:
    """What speaks against a stick, whether it passed or not; empty for most."""
    told = []
    if quality.is_marginal:
        told.append(f"marginal: {quality.retries} {'retry' if quality.retries == 1 else 'retries'}")
    for stage, profile in ((Stage.LOAD, quality.load), (Stage.VERIFY, quality.verify)):
        if profile is not None and profile.has_dead_region:
            told.append(f"{stage} almost stood still at {format_size(profile.slowest_at_bytes)}")
    return told


def _table(figures: Sequence[JobOrder], *, wide: bool) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Job", justify="right", no_wrap=True)
    table.add_column("Started", no_wrap=True)
    if wide:
        table.add_column("Took", justify="right", no_wrap=True)
        table.add_column("Batch", overflow="fold", max_width=16)
        table.add_column("Profile", overflow="fold", max_width=16)
    table.add_column("Port", overflow="fold", max_width=10)
    table.add_column("Stick", overflow="fold", max_width=40 if wide else 18)
    for figure in figures:
        table.add_column(_FIGURES[figure][0], justify="right", no_wrap=True)
    table.add_column("Verdict", no_wrap=True)
    table.add_column("What happened", overflow="fold")
    return table


def _cells(row: JobRow, figures: Sequence[JobOrder], *, wide: bool) -> list[Text]:
    drive = row.start.drive
    took = "" if row.ended is None else format_duration((row.ended - row.started).total_seconds())
    stick = [format_size(drive.capacity_bytes), drive.vendor, drive.model]
    return [
        Text(str(row.job)),
        Text(f"{row.started.astimezone():%Y-%m-%d %H:%M}"),
        *([_text(took), _text(row.batch), _text(row.start.profile)] if wide else []),
        _text(row.start.port_label or drive.port or drive.node),
        _text(" ".join(part for part in (*stick, drive.serial if wide else "") if part)),
        *(Text(_figure(figure, row.end)) for figure in figures),
        *_end_cells(row.end),
    ]


def _figure(figure: JobOrder, end: JobEnd | None) -> str:
    # Of a drive that was not touched, zeros would be no measurement.
    if end is None or end.verdict.outcome is Outcome.REFUSED:
        return ""
    return _FIGURES[figure][1](end.quality)


def _speed(profile: SpeedProfile | None) -> str:
    return "" if profile is None else format_speed(profile.median_bytes_per_s)


def _end_cells(end: JobEnd | None) -> tuple[Text, Text]:
    if end is None:
        return Text(_RUNNING), Text()
    verdict, against = end.verdict, doubts(end.quality)
    is_doubtful = verdict.outcome is Outcome.PASS and against
    style = _DOUBTFUL_STYLE if is_doubtful else _STYLES[verdict.outcome]
    story = "; ".join(part for part in (what_happened(verdict), *against) if part)
    return Text(verdict.outcome.upper(), style=style), _text(story)


def _text(value: str) -> Text:
    return Text(printable(value))


def _word(row: JobRow) -> str:
    return _RUNNING if row.end is None else row.end.verdict.outcome
