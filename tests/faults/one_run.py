"""One run of a whole station over simulated sticks, in the thread of the test."""

import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import numpy as np

from station.content.profile import ErasePolicy, Profile
from station.dashboard.event import JobEnded, StationEvent
from station.dashboard.snapshot import StationSnapshot
from station.device.drive import Drive, DriveInfo
from station.device.simulated import SimulatedDrive
from station.hotplug.virtual import VirtualHub, VirtualStick
from station.image.identity import VolumeIdentity
from station.job.chunk import CHUNK_BYTES
from station.job.order import Order, OrderBook
from station.job.patience import Patience
from station.job.pipeline import read_back
from station.job.progress import Progress
from station.job.state import READING_BACK
from station.ledger.ledger import Ledger
from station.ledger.records import JobFilter, JobRow, Tally
from station.supervisor.supervisor import RunName, Supervisor
from station.units import MIB
from station.verdict import PASSED
from tests.image.sparse_image import write_sparse
from tests.job.workshop import STICK_BYTES, offer_of, plant, profile_of

# Small, for hundreds of runs: a mapped file with an odd tail, and one that is read.
CONTENT = {
    "film.mp4": Random(5).randbytes(4 * MIB + 123),
    "README.TXT": b"hello\n" * 100,
}
ZEROS = bytes(512)

Wrap = Callable[[Drive], Drive]
EventHook = Callable[[StationEvent], None]


@dataclass(slots=True)
class TapedView:
    """A view that keeps what it is told, and does something at each event."""

    on_tell: EventHook = lambda _event: None
    events: list[StationEvent] = field(default_factory=list)
    sample: Callable[[], StationSnapshot] | None = None

    def start(self, sample: Callable[[], StationSnapshot]) -> None:
        self.sample = sample

    def tell(self, event: StationEvent) -> None:
        self.events.append(event)
        self.on_tell(event)

    def stop(self) -> None:
        pass

    @property
    def ended(self) -> list[JobEnded]:
        """The verdicts that were told."""
        return [event for event in self.events if isinstance(event, JobEnded)]


class WrappingHub(VirtualHub):
    """A virtual hub that puts something between the station and each stick."""

    def __init__(self, sticks: Sequence[VirtualStick], folder: Path, wrap: Wrap) -> None:
        super().__init__(sticks, folder)
        self._wrap = wrap

    def open(self, drive: DriveInfo) -> Drive:
        return self._wrap(super().open(drive))


@dataclass(slots=True)
class Station:
    """A station with its bundle, in a folder of its own.

    Attributes:
        folder: where everything lies.
        profile: what sticks are to become.
    """

    folder: Path
    profile: Profile = field(default_factory=lambda: profile_of(erase=ErasePolicy.QUICK))

    @property
    def ledger(self) -> Path:
        """The file of the ledger."""
        return self.folder / "ledger.sqlite"

    def image(self, port: str) -> Path:
        """The medium of the stick at a port."""
        return self.folder / f"{port}.img"

    def sector_0(self, port: str) -> bytes:
        """What makes the stick at a port mountable, or not."""
        with self.image(port).open("rb") as file:
            return file.read(512)

    @contextmanager
    def book(self) -> Iterator[OrderBook]:
        """The orders for sticks, with the bundle's files in their place."""
        content = self.folder / "content"
        if not content.exists():
            plant(content, CONTENT)
        book = OrderBook(self.profile, [offer_of(content, CONTENT)])
        try:
            yield book
        finally:
            book.close()

    def run(
        self,
        *sticks: str | VirtualStick,
        wrap: Wrap = lambda drive: drive,
        view: TapedView | None = None,
        patience: Patience | None = None,
    ) -> Tally:
        """Load sticks, or a small new one at each port, as `station run` does.

        Raises:
            StationError: as the run itself.
        """
        plugged = [
            VirtualStick(stick, STICK_BYTES) if isinstance(stick, str) else stick
            for stick in sticks
        ]
        hub = WrappingHub(plugged, self.folder, wrap)
        with self.book() as book, Ledger.open(str(self.ledger)) as ledger:
            ledger.begin_run(self.profile.name, "")
            supervisor = Supervisor(
                RunName(self.profile, ""),
                hub=hub,
                book=book,
                ledger=ledger,
                view=view or TapedView(),
                patience=patience,
            )
            try:
                return supervisor.run()
            finally:
                hub.close()

    def rows(self) -> list[JobRow]:
        """What the ledger holds, as another process reads it."""
        with Ledger.open(str(self.ledger), read_only=True) as ledger:
            return list(ledger.jobs(JobFilter()))

    def bears_out(self, row: JobRow) -> bool:
        """Whether the stick of a pass holds what it should, bit by bit, without the engine."""
        image = self.image(row.start.drive.port)
        with self.book() as book:
            return holds(book.order_for(STICK_BYTES, 512), row, image)

    def is_sealed_right(self, port: str) -> bool:
        """Whether the stick at a port reads back as right, whatever its volume id is."""
        with self.book() as book, closing(SimulatedDrive(self.image(port), STICK_BYTES)) as drive:
            order = book.order_for(STICK_BYTES, 512)
            return read_back(order, drive, Progress(READING_BACK)) == PASSED


def holds(order: Order, row: JobRow, image: Path) -> bool:
    """Whether an image holds an order under the volume id that the ledger knows it by.

    Sectors that the order leaves as they were may hold anything.
    """
    assert row.end is not None
    with image.open("rb") as stick:
        (signature,) = struct.unpack_from("<I", stick.read(512), 440)
    if signature == 0 or row.end.volume_id is None:
        return False
    identity = VolumeIdentity(row.end.volume_id, signature)
    expected = image.with_name("expected")
    contents = list(CONTENT.values())
    write_sparse(order.volume.image(identity), expected, contents.__getitem__)
    wanted = np.memmap(expected, np.uint8, mode="r")
    held = np.memmap(image, np.uint8, mode="r")
    return all(
        np.array_equal(held[start:end], wanted[start:end])
        for start, end in order.volume.extents.spans(CHUNK_BYTES)
    )
