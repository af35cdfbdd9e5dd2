"""Many sticks at once."""

import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

from scripts.benchmarks.content import book_of, first_of, make_films
from scripts.benchmarks.figures import RATIO, Curve, Line, Result, at_least, at_most
from scripts.benchmarks.host import have_memory
from scripts.benchmarks.hub import Stick
from scripts.benchmarks.ready_made import ready_made_image
from scripts.benchmarks.sticks import Speed, loop_device, opened, station_passes
from scripts.benchmarks.table import TableRun, run_table
from scripts.benchmarks.usage import cpu_s
from scripts.benchmarks.workbench import Workbench, in_new_process
from station.content.selection import SelectedFile
from station.device.drive import Drive
from station.job.chunk import chunk_buffers
from station.job.identity import random_identity
from station.job.load import load
from station.units import MIB

_GB = 10**9
_MB = 10**6
_SPEED = Speed(10, 25)
_CAPACITY_BYTES = 64 * MIB
_COUNTS = (1, 4, 16, 64)
_SLOW = Speed(2, 25)
_SLOW_CAPACITY_BYTES = 40 * MIB
_LOOPS = 4
_LOOP_BYTES = 512 * MIB
# One takes a quarter of a second.
_PASSES = 5
_DD_FLAGS = ("oflag=direct", "status=none")


@dataclass(frozen=True, slots=True)
class _Fleet:
    """What the drives in memory did together.

    Attributes:
        load_s: seconds of the load alone, of all at once; the mean of some.
        cpu_s: processor time of whole jobs: load, verify and seal.
    """

    load_s: float
    cpu_s: float


def measure(bench: Workbench) -> Iterator[Result]:
    """Simulated sticks with the whole station around them, then drives that nothing slows down."""
    films = make_films(bench.disk, _LOOP_BYTES // 2)
    yield from _growing_table(bench, films)
    yield _slow_neighbour(bench, films)
    for path in bench.memory.iterdir():
        path.unlink()
    yield from _unlimited(bench, films)


def _growing_table(bench: Workbench, films: list[SelectedFile]) -> Iterator[Result]:
    files = first_of(films, _CAPACITY_BYTES // 2)
    rounds = [
        {count: _run(bench, _sticks(count), files) for count in _COUNTS}
        for _ in range(bench.rounds)
    ]
    for count in _COUNTS[1:]:
        yield Line(
            f"{count} sticks of {_SPEED}, dashboard running: time ÷ time of one",
            RATIO,
            tuple(runs[count].total_s / runs[1].total_s for runs in rounds),
            at_most(1.05),
        )
    most = _COUNTS[-1]
    shares = tuple(runs[most].dashboard_cpu_s / runs[most].total_s for runs in rounds)
    yield Line(f"dashboard of {most} ports: share of a core", RATIO, shares, at_most(0.05))
    memory = tuple(
        (runs[most].peak_memory_bytes - runs[1].peak_memory_bytes) / (most - 1) / MIB
        for runs in rounds
    )
    yield Line("memory for each drive beyond the first", "MiB", memory, at_most(12))
    yield Line(
        f"{most} simulated sticks: processor time, the simulation's copying included",
        "s/GB",
        tuple(runs[most].cpu_s * _GB / (most * _CAPACITY_BYTES) for runs in rounds),
    )
    panels: dict[tuple[str, str], Callable[[TableRun], float]] = {
        ("Written and verified by all, from plug to verdict", "MB/s"): lambda run: (
            len(run.stick_s) * _CAPACITY_BYTES / _MB / run.total_s
        ),
        ("Processor time in all", "s"): lambda run: run.cpu_s,
        ("Memory that is no file's", "MiB"): lambda run: run.peak_memory_bytes / MIB,
    }
    for (panel, unit), value in panels.items():
        points = tuple(
            (float(count), median(value(runs[count]) for runs in rounds)) for count in _COUNTS
        )
        yield Curve("sticks", panel, f"{_SPEED}", f"sticks of {_SPEED}", unit, points)


def _slow_neighbour(bench: Workbench, films: list[SelectedFile]) -> Line:
    """Fifteen sticks, with a sixteenth that is as fast as they are, or very slow."""
    files = first_of(films, _SLOW_CAPACITY_BYTES // 2)
    sticks = _sticks(16)
    slow = Stick(sticks[-1].port, _SLOW_CAPACITY_BYTES, _SLOW)

    def others(table: tuple[Stick, ...]) -> float:
        stick_s = _run(bench, table, files).stick_s
        return median(stick_s[stick.port] for stick in sticks[:-1])

    pairs = bench.paired(lambda: others((*sticks[:-1], slow)), lambda: others(sticks))
    return Line(
        f"one stick of {_SLOW.write_mb_per_s} MB/s among 16: time of the others ÷ without it",
        RATIO,
        tuple(with_slow / without for with_slow, without in pairs),
        at_most(1.01),
    )


def _unlimited(bench: Workbench, films: list[SelectedFile]) -> Iterator[Line]:
    """Loop devices in memory, against as many dd at once."""
    image = ready_made_image(bench.disk, films, _LOOP_BYTES)
    with ExitStack() as stack:
        nodes = [
            stack.enter_context(loop_device(bench.memory, _LOOP_BYTES, f"loop-{index}"))
            for index in range(_LOOPS)
        ]
        rounds = bench.paired(
            lambda: in_new_process(run_fleet, nodes, films),
            lambda: (_parallel_dd(nodes, Path("/dev/zero")), _parallel_dd(nodes, image)),
        )
    total_gb = _LOOPS * _LOOP_BYTES / _GB
    name = f"load of {_LOOPS} loop devices in memory: sum of speeds ÷ parallel dd oflag=direct"
    zeros = tuple(zeros_s / fleet.load_s for fleet, (zeros_s, _) in rounds)
    yield Line(f"{name} of zeros", RATIO, zeros, at_least(0.9))
    same = tuple(image_s / fleet.load_s for fleet, (_, image_s) in rounds)
    yield Line("… ÷ parallel dd oflag=direct of the same image, ready-made", RATIO, same)
    yield Line("… the station", "GB/s", tuple(total_gb / fleet.load_s for fleet, _ in rounds))
    yield Line(
        f"{_LOOPS} loop devices: processor time for each GB written and verified",
        "s/GB",
        tuple(fleet.cpu_s / total_gb for fleet, _ in rounds),
        at_most(0.30),
    )


def run_fleet(nodes: list[Path], films: list[SelectedFile]) -> _Fleet:
    """Load all drives at once: the load alone, some times over, and whole jobs."""
    with ExitStack() as stack:
        drives = [stack.enter_context(opened(node)) for node in nodes]
        book = book_of(films)
        stack.callback(book.close)
        order = book.order_for(_LOOP_BYTES, drives[0].sector_bytes)
        pool = stack.enter_context(ThreadPoolExecutor(len(drives)))

        def load_one(drive: Drive) -> None:
            load(order.volume.image(random_identity()), order.scan, drive, chunk_buffers())

        def make_one(drive: Drive) -> None:
            station_passes(order, drive)

        load_one(drives[0])  # once before it counts: the content is in memory then
        have_memory()
        began_s = perf_counter()
        for _ in range(_PASSES):
            list(pool.map(load_one, drives))
        load_s = (perf_counter() - began_s) / _PASSES
        began_cpu_s = cpu_s()
        list(pool.map(make_one, drives))
        return _Fleet(load_s, cpu_s() - began_cpu_s)


def _parallel_dd(nodes: list[Path], source: Path) -> float:
    """Seconds that a pass takes in which each drive has a dd of its own."""
    count = _LOOP_BYTES // (4 * MIB)
    began_s = perf_counter()
    for _ in range(_PASSES):
        writers = [
            subprocess.Popen(
                ["dd", f"if={source}", f"of={node}", "bs=4M", f"count={count}", *_DD_FLAGS]
            )
            for node in nodes
        ]
        for writer in writers:
            if writer.wait():
                raise AssertionError("dd failed")
    return (perf_counter() - began_s) / _PASSES


def _sticks(count: int) -> tuple[Stick, ...]:
    return tuple(Stick(f"port-{index + 1}", _CAPACITY_BYTES, _SPEED) for index in range(count))


def _run(bench: Workbench, sticks: tuple[Stick, ...], files: list[SelectedFile]) -> TableRun:
    ledger = bench.disk / "ledger.sqlite"
    try:
        return in_new_process(run_table, sticks, files, bench.memory, ledger)
    finally:
        for path in bench.disk.glob("ledger.sqlite*"):
            path.unlink()
