"""One inserted drive, from its insertion to its removal."""

import threading
from dataclasses import dataclass, field

from station.dashboard.snapshot import Tile, TileState
from station.device.drive import DriveInfo
from station.hotplug.events import Port
from station.job.meter import Meter, Reading
from station.job.progress import Progress
from station.job.state import Stage
from station.verdict import FailReason, Outcome, Verdict


@dataclass(slots=True, eq=False)
class Seat:
    """What the supervisor knows of a drive.

    The worker fills in `job`, `volume_id` and `meter`, in this order, when the drive was accepted.

    Attributes:
        port: where the drive is.
        drive: the drive.
        progress: counters of the job.
        job: number in the ledger; None until accepted or refused.
        volume_id: serial number of the volume that the drive is given; None until accepted.
        meter: samples the counters, in the supervisor's thread alone; None until accepted.
        reading: what the meter showed last.
        told_stage: the stage that the view was told of last.
        verdict: how it ended, once that is durable in the ledger.
        given_up: set when its thread is waited for no more; in the supervisor's thread alone.
        settling: held while the one verdict is entered.
        removed: set when the drive left its port.
        finished: set when no thread works on the drive any more.
    """

    port: Port
    drive: DriveInfo
    progress: Progress
    job: int | None = None
    volume_id: int | None = None
    meter: Meter | None = None
    reading: Reading = field(default_factory=Reading)
    told_stage: Stage | None = None
    verdict: Verdict | None = None
    given_up: bool = False
    settling: threading.Lock = field(default_factory=threading.Lock)
    removed: threading.Event = field(default_factory=threading.Event)
    finished: threading.Event = field(default_factory=threading.Event)

    @property
    def is_hung(self) -> bool:
        """Whether it was given up while it holds its thread."""
        return (
            self.verdict is not None
            and self.verdict.reason is FailReason.STALLED
            and not self.finished.is_set()
        )

    @property
    def is_vacant(self) -> bool:
        """Whether the port may be shown as empty: the drive left, and nothing is left to tell.

        A drive that was pulled before its end is in somebody's hand now, and is neither good nor
        bad; its tile goes on telling so until the port is used again.
        """
        return (
            self.removed.is_set()
            and self.verdict is not None
            and self.verdict.reason is not FailReason.REMOVED
        )

    def tile(self) -> Tile:
        """What its port shows."""
        reading = self.reading
        if self.is_vacant:
            return Tile(self.port.label)
        if self.verdict is not None:
            return Tile(
                self.port.label,
                TileState.HUNG if self.is_hung else TileState.DONE,
                self.drive,
                job_fraction=1.0 if self.verdict.outcome is Outcome.PASS else reading.job_fraction,
                verdict=self.verdict,
            )
        if reading.stage is None:
            return Tile(self.port.label, TileState.STARTING, self.drive)
        return Tile(
            self.port.label,
            TileState.WORKING,
            self.drive,
            reading.stage,
            reading.stage_fraction,
            reading.job_fraction,
            reading.speed_bytes_per_s,
            reading.left_s,
        )
