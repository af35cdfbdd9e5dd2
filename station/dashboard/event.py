"""What a run tells the outside, as values; the views turn them into lines, JSON or nothing."""

from dataclasses import dataclass
from datetime import datetime

from station.device.drive import DriveInfo
from station.job.state import Stage
from station.usb.bus import LinkLoad
from station.usb.link_watch import LinkUse
from station.verdict import Verdict


@dataclass(frozen=True, slots=True)
class DriveInserted:
    """A drive appeared at a port."""

    time: datetime
    port: str
    drive: DriveInfo


@dataclass(frozen=True, slots=True)
class StageBegan:
    """A job entered a stage."""

    time: datetime
    port: str
    drive: DriveInfo
    job: int
    stage: Stage
    total_bytes: int


@dataclass(frozen=True, slots=True)
class StageProgressed:
    """How far a job has come; told about once a second per job."""

    time: datetime
    port: str
    drive: DriveInfo
    job: int
    stage: Stage
    done_bytes: int
    total_bytes: int
    speed_bytes_per_s: float | None
    left_s: float | None


@dataclass(frozen=True, slots=True)
class LinksMeasured:
    """How busy the USB links are that drives at work share; told about once a second.

    Attributes:
        time: when it was measured.
        loads: the links in use, the busiest for its capacity first; none when the last one has
            become idle.
    """

    time: datetime
    loads: tuple[LinkLoad, ...]


@dataclass(frozen=True, slots=True)
class JobEnded:
    """A verdict that is durable in the ledger; `refused` ones too."""

    time: datetime
    port: str
    drive: DriveInfo
    job: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class DriveRemoved:
    """A drive left its port."""

    time: datetime
    port: str
    drive: DriveInfo


@dataclass(frozen=True, slots=True)
class RunEnded:
    """The end of a run: its verdicts counted.

    Attributes:
        time: when it ended.
        passed: passes of this run.
        failed: fails.
        refused: refusals.
        elapsed_s: seconds since the run began.
        notes: one line for each stick that passed and yet deserves a second look; may hold text
            that came from a drive and is escaped by whoever shows it.
        full_links: the USB links that were full for some of the time, the longest first.
    """

    time: datetime
    passed: int
    failed: int
    refused: int
    elapsed_s: float
    notes: tuple[str, ...] = ()
    full_links: tuple[LinkUse, ...] = ()


StationEvent = (
    DriveInserted
    | StageBegan
    | StageProgressed
    | LinksMeasured
    | JobEnded
    | DriveRemoved
    | RunEnded
)
