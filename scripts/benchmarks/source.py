"""How often the bundle is read from the station's disk, when it is larger than the memory."""

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from random import Random

from scripts.benchmarks.content import book_of, make_films
from scripts.benchmarks.figures import RATIO, Line, at_most
from scripts.benchmarks.sticks import loop_device
from scripts.benchmarks.workbench import Workbench, in_new_process
from station.content.selection import SelectedFile
from station.device.fault import Wraparound
from station.device.pace import DriveSpeed
from station.device.simulated import SimulatedDrive
from station.errors import OperatorError
from station.job.chunk import CHUNK_BYTES, chunk_buffers
from station.job.identity import random_identity
from station.job.load import load
from station.job.order import OrderBook
from station.units import MIB

_STICKS = 16
_BUNDLE_BYTES = 512 * MIB
_CAPACITY_BYTES = _BUNDLE_BYTES + 64 * MIB
_MEMORY_BYTES = _BUNDLE_BYTES // 2
_BYTES_PER_S = 40e6
_SPREADS = (0.0, 0.1)
_MEMORY_GROUPS = Path("/sys/fs/cgroup/memory")
_SECTOR_BYTES = 512  # of the kernel's counters, whatever the drive has


def measure(bench: Workbench) -> Iterator[Line]:
    """The bundle lies on a loop device of its own, whose reads are counted."""
    with _disk(bench.memory, 2 * _BUNDLE_BYTES) as (folder, node):
        files = make_films(folder, _BUNDLE_BYTES)
        content_bytes = sum(file.entry.size_bytes for file in files)
        for spread in _SPREADS:
            speeds = [
                _BYTES_PER_S * (1 + spread * (2 * index / (_STICKS - 1) - 1))
                for index in range(_STICKS)
            ]
            Random(spread).shuffle(speeds)  # noqa: S311 - which is how fast, no secret
            name = "equally fast" if not spread else f"±{spread:.0%} in speed"
            for shares, kind in ((True, "shared scan"), (False, "each from its beginning")):
                read_bytes = [
                    in_new_process(run_staggered, files, speeds, bench.memory, node, shares=shares)
                    for _ in range(bench.rounds)
                ]
                yield Line(
                    f"{_STICKS} sticks, {name}, begun over half of a load, bundle of twice the"
                    f" memory, {kind}: bytes read ÷ bundle",
                    RATIO,
                    tuple(count / content_bytes for count in read_bytes),
                    at_most(1.5) if shares else None,
                )


def run_staggered(
    files: list[SelectedFile],
    speeds_bytes_per_s: Sequence[float],
    folder: Path,
    node: Path,
    *,
    shares: bool,
) -> int:
    """Load one stick after the other, all of them at once in the end.

    Returns:
        Bytes that were read from the block device `node`.
    """
    with ExitStack() as stack:
        # Beside the files in memory, each drive has its buffers.
        limit_bytes = _MEMORY_BYTES + 2 * CHUNK_BYTES * len(speeds_bytes_per_s)
        stack.enter_context(_limited_memory(limit_bytes))
        common = stack.enter_context(closing(book_of(files)))
        pool = stack.enter_context(ThreadPoolExecutor(len(speeds_bytes_per_s)))
        for file in files:
            _forget(file.folder / file.path)
        began_bytes = _read_bytes(node)
        pause_s = _CAPACITY_BYTES / _BYTES_PER_S / 2 / (len(speeds_bytes_per_s) - 1)
        jobs = []
        for index, speed in enumerate(speeds_bytes_per_s):
            book = common if shares else stack.enter_context(closing(book_of(files)))
            jobs.append(pool.submit(_load_one, book, folder / f"sink-{index}.img", speed))
            time.sleep(pause_s)
        for job in jobs:
            job.result()
        return _read_bytes(node) - began_bytes


def _load_one(book: OrderBook, path: Path, bytes_per_s: float) -> None:
    order = book.order_for(_CAPACITY_BYTES, 512)
    # All that is written lands on the same few bytes: the memory is for the files.
    with closing(
        SimulatedDrive(
            path,
            _CAPACITY_BYTES,
            speed=DriveSpeed(bytes_per_s, bytes_per_s),
            faults=[Wraparound(CHUNK_BYTES)],
        )
    ) as drive:
        load(order.volume.image(random_identity()), order.scan, drive, chunk_buffers())
    path.unlink()


@contextmanager
def _disk(folder: Path, capacity_bytes: int) -> Iterator[tuple[Path, Path]]:
    """A file system on a disk of its own: where it is mounted, and its block device."""
    mounted = folder / "disk"
    mounted.mkdir()
    with loop_device(folder, capacity_bytes, "source") as node:
        subprocess.run(["mkfs.ext4", "-q", "-E", "nodiscard", str(node)], check=True)
        subprocess.run(["mount", str(node), str(mounted)], check=True)
        try:
            yield mounted, node
        finally:
            subprocess.run(["umount", str(mounted)], check=True)


@contextmanager
def _limited_memory(limit_bytes: int) -> Iterator[None]:
    """Put this process into a control group that has so much memory, files included.

    Source: the kernel's admin-guide/cgroup-v1/memory, sections 2.1 and 3.

    Raises:
        OperatorError: when there is no such control group here.
    """
    group = _MEMORY_GROUPS / f"station-bench-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        raise OperatorError(
            f"{group} can't be made: {error.strerror}",
            "Limiting the memory needs root and the memory control group (version 1).",
        ) from error
    home = next(
        line.split(":", 2)[2]
        for line in Path("/proc/self/cgroup").read_text().splitlines()
        if ":memory:" in line
    )
    (group / "memory.limit_in_bytes").write_text(str(limit_bytes))
    (group / "cgroup.procs").write_text(str(os.getpid()))
    try:
        yield
    finally:
        (_MEMORY_GROUPS / home.lstrip("/") / "cgroup.procs").write_text(str(os.getpid()))
        group.rmdir()


def _forget(path: Path) -> None:
    """Have the page cache drop a file."""
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)


def _read_bytes(node: Path) -> int:
    """What the kernel has read from a block device: sectors, the third field of its statistics."""
    return int(Path(f"/sys/block/{node.name}/stat").read_text().split()[2]) * _SECTOR_BYTES
