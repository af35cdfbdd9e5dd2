"""What a station works with, on a small scale: real files, the orders for them, and real drives."""

import errno
import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from blake3 import blake3

from station.content.profile import (
    BundleChoice,
    DriveLimits,
    EraseOptions,
    ErasePolicy,
    Profile,
    ReadBack,
    VolumeOptions,
)
from station.content.selection import Offer, SelectedFile
from station.device.drive import Drive
from station.device.fault import Fault
from station.device.simulated import SimulatedDrive, WriteRecord
from station.image.geometry import Layout
from station.image.identity import VolumeIdentity
from station.image.tree import FileEntry
from station.job.order import Order, OrderBook
from station.job.pipeline import make
from station.job.progress import Operation, Progress
from station.job.state import Stage
from station.units import MIB
from station.verdict import Verdict
from tests.image.sparse_image import write_sparse

# Little more than the smallest FAT32 volume, and no multiple of a chunk.
STICK_BYTES = 36 * MIB + 3 * 512
DONOR_BYTE = 0xD1
IDENTITY = VolumeIdentity(volume_id=0xC0FFEE01, disk_signature=0x12345678)

LARGE = "films/가을 소나기.mp4"
CONTENT: Mapping[str, bytes] = {
    # Mapped, over several chunks, with an odd tail; mapped, of exactly one chunk; and small ones.
    LARGE: Random(1).randbytes(9 * MIB + 123),
    "films/one chunk.mp4": Random(2).randbytes(4 * MIB),
    "books/empty.txt": b"",
    "books/one byte.txt": b"x",
    "books/whole cluster.txt": Random(3).randbytes(4096),
    "README.TXT": b"hello\n" * 100,
}


def plant(folder: Path, contents: Mapping[str, bytes]) -> Path:
    """Write files, by their path, below a folder."""
    for path, content in contents.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


def offer_of(
    folder: Path,
    contents: Mapping[str, bytes] = CONTENT,
    *,
    name: str = "films",
    is_required: bool = True,
) -> Offer:
    """A bundle that lists these contents, whatever the folder holds."""
    files = (
        SelectedFile(FileEntry(path, len(content)), folder, path, blake3(content).digest())
        for path, content in contents.items()
    )
    return Offer(name, is_required, tuple(files))


def profile_of(
    erase: ErasePolicy = ErasePolicy.OVERWRITE,
    read_back: ReadBack = ReadBack.FULL,
    layout: Layout = Layout.MBR,
    *,
    probes: bool = True,
) -> Profile:
    return Profile(
        "test",
        "Test",
        VolumeOptions(label="TEST", layout=layout),
        EraseOptions(policy=erase, read_back=read_back),
        DriveLimits(probe=probes),
        (BundleChoice(manifest="films"),),
    )


@dataclass(slots=True)
class Workshop:
    """Bundles and sticks in a folder of their own.

    Attributes:
        folder: where everything lies.
        books: what is to be closed at the end.
    """

    folder: Path
    books: list[OrderBook] = field(default_factory=list)

    @property
    def content(self) -> Path:
        """Folder of the bundle."""
        return self.folder / "content"

    @property
    def backing(self) -> Path:
        """The file that is the medium of the stick."""
        return self.folder / "stick.img"

    def order(
        self,
        profile: Profile | None = None,
        capacity_bytes: int = STICK_BYTES,
        sector_bytes: int = 512,
        contents: Mapping[str, bytes] = CONTENT,
    ) -> Order:
        """The order for a drive, with the bundle's files in their place."""
        plant(self.content, contents)
        book = OrderBook(profile or profile_of(), [offer_of(self.content, contents)])
        self.books.append(book)
        return book.order_for(capacity_bytes, sector_bytes)

    def donated(self, capacity_bytes: int = STICK_BYTES) -> None:
        """Put a stick there that is full of a donor's data."""
        fill_with_donors_data(self.backing, capacity_bytes)

    def stick(self, *faults: Fault, capacity_bytes: int = STICK_BYTES) -> SimulatedDrive:
        """Plug the stick in; one of zeros when none is there."""
        return SimulatedDrive(self.backing, capacity_bytes, faults=faults, keep_log=True)

    def sector_0(self) -> bytes:
        """What sector 0 of the stick holds."""
        with self.backing.open("rb") as file:
            return file.read(512)

    def expected(self, order: Order, contents: Mapping[str, bytes] = CONTENT) -> bytes:
        """Every byte of a finished stick, put together without the station's engine."""
        path = self.folder / "expected.img"
        image = order.volume.image(IDENTITY)
        write_sparse(image, path, list(contents.values()).__getitem__)
        return path.read_bytes()


def fill_with_donors_data(path: Path, capacity_bytes: int) -> None:
    with path.open("wb") as file:
        chunk = bytes([DONOR_BYTE]) * MIB
        for at in range(0, capacity_bytes, MIB):
            file.write(chunk[: min(MIB, capacity_bytes - at)])


@dataclass(slots=True)
class Made:
    """One job and what it did.

    Attributes:
        verdict: how it ended.
        progress: its counters.
        stages: the stages that began, in order.
        writes: acknowledged writes from the beginning of the wipe or the load on; a probe before
            them is free to write what they overwrite.
    """

    verdict: Verdict
    progress: Progress
    stages: list[Stage]
    writes: list[WriteRecord]


StageHook = Callable[[Progress, Stage], None]
OperationHook = Callable[[Progress, Operation, int], None]


def run(
    order: Order,
    drive: Drive,
    *,
    on_stage: StageHook = lambda _progress, _stage: None,
    on_operation: OperationHook | None = None,
) -> Made:
    """Make one stick.

    Args:
        order: the work.
        drive: the drive.
        on_stage: called when a stage begins.
        on_operation: called before each operation on the drive, with its kind and offset.
    """
    stages: list[Stage] = []
    log = drive.write_log if isinstance(drive, SimulatedDrive) else []
    probed = 0

    def note(progress: Progress, stage: Stage) -> None:
        nonlocal probed
        if stage in (Stage.WIPE, Stage.LOAD) and not {Stage.WIPE, Stage.LOAD} & set(stages):
            probed = len(log)
        stages.append(stage)
        on_stage(progress, stage)

    progress = Progress(on_stage=note)
    used: Drive = drive
    if on_operation is not None:
        used = HookedDrive(drive, lambda kind, at: on_operation(progress, kind, at))
    verdict = make(order, IDENTITY, used, progress)
    return Made(verdict, progress, stages, list(log[probed:]))


class HookedDrive:
    """Passes everything on to a drive, and tells of each operation before it begins."""

    def __init__(self, drive: Drive, before: Callable[[Operation, int], None]) -> None:
        self._drive = drive
        self._before = before

    @property
    def capacity_bytes(self) -> int:
        return self._drive.capacity_bytes

    @property
    def sector_bytes(self) -> int:
        return self._drive.sector_bytes

    def write(self, offset_bytes: int, data: memoryview) -> None:
        self._before(Operation.WRITE, offset_bytes)
        self._drive.write(offset_bytes, data)

    def read(self, offset_bytes: int, into: memoryview) -> None:
        self._before(Operation.READ, offset_bytes)
        self._drive.read(offset_bytes, into)

    def flush(self) -> None:
        self._before(Operation.FLUSH, 0)
        self._drive.flush()

    def close(self) -> None:
        self._drive.close()


class FailingDrive(HookedDrive):
    """A drive of which one operation fails with an errno that simulated sticks don't know."""

    def __init__(self, drive: Drive, kind: Operation, number: int) -> None:
        def fail(asked: Operation, _offset_bytes: int) -> None:
            if asked is kind:
                raise OSError(number, os.strerror(number))

        super().__init__(drive, fail)


def times_written(writes: Iterable[WriteRecord], start_bytes: int, end_bytes: int) -> set[int]:
    """How often the bytes of a range were written: one number when all were as often."""
    changes: dict[int, int] = {start_bytes: 0, end_bytes: 0}
    for write in writes:
        low = max(write.offset_bytes, start_bytes)
        high = min(write.offset_bytes + write.length_bytes, end_bytes)
        if low < high:
            changes[low] = changes.get(low, 0) + 1
            changes[high] = changes.get(high, 0) - 1
    counts, count = set(), 0
    for at in sorted(changes)[:-1]:
        count += changes[at]
        counts.add(count)
    return counts


def load_ready(workshop: Workshop, order: Order) -> None:
    """Leave a stick behind that passed."""
    with closing(workshop.stick()) as drive:
        made = run(order, drive)
    assert made.verdict.reason is None, made.verdict


REMOVAL_ERRNOS = (errno.ENODEV, errno.ENXIO, errno.ENOMEDIUM, errno.ESHUTDOWN)
