"""A table at which a test plugs sticks in and pulls them, and the run of a station beside it."""

import heapq
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

import pytest

from station.dashboard.event import DriveInserted, JobEnded, StageBegan, StationEvent
from station.dashboard.snapshot import StationSnapshot, Tile
from station.device.drive import Drive, DriveInfo
from station.device.simulated import SimulatedDrive
from station.errors import StationError
from station.hotplug.virtual import VirtualHub, VirtualStick, _Plan
from station.job.order import OrderBook
from station.job.patience import Patience
from station.job.progress import Pending
from station.job.state import Stage
from station.ledger.ledger import Ledger
from station.ledger.records import JobFilter, JobRow, Tally
from station.supervisor.supervisor import RunName, Supervisor
from station.usb.guard import GuardPolicy
from station.verdict import FailReason, Verdict
from tests.job.workshop import CONTENT, STICK_BYTES, offer_of, plant, profile_of

PATIENCE_S = 30.0

Wrap = Callable[[DriveInfo, SimulatedDrive], Drive]


def stick_at(port: str, **traits: object) -> VirtualStick:
    """A small stick as fast as this machine."""
    return VirtualStick(**{"port": port, "capacity_bytes": STICK_BYTES, **traits})  # type: ignore[arg-type]


def wait_until(holds: Callable[[], object]) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > deadline_s:
            pytest.fail(f"did not come true within {PATIENCE_S} s")
        time.sleep(0.005)


class Table(VirtualHub):
    """A virtual hub whose sticks are plugged and pulled by a test; it is open until it is cleared.

    Args:
        sticks: those that are there from the start.
        folder: where the images are made.
        policy: what the guard lets pass.
        wrap: puts something between the station and a stick.
    """

    def __init__(
        self,
        sticks: Sequence[VirtualStick],
        folder: Path,
        policy: GuardPolicy | None = None,
        wrap: Wrap = lambda _info, drive: drive,
    ) -> None:
        super().__init__(sticks, folder, policy)
        self.folder = folder
        self._wrap = wrap
        self._opened: dict[int, SimulatedDrive] = {}
        self._is_cleared = False

    @property
    def exhausted(self) -> bool:
        return self._is_cleared and super().exhausted

    def clear(self) -> None:
        """Bring no more sticks."""
        self._is_cleared = True

    def plug(self, stick: VirtualStick) -> None:
        """Plug a stick into a port at which one was before."""
        with self._changed:
            number = len(self._script) + len(self._plugged) + self._last_diskseq
            image = f"{stick.port}-{number}.img"
            heapq.heappush(self._plans, _Plan(self._clock.now_s(), number, stick, image))
            self._changed.notify_all()

    def pull(self, port: str) -> None:
        """Pull the stick out of a port."""
        with self._changed:
            (diskseq,) = (
                seq for seq, plugged in self._plugged.items() if plugged.stick.port == port
            )
        if diskseq in self._opened:
            self._opened[diskseq].pull()
        else:
            self.stick_left(diskseq)

    def open(self, drive: DriveInfo) -> Drive:
        opened = super().open(drive)
        assert isinstance(opened, SimulatedDrive)
        self._opened[drive.diskseq or 0] = opened
        return self._wrap(drive, opened)

    def close(self) -> None:
        """Wake up what hangs, too, so that no thread outlives its test."""
        super().close()
        for drive in self._opened.values():
            drive.close()

    def sector_0(self, image: str) -> bytes:
        """What the first sector of an image holds."""
        with (self.folder / image).open("rb") as file:
            return file.read(512)


class Temper(Patience):
    """Patience that is lost when a test says so: with all that is under way at that moment."""

    __slots__ = ("__dict__",)

    def lose(self) -> None:
        self.__dict__["lost_s"] = time.monotonic()

    def is_exhausted(self, pending: Pending, longest_operation_s: float, now_s: float) -> bool:
        del longest_operation_s, now_s
        return pending.since_s <= float(self.__dict__.get("lost_s", 0.0))


@dataclass(slots=True)
class Tape:
    """A view that keeps what it is told.

    Attributes:
        events: all of it, in order.
        on_tell: called with each event.
    """

    events: list[StationEvent] = field(default_factory=list)
    on_tell: Callable[[StationEvent], None] = lambda _event: None
    stopped: bool = False

    def start(self, sample: Callable[[], StationSnapshot]) -> None:
        pass

    def tell(self, event: StationEvent) -> None:
        self.events.append(event)
        self.on_tell(event)

    def stop(self) -> None:
        self.stopped = True

    def verdicts(self, port: str) -> list[Verdict]:
        """The verdicts told of a port, in order."""
        return [
            event.verdict
            for event in list(self.events)
            if isinstance(event, JobEnded) and event.port == port
        ]

    def reasons(self, port: str) -> list[str | None]:
        """Why the jobs at a port ended; None for a pass."""
        return [verdict.reason for verdict in self.verdicts(port)]

    def inserted(self, port: str) -> int:
        """How many sticks were told to be plugged in at a port."""
        return sum(
            isinstance(event, DriveInserted) and event.port == port for event in list(self.events)
        )

    def is_in(self, port: str, stage: Stage) -> bool:
        """Whether a stage began at a port."""
        return any(
            isinstance(event, StageBegan) and (event.port, event.stage) == (port, stage)
            for event in list(self.events)
        )


class Shift:
    """One run of the station, in a thread of its own.

    Args:
        folder: where content, images and ledger lie.
        table: where sticks come from.
        ledger: where verdicts go.
        tape: who is told.
        patience: when a stick counts as hung.
    """

    def __init__(
        self, folder: Path, table: Table, ledger: Ledger, tape: Tape, patience: Patience
    ) -> None:
        offers = [offer_of(plant(folder / "content", CONTENT))]
        self.book = OrderBook(profile_of(), offers)
        self.table = table
        self.tape = tape
        self.ledger = ledger
        ledger.begin_run("test", "")
        self.supervisor = Supervisor(
            RunName(profile_of(), ""),
            hub=table,
            book=self.book,
            ledger=ledger,
            view=tape,
            patience=patience,
        )
        self.fault: StationError | None = None
        self.crash: BaseException | None = None
        self._tally: Tally | None = None
        self.has_ended = Event()
        self._thread = Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> Tally | None:
        """Bring no more sticks, and wait for the end; None when the station failed."""
        self.table.clear()
        assert self.has_ended.wait(PATIENCE_S), "the run does not end"
        if self.crash is not None:
            raise self.crash
        return self._tally

    def tile(self, port: str) -> Tile:
        return next(tile for tile in self.supervisor.snapshot().tiles if tile.label == port)

    def rows(self) -> list[JobRow]:
        """What the ledger holds, as another process reads it."""
        with Ledger.open(str(self.ledger.path), read_only=True) as ledger:
            return list(ledger.jobs(JobFilter()))

    def reasons_in_ledger(self, port: str) -> list[FailReason | object | None]:
        """Why the jobs at a port ended, by the ledger; None for a pass."""
        rows = [row for row in self.rows() if row.start.port_label == port]
        assert all(row.end for row in rows)
        return [row.end.verdict.reason for row in rows if row.end]

    def _run(self) -> None:
        try:
            self._tally = self.supervisor.run()
        except StationError as error:
            self.fault = error
        except BaseException as error:  # noqa: BLE001 - raised again where the test sees it
            self.crash = error
        finally:
            self.has_ended.set()


@contextmanager
def shift_at(  # noqa: PLR0913 - each part of a station may be another one in a test
    folder: Path,
    *sticks: VirtualStick,
    policy: GuardPolicy | None = None,
    wrap: Wrap = lambda _info, drive: drive,
    patience: Patience | None = None,
    tape: Tape | None = None,
    ledger: type[Ledger] = Ledger,
) -> Iterator[Shift]:
    """A run that begins at once, and has ended when the block is left."""
    images = folder / "images"
    images.mkdir()
    table = Table(sticks, images, policy, wrap)
    with ledger.open(str(folder / "ledger.sqlite")) as opened:
        shift = Shift(folder, table, opened, tape or Tape(), patience or Patience())
        shift.start()
        try:
            yield shift
        finally:
            shift.supervisor.request_stop()
            shift.supervisor.request_stop()
            table.clear()
            shift.has_ended.wait(PATIENCE_S)
            table.close()
            shift.book.close()


ZEROS = bytes(512)
