"""One stick against its limit."""

from collections.abc import Iterator
from contextlib import closing

from scripts.benchmarks.content import book_of, first_of, make_films
from scripts.benchmarks.figures import RATIO, Curve, Line, Result, Scale, at_most
from scripts.benchmarks.sticks import (
    Passes,
    Speed,
    loop_device,
    opened,
    plain_passes,
    simulated_stick,
    station_passes,
)
from scripts.benchmarks.workbench import Workbench
from station.content.selection import SelectedFile
from station.device.drive import Drive
from station.units import MIB

# Small sticks, so that a pass takes seconds; what a job costs besides the passes then shows most.
_STICKS = (
    (Speed(10, 25), 64 * MIB, 1.02),
    (Speed(20, 40), 128 * MIB, 1.02),
    (Speed(80, 160), 512 * MIB, 1.02),
    (Speed(400, 400), 2048 * MIB, 1.05),
)
_LOOP_BYTES = 1024 * MIB


def measure(bench: Workbench) -> Iterator[Result]:
    """Load, verify and seal, over plain passes of the same drive; half of it is content."""
    films = make_films(bench.disk, max(capacity for _, capacity, _ in _STICKS) // 2)
    points = []
    for speed, capacity_bytes, limit in _STICKS:
        with simulated_stick(bench.memory, capacity_bytes, speed) as drive:
            rounds = _rounds(bench, drive, films)
        line = _ratio(f"stick of {speed}: load + verify + seal ÷ limit", rounds, limit)
        points.append((float(speed.write_mb_per_s), line.median))
        yield line
    yield Curve(
        "sticks",
        "One stick against its limit",
        "load + verify + seal",
        "speed of writing in MB/s",
        "time ÷ limit",
        tuple(points),
        Scale.LOG_X,
    )
    with loop_device(bench.memory, _LOOP_BYTES) as node, opened(node) as drive:
        rounds = _rounds(bench, drive, films)
    yield _ratio("loop device in memory: load + verify + seal ÷ limit", rounds)
    load = tuple(station.write_s / plain.write_s for station, plain in rounds)
    yield Line("… load ÷ plain write", RATIO, load)
    verify = tuple(station.read_s / plain.read_s for station, plain in rounds)
    yield Line("… verify ÷ plain read", RATIO, verify)
    speeds = tuple(_LOOP_BYTES / 1e9 / station.total_s for station, _ in rounds)
    yield Line("… written and verified", "GB/s", speeds)


def _ratio(name: str, rounds: list[tuple[Passes, Passes]], limit: float | None = None) -> Line:
    values = tuple(station.total_s / plain.total_s for station, plain in rounds)
    return Line(name, RATIO, values, None if limit is None else at_most(limit))


def _rounds(
    bench: Workbench, drive: Drive, films: list[SelectedFile]
) -> list[tuple[Passes, Passes]]:
    """The station's passes and the plain ones, in turn."""
    with closing(book_of(first_of(films, drive.capacity_bytes // 2))) as book:
        order = book.order_for(drive.capacity_bytes, drive.sector_bytes)
        return bench.paired(lambda: station_passes(order, drive), lambda: plain_passes(drive))
