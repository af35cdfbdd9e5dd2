"""From a stick that is plugged in to the first byte on it."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from scripts.benchmarks.content import PROFILE, article_sizes, book_of
from scripts.benchmarks.figures import Line, at_most
from scripts.benchmarks.hub import PreparedHub, Stick
from scripts.benchmarks.sticks import Speed, timed
from scripts.benchmarks.table import terminal
from scripts.benchmarks.workbench import Workbench, in_new_process
from station.content.selection import SelectedFile
from station.dashboard.live import LiveView
from station.device.drive import Drive, DriveInfo
from station.hotplug.events import PlugEvent
from station.image.tree import FileEntry
from station.ledger.ledger import Ledger
from station.supervisor.supervisor import RunName, Supervisor
from station.units import MIB

_STICKS = 16
_ARTICLES = 200_000
_CAPACITY_BYTES = 16_000 * MIB
_SPEED = Speed(10, 25)


@dataclass(frozen=True, slots=True)
class _Start:
    """Seconds that the plan took, and that the last stick then waited for its first byte."""

    plan_s: float
    last_s: float


def measure(bench: Workbench) -> Iterator[Line]:
    """All sticks at once, through the supervisor, with the dashboard and a ledger on a disk."""
    starts = [
        in_new_process(run_start, bench.memory, bench.disk / f"ledger-{index}.sqlite")
        for index in range(bench.rounds)
    ]
    yield Line(
        f"{_STICKS} sticks at once, {_ARTICLES:,} files: from plug to the first byte on the last",
        "s",
        tuple(start.last_s for start in starts),
        at_most(0.3),
    )
    yield Line("… the plan before, once", "s", tuple(start.plan_s for start in starts))


def run_start(images: Path, ledger: Path) -> _Start:
    """Plan, plug all sticks in, and go on until each has got a write.

    The files don't exist: each job ends when it needs the first one.
    """
    sticks = [Stick(f"port-{index}", _CAPACITY_BYTES, _SPEED) for index in range(_STICKS)]
    with (
        closing(_WatchedHub(sticks, images)) as hub,
        closing(book_of(_articles(images))) as book,
        Ledger.open(str(ledger)) as book_of_verdicts,
        terminal() as console,
    ):
        plan_s = timed(lambda: book.order_for(_CAPACITY_BYTES, 512))
        book_of_verdicts.begin_run(PROFILE.name, "")
        Supervisor(
            RunName(PROFILE, ""),
            hub=hub,
            book=book,
            ledger=book_of_verdicts,
            view=LiveView(console),
        ).run()
        return _Start(plan_s, hub.last_first_write_s)


def _articles(folder: Path) -> list[SelectedFile]:
    paths = (f"{index // 500}/article {index}.html" for index in range(_ARTICLES))
    return [
        SelectedFile(FileEntry(path, size_bytes), folder, path, b"")
        for path, size_bytes in zip(paths, article_sizes(_ARTICLES), strict=True)
    ]


class _WatchedHub(PreparedHub):
    """Notes when sticks were told of, and when each was written to first."""

    def __init__(self, sticks: list[Stick], folder: Path) -> None:
        super().__init__(sticks, folder, allocates=False)
        self._told_s = 0.0
        self._first_s: dict[str, float] = {}

    @property
    def last_first_write_s(self) -> float:
        """Seconds from the plugging to the first write on the stick that got its one last."""
        if len(self._first_s) < _STICKS:
            raise AssertionError("a stick was never written to")
        return max(self._first_s.values()) - self._told_s

    def poll(self, timeout_s: float) -> list[PlugEvent]:
        """As of the hub."""
        events = super().poll(timeout_s)
        if events:
            self._told_s = perf_counter()
        return events

    def open(self, drive: DriveInfo) -> Drive:
        """As of the hub."""
        opened = super().open(drive)
        write = opened.write

        def watched_write(offset_bytes: int, data: memoryview) -> None:
            self._first_s.setdefault(drive.port, perf_counter())
            write(offset_bytes, data)

        opened.write = watched_write  # type: ignore[method-assign]
        return opened
