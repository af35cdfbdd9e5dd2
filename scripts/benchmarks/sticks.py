"""Drives to measure on, and what they can do at most."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from station.device.buffer import aligned_buffer
from station.device.direct import DirectDrive
from station.device.drive import Drive
from station.device.pace import DriveSpeed
from station.device.simulated import SimulatedDrive
from station.errors import OperatorError
from station.job.chunk import CHUNK_BYTES
from station.job.identity import random_identity
from station.job.order import Order
from station.job.pipeline import make
from station.job.progress import Progress
from station.job.state import Stage

_MB = 10**6
_THROTTLE = Path("/sys/fs/cgroup/blkio")


@dataclass(frozen=True, slots=True)
class Speed:
    """What a stick does.

    Attributes:
        write_mb_per_s: writing, in 10^6 bytes a second.
        read_mb_per_s: reading.
    """

    write_mb_per_s: int
    read_mb_per_s: int

    def __str__(self) -> str:
        return f"{self.write_mb_per_s}/{self.read_mb_per_s} MB/s"

    @property
    def of_drive(self) -> DriveSpeed:
        """As simulated drives take it."""
        return DriveSpeed(self.write_mb_per_s * _MB, self.read_mb_per_s * _MB)


@dataclass(frozen=True, slots=True)
class Passes:
    """Seconds that writing and reading all of a drive took."""

    write_s: float
    read_s: float

    @property
    def total_s(self) -> float:
        """Both together."""
        return self.write_s + self.read_s


def timed(act: Callable[[], object]) -> float:
    """Seconds that something takes."""
    began_s = perf_counter()
    act()
    return perf_counter() - began_s


def plain_passes(drive: Drive) -> Passes:
    """The limit: all of a drive written and flushed, then read, and nothing else done."""
    buffer = aligned_buffer(CHUNK_BYTES)

    def spans() -> Iterator[tuple[int, memoryview]]:
        for start in range(0, drive.capacity_bytes, CHUNK_BYTES):
            yield start, buffer[: min(CHUNK_BYTES, drive.capacity_bytes - start)]

    def write() -> None:
        for start, memory in spans():
            drive.write(start, memory)
        drive.flush()

    def read() -> None:
        for start, memory in spans():
            drive.read(start, memory)

    return Passes(timed(write), timed(read))


def station_passes(order: Order, drive: Drive) -> Passes:
    """The station's job on a drive; the seal counts as writing.

    Raises:
        AssertionError: when the drive does not pass: then there is nothing to measure.
    """
    progress = Progress()
    began_s = perf_counter()
    verdict = make(order, random_identity(), drive, progress)
    total_s = perf_counter() - began_s
    if verdict.reason is not None:
        raise AssertionError(f"the drive did not pass: {verdict}")
    verify_s = progress.stage_s[Stage.VERIFY]
    return Passes(total_s - verify_s, verify_s)


@contextmanager
def simulated_stick(folder: Path, capacity_bytes: int, speed: Speed) -> Iterator[SimulatedDrive]:
    """A simulated drive, whose medium has its memory already."""
    image = folder / "stick.img"
    allocate(image, capacity_bytes)
    try:
        with closing(SimulatedDrive(image, capacity_bytes, speed=speed.of_drive)) as drive:
            yield drive
    finally:
        image.unlink()


@contextmanager
def loop_device(folder: Path, capacity_bytes: int, name: str = "loop") -> Iterator[Path]:
    """A block device in memory, with direct I/O from the device to the file below it.

    Raises:
        OperatorError: when it can't be made: that takes root.
    """
    image = folder / f"{name}.img"
    allocate(image, capacity_bytes)
    try:
        node = _output("losetup", "--direct-io=on", "--find", "--show", image).strip()
        held = os.open(node, os.O_RDONLY)
        # With the device still open, this only has the kernel detach it on the last close: no end
        # of this process, however sudden, leaves the device or the memory of its file behind.
        _output("losetup", "--detach", node)
    except (subprocess.CalledProcessError, FileNotFoundError) as error:
        raise OperatorError(f"no loop device could be made: {error}", "Run it as root.") from error
    finally:
        image.unlink()
    try:
        yield Path(node)
    finally:
        os.close(held)


@contextmanager
def opened(node: Path) -> Iterator[DirectDrive]:
    """A block device as the station opens it."""
    with closing(DirectDrive.open_device(node)) as drive:
        yield drive


@contextmanager
def throttled(node: Path, speed: Speed) -> Iterator[Path]:
    """A control group whose members read and write a block device at a stick's speed.

    Source: the kernel's admin-guide/cgroup-v1/blkio-controller, "Throttling/Upper limit policy".

    Yields:
        The file that a process writes its id to, to become a member.

    Raises:
        OperatorError: when there is no such control group here.
    """
    numbers = node.stat().st_rdev
    device = f"{os.major(numbers)}:{os.minor(numbers)}"
    group = _THROTTLE / f"station-bench-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        raise OperatorError(
            f"{group} can't be made: {error.strerror}",
            "The comparison needs root and the blkio control group (version 1).",
        ) from error
    try:
        limits = {"write": speed.write_mb_per_s, "read": speed.read_mb_per_s}
        for direction, mb_per_s in limits.items():
            limit = group / f"blkio.throttle.{direction}_bps_device"
            limit.write_text(f"{device} {mb_per_s * _MB}")
        yield group / "cgroup.procs"
    finally:
        group.rmdir()


def allocate(image: Path, capacity_bytes: int) -> None:
    """Make a file and give it its memory or disk space: the first write shall cost no more."""
    zeros = bytes(CHUNK_BYTES)
    with image.open("xb") as file:
        for start in range(0, capacity_bytes, CHUNK_BYTES):
            file.write(zeros[: capacity_bytes - start])
        file.flush()
        os.fsync(file.fileno())


def _output(*command: str | Path) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
