"""What a plan costs, and how that grows."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random
from time import perf_counter

from scripts.benchmarks.content import book_of
from scripts.benchmarks.figures import RATIO, Curve, Line, Result, Scale, at_most
from scripts.benchmarks.usage import cpu_s, peak_memory_bytes
from scripts.benchmarks.workbench import Workbench, in_new_process
from station.content.catalog import Catalog
from station.content.manifest import Manifest, ManifestFile, format_manifest
from station.content.offers import offers_as_listed
from station.content.selection import SelectedFile
from station.image.tree import FileEntry
from station.job.order import OrderBook
from station.units import MIB

_MB = 10**6
_GB = 10**9
_TB = 10**12
_FILES = 100_000
_FILES_PER_FOLDER = 250
_FILE_COUNTS = (100, 1_000, 10_000, 100_000, 1_000_000)
_CAPACITIES_BYTES = (64 * _MB, 512 * _MB, 4 * _GB, 32 * _GB, 256 * _GB, 2 * _TB)
_FILES_OVER_CAPACITY = 5_000


@dataclass(frozen=True, slots=True)
class PlanCost:
    """What one plan took.

    Attributes:
        time_s: seconds on the clock.
        cpu_s: seconds of a processor.
        memory_bytes: beyond what the process had before.
        whole_memory_bytes: the most that the process had, interpreter and libraries included.
    """

    time_s: float
    cpu_s: float
    memory_bytes: int
    whole_memory_bytes: int


def measure(bench: Workbench) -> Iterator[Result]:
    """The plan of issue size, from the manifest on; then plans of all sizes."""
    write_root(bench.disk, _FILES, _TB)
    costs = [in_new_process(plan_root, bench.disk, _TB) for _ in range(bench.rounds)]
    name = f"plan of 1 TB with {_FILES:,} files, manifest read included"
    yield Line(f"{name}: time", "s", tuple(cost.time_s for cost in costs), at_most(3))
    yield Line("… processor time of it", "s", tuple(cost.cpu_s for cost in costs))
    yield Line(
        "… peak memory of the process",
        "MB",
        tuple(cost.whole_memory_bytes / _MB for cost in costs),
        at_most(300),
    )
    yield from _growth_over_files()
    yield from _growth_over_capacity()


def _growth_over_files() -> Iterator[Result]:
    costs = {count: in_new_process(_plan_files, count, _TB) for count in _FILE_COUNTS}
    few, many = costs[_FILE_COUNTS[-2]], costs[_FILE_COUNTS[-1]]
    yield Line(
        "plan of 1 TB: processor time a file, of 1,000,000 ÷ of 100,000",
        RATIO,
        (many.cpu_s / few.cpu_s * _FILE_COUNTS[-2] / _FILE_COUNTS[-1],),
    )
    yield _curve("1 TB", "files", "s", [(n, c.cpu_s) for n, c in costs.items()])
    yield _curve("1 TB", "files", "MiB", [(n, c.memory_bytes / MIB) for n, c in costs.items()])


def _growth_over_capacity() -> Iterator[Result]:
    costs = {
        capacity: in_new_process(_plan_files, _FILES_OVER_CAPACITY, capacity)
        for capacity in _CAPACITIES_BYTES
    }
    small, large = costs[_CAPACITIES_BYTES[0]], costs[_CAPACITIES_BYTES[-1]]
    yield Line(
        f"plan of {_FILES_OVER_CAPACITY:,} files: processor time on 2 TB ÷ on 64 MB",
        RATIO,
        (large.cpu_s / small.cpu_s,),
    )
    panel = f"{_FILES_OVER_CAPACITY:,} files"
    times = [(capacity / _GB, cost.cpu_s) for capacity, cost in costs.items()]
    memories = [(capacity / _GB, cost.memory_bytes / MIB) for capacity, cost in costs.items()]
    yield _curve(panel, "capacity in GB", "s", times)
    yield _curve(panel, "capacity in GB", "MiB", memories)


def _curve(panel: str, x_label: str, unit: str, points: list[tuple[float, float]]) -> Curve:
    label = "processor time" if unit == "s" else "memory"
    scale = Scale.LOG if x_label == "files" else Scale.LOG_X
    title = f"Plan, {panel}"
    return Curve("plan", f"{title}: {label}", label, x_label, unit, tuple(points), scale)


def plan_root(root: Path, capacity_bytes: int) -> PlanCost:
    """What `station plan` does, without starting Python."""
    before = _now()
    catalog = Catalog(root)
    profile = catalog.profile("bench")
    OrderBook(profile, offers_as_listed(catalog, profile)).order_for(capacity_bytes, 512)
    return _cost_since(before)


def _plan_files(count: int, capacity_bytes: int) -> PlanCost:
    """The plan alone: which files there are is known."""
    # FAT32 and the sizes leave room for the directories.
    files = [
        SelectedFile(FileEntry(path, size), Path("content"), path, bytes(32))
        for path, size in _files(count, capacity_bytes // 2)
    ]
    book = book_of(files)
    before = _now()
    book.order_for(capacity_bytes, 512)
    return _cost_since(before)


def _now() -> PlanCost:
    peak_bytes = peak_memory_bytes()
    return PlanCost(perf_counter(), cpu_s(), peak_bytes, peak_bytes)


def _cost_since(before: PlanCost) -> PlanCost:
    now = _now()
    return PlanCost(
        now.time_s - before.time_s,
        now.cpu_s - before.cpu_s,
        now.memory_bytes - before.memory_bytes,
        now.whole_memory_bytes,
    )


def _files(count: int, total_bytes: int) -> Iterator[tuple[str, int]]:
    """Paths and sizes, sorted by path as in a manifest; a third of the names take long entries."""
    random = Random(count)  # noqa: S311 - data, no secret
    largest_bytes = min(2 * total_bytes // count, 4 * 10**9)
    paths = (
        f"folder {index // _FILES_PER_FOLDER:04}/{'긴 이름의 영화 ' * (index % 3)}{index:07}.mp4"
        for index in range(count)
    )
    return ((path, random.randrange(largest_bytes)) for path in sorted(islice(paths, count)))


def write_root(root: Path, count: int, capacity_bytes: int) -> None:
    """A profile and a manifest, as `station plan --root` takes them; the files needn't be there."""
    (root / "profiles").mkdir()
    (root / "content_manifests").mkdir()
    (root / "profiles/bench.toml").write_text('[[bundle]]\nmanifest = "bench"\n')
    files = tuple(
        ManifestFile(path=path, size=size, blake3="0" * 64)
        for path, size in _files(count, capacity_bytes // 2)
    )
    manifest = Manifest(format=1, name="bench", folder="files", files=files)
    (root / "content_manifests/bench.json").write_text(format_manifest(manifest))
