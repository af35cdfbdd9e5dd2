"""The station against what writes a ready-made image to many sticks and verifies them."""

import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from time import perf_counter

from scripts.benchmarks import etcher
from scripts.benchmarks.content import book_of, first_of, make_films
from scripts.benchmarks.figures import RATIO, Line, Missing, Result, at_most
from scripts.benchmarks.host import have_memory
from scripts.benchmarks.ready_made import ready_made_image
from scripts.benchmarks.sticks import Speed, loop_device, opened, station_passes, throttled
from scripts.benchmarks.tools import missing
from scripts.benchmarks.usage import Cost, children_cpu_s, cpu_s
from scripts.benchmarks.workbench import Workbench, in_new_process
from station.content.selection import SelectedFile
from station.device.drive import Drive
from station.units import MIB

_GB = 10**9
_COUNTS = (1, 4, 6)
_CAPACITY_BYTES = 512 * MIB
_SPEED = Speed(20, 40)
_SLOW_CAPACITY_BYTES = 96 * MIB

_STATION = "the station"

Way = Callable[[Sequence[Path]], Cost]
"""Makes all devices at once."""
Peer = Callable[[Path, Sequence[Path]], Cost]
"""The same from a ready-made image."""


def measure(bench: Workbench) -> Iterator[Result]:
    """All on the same loop devices, without a limit for the processor time, then as a stick."""
    peers: dict[str, Peer] = {"dd and cmp": dd}
    for name, programs, peer in (
        ("bmaptool and cmp", ["bmaptool"], bmaptool),
        ("etcher-sdk", ["etcher"], etcher.flash),
    ):
        if reason := missing(*programs):
            yield Missing(name, reason)
        else:
            peers[name] = peer
    films = make_films(bench.disk, _CAPACITY_BYTES // 2)
    for count in _COUNTS:
        yield from _in_memory(bench, films, peers, count)
    yield from _as_stick(bench, first_of(films, _SLOW_CAPACITY_BYTES // 2), peers)


def _in_memory(
    bench: Workbench, films: list[SelectedFile], peers: dict[str, Peer], count: int
) -> Iterator[Line]:
    rounds = _rounds(bench, films, peers, count, _CAPACITY_BYTES)
    gb = count * _CAPACITY_BYTES / _GB
    drives = "1 drive" if count == 1 else f"{count} drives"
    yield Line(
        f"{drives} in memory: processor time of the station ÷ the thriftiest peer's",
        RATIO,
        tuple(
            station.cpu_s / min(cost.cpu_s for cost in costs.values()) for station, costs in rounds
        ),
        at_most(0.7),
    )
    yield Line(
        "… the station, for each GB written and verified",
        "s/GB",
        tuple(station.cpu_s / gb for station, _ in rounds),
    )
    for name in peers:
        yield Line(f"… {name}", "s/GB", tuple(costs[name].cpu_s / gb for _, costs in rounds))
    for name in peers:
        yield Line(
            f"… time of {name} ÷ the station",
            RATIO,
            tuple(costs[name].total_s / station.total_s for station, costs in rounds),
        )


def _as_stick(
    bench: Workbench, films: list[SelectedFile], peers: dict[str, Peer]
) -> Iterator[Line]:
    rounds = _rounds(bench, films, peers, 1, _SLOW_CAPACITY_BYTES, _SPEED)
    for name in peers:
        yield Line(
            f"stick of {_SPEED}: time of {name} with a ready-made image ÷ the station",
            RATIO,
            tuple(costs[name].total_s / station.total_s for station, costs in rounds),
        )


def _rounds(  # noqa: PLR0913, PLR0917 - what is measured, on what
    bench: Workbench,
    films: list[SelectedFile],
    peers: dict[str, Peer],
    count: int,
    capacity_bytes: int,
    speed: Speed | None = None,
) -> list[tuple[Cost, dict[str, Cost]]]:
    """The station's cost and its peers' of each round, the station first and last by turns."""
    image = ready_made_image(bench.disk, films, capacity_bytes)
    ways: dict[str, Way] = {_STATION: partial(run_station, films)}
    ways |= {name: partial(peer, image) for name, peer in peers.items()}
    rounds = []
    with ExitStack() as stack:
        nodes = [
            stack.enter_context(loop_device(bench.memory, capacity_bytes, f"loop-{index}"))
            for index in range(count)
        ]
        group = None if speed is None else stack.enter_context(throttled(nodes[0], speed))
        for index in range(bench.rounds):
            costs: dict[str, Cost] = {}
            for name in list(ways)[:: -1 if index % 2 else 1]:
                costs[name] = in_new_process(run_way, ways[name], nodes, group)
            rounds.append((costs.pop(_STATION), costs))
    return rounds


def run_way(way: Way, nodes: list[Path], group: Path | None) -> Cost:
    """Make all devices in one way, as members of a control group if there is one."""
    if group is not None:
        group.write_text(str(os.getpid()))
    have_memory()
    return way(nodes)


def run_station(films: list[SelectedFile], nodes: Sequence[Path]) -> Cost:
    """Load, verify and seal all devices at once; the plan is ready, as the peers' image is."""
    with ExitStack() as stack:
        drives = [stack.enter_context(opened(node)) for node in nodes]
        book = book_of(films)
        stack.callback(book.close)
        order = book.order_for(drives[0].capacity_bytes, drives[0].sector_bytes)
        pool = stack.enter_context(ThreadPoolExecutor(len(drives)))

        def make_one(drive: Drive) -> None:
            station_passes(order, drive)

        began_cpu_s, began_s = cpu_s(), perf_counter()
        list(pool.map(make_one, drives))
        return Cost(perf_counter() - began_s, cpu_s() - began_cpu_s)


def dd(image: Path, nodes: Sequence[Path]) -> Cost:
    """What a shell does: dd past the page cache, then cmp from the device."""
    writing = ["dd", f"if={image}", "bs=4M", "oflag=direct", "conv=fsync", "status=none"]
    return _programs(
        [[*writing, f"of={node}"] for node in nodes],
        *_reading_back(image, nodes),
    )


def bmaptool(image: Path, nodes: Sequence[Path]) -> Cost:
    """bmaptool, which holds the image against the checksums of its map while it writes.

    It never reads the device, so cmp does. Each block is in the map, as each is to be overwritten.
    """
    block_map = image.with_suffix(".bmap")
    if not block_map.exists():
        subprocess.run(
            ["bmaptool", "--quiet", "create", "-o", block_map, image],
            check=True,
            capture_output=True,
        )
    return _programs(
        [["bmaptool", "--quiet", "copy", "--bmap", block_map, image, node] for node in nodes],
        *_reading_back(image, nodes),
    )


def _reading_back(image: Path, nodes: Sequence[Path]) -> tuple[list[list[str | Path]], ...]:
    return (
        [["blockdev", "--flushbufs", node] for node in nodes],
        [["cmp", image, node] for node in nodes],
    )


def _programs(*steps: list[list[str | Path]]) -> Cost:
    """Run the programs of each step at once, one step after the other.

    Raises:
        AssertionError: when one fails.
    """
    began_cpu_s, began_s = children_cpu_s(), perf_counter()
    for step in steps:
        running = [subprocess.Popen(command) for command in step]
        for program in running:
            if program.wait():
                raise AssertionError(f"{step} failed")
    return Cost(perf_counter() - began_s, children_cpu_s() - began_cpu_s)
