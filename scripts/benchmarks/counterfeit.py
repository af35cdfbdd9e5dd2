"""Looking for counterfeits: f3 against the station's probe, and against its whole job."""

import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from scripts.benchmarks.content import PROFILE, book_of, make_films
from scripts.benchmarks.figures import RATIO, Line, Missing, Result
from scripts.benchmarks.sticks import Speed, loop_device, opened, station_passes, throttled, timed
from scripts.benchmarks.tools import missing
from scripts.benchmarks.workbench import Workbench, in_new_process
from station.content.profile import DriveLimits
from station.content.selection import SelectedFile
from station.job.probe import Probe
from station.units import MIB

_SPEED = Speed(20, 40)
_CAPACITY_BYTES = 128 * MIB

Way = Callable[[Path], float]
"""Looks at a device, and returns the seconds that it took."""


@dataclass(frozen=True, slots=True)
class Look:
    """What it took to look at a device: seconds, and 10^6 bytes that were written to it."""

    total_s: float
    written_mb: float


def measure(bench: Workbench) -> Iterator[Result]:
    """On a loop device in memory that a control group limits to the speed of a stick."""
    if reason := missing("f3probe", "f3write", "f3read", "mkfs.ext4"):
        yield Missing("f3", reason)
        return
    films = make_films(bench.disk, _CAPACITY_BYTES // 2)
    mounted = bench.disk / "mounted"
    mounted.mkdir()
    with loop_device(bench.memory, _CAPACITY_BYTES) as node, throttled(node, _SPEED) as group:

        def measured(way: Way) -> Callable[[], Look]:
            return partial(in_new_process, look, group, way, node)

        filled = bench.paired(
            measured(partial(fill_with_f3, mounted)), measured(partial(make, films))
        )
        probed = bench.paired(measured(probe_with_f3), measured(probe))
    yield Line(
        f"stick of {_SPEED}: time of f3write and f3read ÷ the station's whole job with its probe",
        RATIO,
        tuple(f3.total_s / station.total_s for f3, station in filled),
    )
    for name, looks in (
        ("f3probe --destructive", [f3 for f3, _ in probed]),
        ("the station's probe", [station for _, station in probed]),
    ):
        yield Line(f"{name} on a good stick", "s", tuple(one.total_s for one in looks))
        yield Line("… written by it", "MB", tuple(one.written_mb for one in looks))


def look(group: Path, way: Way, node: Path) -> Look:
    """Look at a device as a member of a control group."""
    group.write_text(str(os.getpid()))
    before_mb = _written_mb(node)
    total_s = way(node)
    return Look(total_s, _written_mb(node) - before_mb)


def _written_mb(node: Path) -> float:
    """Source: the kernel's block/stat: the seventh figure is in sectors of 512 bytes."""
    return int(Path(f"/sys/block/{node.name}/stat").read_text().split()[6]) * 512 / 1e6


def fill_with_f3(mounted: Path, node: Path) -> float:
    """Fill the file system of a device with f3write and read it with f3read.

    ext4 stands for FAT32, as not every kernel has vfat; it is made to keep little for itself.
    """
    making = ["mkfs.ext4", "-q", "-F", "-m", "0", "-O", "^has_journal", str(node)]
    subprocess.run(making, check=True)
    # In a mount namespace of its own, so that no end of this process leaves it mounted.
    script = 'mount "$1" "$2" && f3write "$2" && f3read "$2"'
    command = ["unshare", "--mount", "sh", "-c", script, "sh", str(node), str(mounted)]
    said = ""

    def fill() -> None:
        nonlocal said
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout

    seconds = timed(fill)
    if "Data LOST: 0.00 Byte (0 sectors)" not in said:
        raise AssertionError(f"f3read found something: {said}")
    return seconds


def make(films: list[SelectedFile], node: Path) -> float:
    """Probe, load, verify and seal."""
    book = book_of(films, replace(PROFILE, drive=DriveLimits()))
    with opened(node) as drive:
        order = book.order_for(drive.capacity_bytes, drive.sector_bytes)
        return station_passes(order, drive).total_s


def probe_with_f3(node: Path) -> float:
    """f3probe, which needn't put back what was on the device: it is overwritten anyway."""
    command = ["f3probe", "--destructive", str(node)]
    return timed(lambda: subprocess.run(command, check=True, capture_output=True))


def probe(node: Path) -> float:
    """The station's probe alone."""
    with opened(node) as drive:
        return timed(Probe(drive).run)
