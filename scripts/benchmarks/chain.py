"""The station against the usual tools in a row, on the same drive and to the same end."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from scripts.benchmarks.content import book_of, first_of, make_films
from scripts.benchmarks.figures import RATIO, Bar, Line, Missing, Result, at_least, at_most
from scripts.benchmarks.sticks import Speed, loop_device, opened, station_passes, throttled
from scripts.benchmarks.tools import missing
from scripts.benchmarks.usage import children_cpu_s, cpu_s
from scripts.benchmarks.workbench import Workbench, in_new_process
from station.content.selection import SelectedFile
from station.units import MIB

_SPEED = Speed(20, 40)
_CAPACITY_BYTES = 128 * MIB
# Small ones, so that they fill it.
_FILM_BYTES = 4 * MIB + 12_345
_STATION = "the station"
_DD = "the usual tools with dd"
_NWIPE = "the usual tools with nwipe"
# Share of the stick that is content, and how much faster the station is asked to be.
_FILLINGS = (("half full", 0.5, 1.4), ("full", 0.95, 1.9))

_Steps = dict[str, list[list[str]]]


@dataclass(frozen=True, slots=True)
class _Cost:
    """Seconds by step, and processor time, of one way to make a stick."""

    step_s: dict[str, float]
    cpu_s: float

    @property
    def total_s(self) -> float:
        """All steps together."""
        return sum(self.step_s.values())


def measure(bench: Workbench) -> Iterator[Result]:
    """All on a loop device in memory that a control group limits to the speed of a stick."""
    if reason := missing("mcopy", "mkfs.fat", "b3sum"):
        yield Missing("the usual tools", reason)
        return
    without_nwipe = missing("nwipe")
    if without_nwipe:
        yield Missing(_NWIPE, without_nwipe)
    films = make_films(bench.disk, _CAPACITY_BYTES, _FILM_BYTES)
    for filling, share, wanted in _FILLINGS:
        chains = (_DD,) if without_nwipe else (_DD, _NWIPE)
        files = first_of(films, int(_CAPACITY_BYTES * share))
        rounds = _rounds(bench, files, (_STATION, *chains))
        for chain in chains:
            yield Line(
                f"{filling} stick of {_SPEED}: time of {chain} ÷ the station",
                RATIO,
                tuple(costs[chain].total_s / costs[_STATION].total_s for costs in rounds),
                at_least(wanted),
            )
            yield Line(
                f"… processor time of the station ÷ {chain}",
                RATIO,
                tuple(costs[_STATION].cpu_s / costs[chain].cpu_s for costs in rounds),
                at_most(0.7),
            )
        for way in (*reversed(chains), _STATION):
            middle = sorted((costs[way] for costs in rounds), key=lambda cost: cost.total_s)
            steps = middle[len(middle) // 2].step_s
            yield Bar("chain", f"A {filling} stick of {_SPEED}", way, tuple(steps.items()))


def _rounds(
    bench: Workbench, files: list[SelectedFile], ways: tuple[str, ...]
) -> list[dict[str, _Cost]]:
    """What each way cost in each round; every other round goes through them backwards."""
    rounds = []
    with loop_device(bench.memory, _CAPACITY_BYTES) as node, throttled(node, _SPEED) as group:
        for index in range(bench.rounds):
            costs = {}
            for way in ways[:: -1 if index % 2 else 1]:
                if way == _STATION:
                    costs[way] = in_new_process(run_station, node, group, files)
                else:
                    costs[way] = in_new_process(run_chain, way, node, group, files, bench.memory)
            rounds.append(costs)
    return rounds


def run_station(node: Path, group: Path, files: list[SelectedFile]) -> _Cost:
    """Load, verify and seal, as a member of a control group."""
    group.write_text(str(os.getpid()))
    book = book_of(files)
    began_cpu_s, began_s = cpu_s(), perf_counter()
    with opened(node) as drive:
        order = book.order_for(drive.capacity_bytes, drive.sector_bytes)
        passes = station_passes(order, drive)
    total_s = perf_counter() - began_s
    steps = {"load and seal": total_s - passes.read_s, "verify": passes.read_s}
    return _Cost(steps, cpu_s() - began_cpu_s)


def run_chain(way: str, node: Path, group: Path, files: list[SelectedFile], memory: Path) -> _Cost:
    """Overwrite and read back, format, copy, drop the caches, read and hash: members of a group.

    mtools stands for mount and cp, as not every kernel has vfat. What it reads back goes to memory,
    where b3sum hashes it, so that the stick is read once.
    """
    group.write_text(str(os.getpid()))
    read_back = memory / "read-back"
    read_back.mkdir()
    sums = memory / "sums"
    sums.write_text("".join(f"{file.blake3.hex()}  {_name(file)}\n" for file in files))
    sources = [str(file.folder / file.path) for file in files]
    steps = {
        **(_wipe_by_nwipe(node) if way == _NWIPE else _wipe_by_dd(node)),
        "format": [["mkfs.fat", "-F", "32", "-I", str(node)]],
        "copy": [["mcopy", "-i", str(node), *sources, "::/"], ["sync", str(node)]],
        "verify": [
            ["blockdev", "--flushbufs", str(node)],
            ["mcopy", "-i", str(node), "::/*", str(read_back)],
            ["b3sum", "--check", "--quiet", str(sums)],
        ],
    }
    step_s = {}
    began_cpu_s = children_cpu_s()
    for step, commands in steps.items():
        began_s = perf_counter()
        for command in commands:
            subprocess.run(command, check=True, capture_output=True, cwd=read_back)
        step_s[step] = perf_counter() - began_s
    cost = _Cost(step_s, children_cpu_s() - began_cpu_s)
    shutil.rmtree(read_back)
    sums.unlink()
    return cost


def _wipe_by_dd(node: Path) -> _Steps:
    count = _CAPACITY_BYTES // (4 * MIB)
    writing = ["dd", "if=/dev/zero", f"of={node}", "bs=4M", f"count={count}", "oflag=direct"]
    reading = f"dd if={node} bs=4M count={count} iflag=direct"
    comparing = f"{reading} | cmp --bytes={_CAPACITY_BYTES} - /dev/zero"
    return {
        "overwrite": [writing],
        "read back": [["bash", "-o", "pipefail", "-c", comparing]],
    }


def _wipe_by_nwipe(node: Path) -> _Steps:
    options = ["--autonuke", "--nogui", "--method=zero", "--noblank", "--verify=last"]
    return {"overwrite and read back": [["nwipe", *options, str(node)]]}


def _name(file: SelectedFile) -> str:
    return Path(file.path).name
