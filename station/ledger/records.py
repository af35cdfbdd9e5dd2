"""What the ledger is told and what it tells, as values."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum, unique

from station.device.drive import DriveInfo
from station.job.quality import Quality
from station.ledger.process import ProcessIdentity
from station.verdict import Outcome, Verdict


@dataclass(frozen=True, slots=True)
class JobStart:
    """What is known when a drive is accepted or refused.

    Attributes:
        drive: the drive as it described itself; its strings are stored in their printable form
            (`station.text.printable`), as all text is.
        port_label: what people call the port.
        profile: name of the profile.
        bundles: names of the manifests whose files this drive takes, in order of priority.
        erase: the method in words, such as `overwrite` or `not erased`.
        content_bytes: bytes of the files that the drive is to hold.
    """

    drive: DriveInfo
    port_label: str
    profile: str
    bundles: tuple[str, ...] = ()
    erase: str = ""
    content_bytes: int = 0


@dataclass(frozen=True, slots=True)
class JobEnd:
    """What came of a job.

    Attributes:
        verdict: how it ended.
        volume_id: serial number of the FAT volume laid on the drive; None when none was.
        written_bytes: bytes written to the drive.
        read_bytes: bytes read from the drive.
        stage_s: seconds spent in each stage, by its name.
        quality: how fast and how smoothly the drive did it.
    """

    verdict: Verdict
    volume_id: int | None = None
    written_bytes: int = 0
    read_bytes: int = 0
    stage_s: dict[str, float] = field(default_factory=dict)
    quality: Quality = field(default_factory=Quality)


@dataclass(frozen=True, slots=True)
class JobRow:
    """One job as the ledger holds it; `end` is None while the job runs."""

    job: int
    batch: str
    started: datetime
    ended: datetime | None
    start: JobStart
    end: JobEnd | None


@dataclass(frozen=True, slots=True)
class RunningJob:
    """A job without a verdict, its process, and whether its drive may be mountable already."""

    job: int
    process: ProcessIdentity
    may_be_sealed: bool


@unique
class JobOrder(StrEnum):
    """What jobs are sorted by. What deserves a look most comes last, as in a log."""

    STARTED = "started"  # the newest last
    LOAD_SPEED = "load-speed"  # the slowest last, by the median
    VERIFY_SPEED = "verify-speed"  # likewise
    RETRIES = "retries"  # the most last
    PAUSE = "pause"  # the longest last


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs to tell of, and in which order; a None lets everything through.

    Attributes:
        outcomes: verdicts to keep; empty keeps all, running jobs included.
        since: earliest start, timezone-aware.
        until: latest start, timezone-aware.
        batch: name of the batch.
        limit: at most so many, the last ones of the order: under STARTED the newest.
        run: number of the run.
        order: what they are sorted by; jobs without such a figure come first.
        is_reversed: tell them the other way round; the limit keeps the same ones.
    """

    outcomes: frozenset[Outcome] = frozenset()
    since: datetime | None = None
    until: datetime | None = None
    batch: str | None = None
    limit: int | None = None
    run: int | None = None
    order: JobOrder = JobOrder.STARTED
    is_reversed: bool = False


@dataclass(frozen=True, slots=True)
class PassSpeeds:
    """How fast a stick was that passed: medians in bytes per second, None where unknown."""

    job: int
    load_bytes_per_s: float | None
    verify_bytes_per_s: float | None


@dataclass(frozen=True, slots=True)
class Tally:
    """Verdicts counted."""

    passed: int = 0
    failed: int = 0
    refused: int = 0
