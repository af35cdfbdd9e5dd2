"""A whole station for a measurement: a hub full of simulated sticks, ledger, dashboard and all."""

import os
import subprocess
import termios
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rich.console import Console

from scripts.benchmarks.content import PROFILE, book_of
from scripts.benchmarks.host import have_memory
from scripts.benchmarks.hub import PreparedHub, Stick
from scripts.benchmarks.usage import cpu_s, own_memory_bytes
from station.content.selection import SelectedFile
from station.dashboard.event import DriveInserted, JobEnded, StationEvent
from station.dashboard.live import LiveView
from station.dashboard.snapshot import StationSnapshot
from station.dashboard.views import Views
from station.ledger.ledger import Ledger
from station.supervisor.supervisor import RunName, Supervisor
from station.units import MIB
from station.verdict import Outcome

_COLUMNS, _LINES = 220, 60
# Several times what a job needs, as in `have_memory`.
_MEMORY_OF_JOB_BYTES = 64 * MIB


@dataclass(frozen=True, slots=True)
class TableRun:
    """How a run went.

    Attributes:
        stick_s: seconds from plug to verdict, by port.
        total_s: seconds from the first plug to the last verdict.
        cpu_s: processor time of the whole station.
        dashboard_cpu_s: processor time of the thread that draws.
        peak_memory_bytes: the most memory that was no file's.
    """

    stick_s: dict[str, float]
    total_s: float
    cpu_s: float
    dashboard_cpu_s: float
    peak_memory_bytes: int


def run_table(
    sticks: Sequence[Stick], files: Sequence[SelectedFile], images: Path, ledger: Path
) -> TableRun:
    """Load all sticks at once, with the dashboard on a terminal of 220 columns.

    Args:
        sticks: what is plugged in.
        files: what they are to hold.
        images: where their media are, or are made.
        ledger: where to keep the ledger.

    Raises:
        AssertionError: when a stick does not pass.
    """
    watch = _Watch()
    with (
        closing(PreparedHub(sticks, images)) as hub,
        closing(book_of(files)) as book,
        Ledger.open(str(ledger)) as book_of_verdicts,
        terminal() as console,
    ):
        have_memory(len(sticks) * _MEMORY_OF_JOB_BYTES)
        began_cpu_s = cpu_s()
        book_of_verdicts.begin_run(PROFILE.name, "")
        supervisor = Supervisor(
            RunName(PROFILE, ""),
            hub=hub,
            book=book,
            ledger=book_of_verdicts,
            view=Views([watch, _WatchedView(LiveView(console), watch)]),
        )
        supervisor.run()
    return TableRun(
        watch.stick_s,
        watch.total_s,
        cpu_s() - began_cpu_s,
        watch.dashboard_cpu_s,
        watch.peak_memory_bytes,
    )


class _Watch:
    """Looks on as a view does, and takes the times."""

    def __init__(self) -> None:
        self.stick_s: dict[str, float] = {}
        self.dashboard_cpu_s = 0.0
        self.peak_memory_bytes = 0
        self._plugged: dict[str, datetime] = {}
        self._last: datetime | None = None

    @property
    def total_s(self) -> float:
        """Seconds from the first plug to the last verdict."""
        if self._last is None:
            raise AssertionError("no stick got a verdict")
        return (self._last - min(self._plugged.values())).total_seconds()

    def start(self, sample: Callable[[], StationSnapshot]) -> None:
        """Nothing is drawn."""

    def tell(self, event: StationEvent) -> None:
        """Note when a stick came, and when it got its verdict."""
        match event:
            case DriveInserted():
                self._plugged[event.drive.port] = event.time
            case JobEnded():
                if event.verdict.outcome is not Outcome.PASS:
                    raise AssertionError(f"{event.port} did not pass: {event.verdict}")
                plugged = self._plugged[event.drive.port]
                self.stick_s[event.drive.port] = (event.time - plugged).total_seconds()
                self._last = event.time
            case _:
                pass

    def stop(self) -> None:
        """Nothing to give back."""


class _WatchedView:
    """The dashboard, whose thread tells how much processor time it has used by each frame."""

    def __init__(self, view: LiveView, watch: _Watch) -> None:
        self._view = view
        self._watch = watch
        self.tell = view.tell
        self.stop = view.stop

    def start(self, sample: Callable[[], StationSnapshot]) -> None:
        """Begin to draw."""

        def watched_sample() -> StationSnapshot:
            watch = self._watch
            watch.dashboard_cpu_s = time.thread_time()
            watch.peak_memory_bytes = max(watch.peak_memory_bytes, own_memory_bytes())
            return sample()

        self._view.start(watched_sample)


@contextmanager
def terminal() -> Iterator[Console]:
    """A terminal of its own; another process takes what is written to it, as a terminal would."""
    master, slave = os.openpty()
    termios.tcsetwinsize(slave, (_LINES, _COLUMNS))
    with subprocess.Popen(
        ["cat"], stdin=master, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as reader:
        os.close(master)
        with open(slave, "w", encoding="utf-8") as stream:  # noqa: PTH123 - a descriptor
            yield Console(
                file=stream, force_terminal=True, width=_COLUMNS, height=_LINES, color_system="256"
            )
        reader.terminate()
