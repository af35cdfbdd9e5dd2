"""What a view is given to look at: plain values, taken at one moment."""

from dataclasses import dataclass
from enum import Enum, auto, unique

from station.device.drive import DriveInfo
from station.job.state import Stage
from station.usb.bus import LinkLoad, Transfer, link_loads
from station.usb.hubs import HubOnTable
from station.verdict import Verdict


@unique
class TileState(Enum):
    """What a port is doing, as a volunteer would tell it."""

    EMPTY = auto()  # nothing inserted: insert one
    STARTING = auto()  # inserted, being judged and planned: wait
    WORKING = auto()  # a job runs: wait
    DONE = auto()  # a verdict stands: pull it (PASS), bin it (FAIL), take it back (REFUSED)
    HUNG = auto()  # the stick stopped answering and holds its thread: pull it to free the port


@dataclass(frozen=True, slots=True)
class Tile:
    """One port at one moment.

    Attributes:
        label: what people call the port.
        state: what the port is doing.
        drive: the stick in it; None when empty.
        stage: the stage under way; None unless WORKING.
        stage_fraction: share of the stage that is done, 0 to 1.
        job_fraction: share of the whole job's bytes that is done, 0 to 1.
        speed_bytes_per_s: speed of the stage over the last seconds; None while unknown.
        left_s: seconds until the verdict; None while unknown.
        verdict: how it ended; None unless DONE or HUNG.
    """

    label: str
    state: TileState = TileState.EMPTY
    drive: DriveInfo | None = None
    stage: Stage | None = None
    stage_fraction: float = 0.0
    job_fraction: float = 0.0
    speed_bytes_per_s: float | None = None
    left_s: float | None = None
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class StationSnapshot:
    """The whole station at one moment.

    Attributes:
        profile: name of the profile.
        batch: name of the batch; empty when none was given.
        passed: passes since midnight, local time, from the ledger.
        failed: fails since midnight.
        refused: refusals since midnight.
        write_bytes_per_s: sum over all drives.
        read_bytes_per_s: sum over all drives.
        cpu_percent: load of all cores together, 0 to 100.
        memory_percent: share of the memory in use, 0 to 100.
        draining: whether no more drives are accepted.
        elapsed_s: seconds since the run began.
        tiles: the ports, in the order in which they stand on the table.
        hubs: which of them stand together there, in the same order; none where that isn't known.
    """

    profile: str
    batch: str
    passed: int
    failed: int
    refused: int
    write_bytes_per_s: float
    read_bytes_per_s: float
    cpu_percent: float
    memory_percent: float
    draining: bool
    elapsed_s: float
    tiles: tuple[Tile, ...]
    hubs: tuple[HubOnTable, ...] = ()

    @property
    def links(self) -> tuple[LinkLoad, ...]:
        """How busy the USB links are that sticks at work share, the busiest first."""
        return link_loads(
            Transfer(tile.label, tile.drive, tile.speed_bytes_per_s)
            for tile in self.tiles
            if tile.drive is not None and tile.speed_bytes_per_s is not None
        )
