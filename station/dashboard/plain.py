"""One line per event, for pipes and logs."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from station.dashboard.cells import shown
from station.dashboard.event import (
    DriveInserted,
    DriveRemoved,
    JobEnded,
    LinksMeasured,
    RunEnded,
    StageBegan,
    StageProgressed,
    StationEvent,
)
from station.dashboard.face import stick_name, time_left
from station.dashboard.link_lines import LinkLines
from station.dashboard.sink import LineSink
from station.dashboard.snapshot import StationSnapshot
from station.dashboard.words import advice_on, result_of
from station.device.drive import DriveInfo
from station.units import format_duration, format_size, format_speed
from station.usb.bus import first_to_last

# A log of forty sticks stays readable, and yet no job is silent for longer than a minute.
_STEP_PERCENT = 10
_SHORTEST_GAP_S = 10
_LONGEST_GAP_S = 60
# Ports are mostly called A1 to D16; longer names only push their own line to the right.
_PORT_CELLS = 4


# What is told by itself; of links only what became of them is.
PlainEvent = DriveInserted | DriveRemoved | JobEnded | RunEnded | StageBegan | StageProgressed


@dataclass(slots=True)
class _Told:
    """The last line on a job's progress."""

    time: datetime
    percent: int


class PlainView:
    """Writes `12:03:07 A3   SanDisk Cruzer 8 GB  load 30 %  23.4 MB/s  4:12 left`."""

    def __init__(self, stream: IO[str]) -> None:
        self._sink = LineSink(stream)
        self._told: dict[int, _Told] = {}
        self._links = LinkLines()

    def start(self, sample: Callable[[], StationSnapshot]) -> None:
        """Do nothing: lines come from events alone."""

    def tell(self, event: StationEvent) -> None:
        """Write the event's lines, unless it is progress too small to be worth one."""
        if isinstance(event, LinksMeasured):
            for line in self._links.news(event):
                self._sink.write_line(f"{_clock(event)} {line}")
        elif self._is_news(event):
            for line in lines_of(event):
                self._sink.write_line(line)

    def stop(self) -> None:
        """End the lines. Raises StationFaultError when some could not be written."""
        self._sink.close()

    def _is_news(self, event: PlainEvent) -> bool:
        match event:
            case StageBegan():
                self._told[event.job] = _Told(event.time, 0)
            case JobEnded():
                self._told.pop(event.job, None)
            case StageProgressed():
                percent = _percent(event)
                told = self._told.setdefault(event.job, _Told(event.time, 0))
                gap_s = (event.time - told.time).total_seconds()
                stepped = percent // _STEP_PERCENT > told.percent // _STEP_PERCENT
                if not (stepped and gap_s >= _SHORTEST_GAP_S) and gap_s < _LONGEST_GAP_S:
                    return False
                self._told[event.job] = _Told(event.time, percent)
            case _:
                pass
        return True


def lines_of(event: PlainEvent) -> list[str]:
    """Put an event into lines: its own, and before it what is to be noted of a run that ended."""
    if not isinstance(event, RunEnded):
        return [line_of(event)]
    elapsed = format_duration(event.elapsed_s)
    links = (
        f"{shown(first_to_last(use.labels))}: {use.link.kind} link full for"
        f" {format_duration(use.full_s)} of {elapsed}"
        for use in event.full_links
        if use.full_s >= _SHORTEST_GAP_S
    )
    notes = (f"note: {shown(note)}" for note in event.notes)
    return [*(f"{_clock(event)} {line}" for line in (*links, *notes)), line_of(event)]


def line_of(event: PlainEvent) -> str:
    """Put an event into one line, safe to show, without the line break."""
    clock = _clock(event)
    match event:
        case DriveInserted():
            return f"{clock} {_who(event.port, event.drive)}  inserted"
        case DriveRemoved():
            return f"{clock} {_who(event.port, event.drive)}  removed"
        case StageBegan():
            size = format_size(event.total_bytes)
            return f"{clock} {_who(event.port, event.drive)}  {event.stage} {size}"
        case StageProgressed():
            figures = [f"{event.stage} {_percent(event)} %"]
            if event.speed_bytes_per_s is not None:
                figures.append(format_speed(event.speed_bytes_per_s))
            if left := time_left(event.left_s):
                figures.append(f"{left} left")
            return f"{clock} {_who(event.port, event.drive)}  {'  '.join(figures)}"
        case JobEnded():
            advice = advice_on(event.verdict)
            detail = f" ({shown(event.verdict.detail)})" if event.verdict.detail else ""
            return (
                f"{clock} {_who(event.port, event.drive)}  {result_of(event.verdict)}"
                f" -> {advice.act.value}: {advice.sentence}{detail} [job {event.job}]"
            )
        case RunEnded():
            return (
                f"{clock} {event.passed} passed, {event.failed} failed, {event.refused} refused"
                f" in {format_duration(event.elapsed_s)}"
            )


def _clock(event: StationEvent) -> str:
    return f"{event.time.astimezone():%H:%M:%S}"


def _who(port: str, drive: DriveInfo) -> str:
    return f"{shown(port):<{_PORT_CELLS}} {stick_name(drive)} {format_size(drive.capacity_bytes)}"


def _percent(event: StageProgressed) -> int:
    return 100 * event.done_bytes // event.total_bytes if event.total_bytes else 100
