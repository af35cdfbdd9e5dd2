"""Every statement and commit of the ledger is made to fail once, in every way that a disk can.

After each: no pass was told that does not stand in the ledger, no pass stands there that its stick
does not bear out bit by bit, a stick is mountable only when the ledger knows that it was read back
and it is right, the run ended with the station's own fault, and
the next start finds a whole ledger and closes what was left open.
"""

import os
import shutil
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from station.dashboard.event import JobEnded, StationEvent
from station.errors import StationError, StationFaultError
from station.ledger.ledger import Ledger
from station.ledger.process import this_process
from station.ledger.records import JobFilter
from station.verdict import FailReason, Outcome
from tests.faults.failing_database import (
    Calls,
    DatabaseError,
    FlushErrors,
    counted,
    is_whole,
    knows_of_seal,
    outcome_in_ledger,
)
from tests.faults.one_run import ZEROS, Station, TapedView
from tests.faults.sweep import every

PORTS = ("a", "b")


@pytest.fixture(autouse=True)
def quick_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let runs end as soon as their work is done: hundreds are made."""
    monkeypatch.setattr("station.supervisor.supervisor._POLL_S", 0.005)


def as_a_station_that_died(run: Callable[[], object]) -> StationError | None:
    """Run under the identity of a process of an earlier boot: at the next start it is dead."""
    dead = replace(this_process(), boot_id="an earlier boot")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("station.ledger.ledger.this_process", lambda: dead)
        try:
            run()
        except StationError as error:
            return error
    return None


class Case:
    """One run whose ledger fails, and what is left of it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.station = Station(folder)
        self.untold: list[JobEnded] = []
        self.view = TapedView(self._look)
        self.fault: StationError | None = None

    def run(self) -> None:
        self.fault = as_a_station_that_died(lambda: self.station.run(*PORTS, view=self.view))

    def _look(self, event: StationEvent) -> None:
        if isinstance(event, JobEnded):
            found = outcome_in_ledger(self.station.ledger, event.job)
            if found != event.verdict.outcome:
                self.untold.append(event)

    def judge(self, what: str) -> Counter[str]:
        """Hold every promise against what is there, and count what became of the sticks."""
        assert not self.untold, f"told before it was durable: {what}"
        jobs = [event.job for event in self.view.ended]
        assert len(jobs) == len(set(jobs)), f"told twice: {what}"
        self._close_orphans(what)
        rows = {row.start.drive.port: row for row in self.station.rows()}
        fates: Counter[str] = Counter()
        for port in PORTS:
            if not self.station.image(port).exists():
                fates["never begun"] += 1
                continue
            sector_0, row = self.station.sector_0(port), rows.get(port)
            assert row is None or row.end is not None, what
            if row is not None and row.end is not None and row.end.verdict.outcome is Outcome.PASS:
                assert self.station.bears_out(row), f"false pass: {what}"
                fates["pass"] += 1
            elif sector_0 == ZEROS:
                assert row is not None, f"written to without a job: {what}"
                fates["unsealed"] += 1
            elif b"Holiday photos" in sector_0:
                # The donor's own: the drive was not written to.
                assert row is None or row.end is None or row.end.written_bytes == 0, what
                fates["untouched"] += 1
            else:
                assert row is not None, f"mountable without a job: {what}"
                assert knows_of_seal(self.station.ledger, row.job), f"sealed in secret: {what}"
                assert self.station.is_sealed_right(port), f"mountable, and not right: {what}"
                fates["sealed"] += 1
        return fates

    def _close_orphans(self, what: str) -> None:
        """The next start of the station."""
        with Ledger.open(str(self.station.ledger)) as ledger:
            running = {row.job for row in ledger.jobs(JobFilter()) if row.end is None}
            closed = ledger.begin_run("next", "")
            rows = list(ledger.jobs(JobFilter()))
        assert closed == len(running), what
        for row in rows:
            assert row.end is not None, what
            if row.job in running:
                assert row.end.verdict.reason is FailReason.INTERRUPTED, what
        assert is_whole(self.station.ledger), what


def no_thread_is_left(before: int) -> bool:
    for thread in threading.enumerate():
        if thread.name.startswith(("drive", "ahead")):
            thread.join(timeout=20)
    return threading.active_count() <= before


@pytest.mark.parametrize("lasts", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("error", list(DatabaseError))
def test_no_failure_of_any_statement_leads_to_a_pass_that_does_not_stand_in_the_ledger(
    memory_folder: Path, error: DatabaseError, *, lasts: bool
) -> None:
    threads = threading.active_count()
    cases, fates = 0, Counter[str]()
    # Each combination takes its turn, so that all calls are struck by one or the other.
    first = 1 + (list(DatabaseError).index(error) * 2 + lasts) % every(3)
    for nth in range(first, 10_000, every(3)):
        calls = Calls(nth, error, lasts=lasts)
        case = Case(memory_folder / str(nth))
        with counted(calls):
            case.run()
        if not calls.has_struck:
            break
        what = f"{error.name} of call {nth}, {calls.made[nth - 1]!r}"

        assert isinstance(case.fault, StationFaultError), what
        fates += case.judge(what)
        cases += 1
        shutil.rmtree(case.station.folder)

    assert no_thread_is_left(threads)
    assert cases > 0
    # Whether the pass stands is certain as soon as the ledger can be written to again.
    assert lasts or "sealed" not in fates
    print(f"ledger {error.name} {'lasting' if lasts else 'once'}: {cases} cases, {dict(fates)}")  # noqa: T201 - the sweep's count


@pytest.mark.parametrize(("found", "expected"), [(0, "pass"), (1, "sealed")])
def test_no_commit_that_failed_and_is_found_later_says_too_much(
    memory_folder: Path, found: int, expected: str
) -> None:
    """The disk takes what commits write, tells that it failed, and is cut from power."""
    fates = Counter[str]()
    for nth in range(1, 1000):
        case = Case(memory_folder / str(nth))
        calls = FlushErrors(nth, found, case.station.ledger)
        with counted(calls):
            case.run()
        if not calls.has_struck:
            break
        if calls.is_any_found:
            calls.cut_power()
            fates += case.judge(f"commit {nth + found} is found, of those that fail from {nth} on")
        shutil.rmtree(case.station.folder)

    assert fates[expected] > 0
    print(f"flush fails, commit {found + 1} is found: {fates.total()} sticks, {dict(fates)}")  # noqa: T201 - the sweep's count


def test_a_run_of_which_nothing_fails_passes(memory_folder: Path) -> None:
    calls = Calls()
    case = Case(memory_folder / "sound")
    with counted(calls):
        case.run()

    assert case.fault is None
    assert case.judge("sound") == {"pass": len(PORTS)}
    assert "COMMIT" in calls.made


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Makes disks of so many KiB that are really full at some time; for root alone."""
    mounted: list[Path] = []

    def mount(size_kib: int) -> Path:
        folder = tmp_path / f"disk-{size_kib}"
        folder.mkdir()
        options = f"size={size_kib}k"
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True, timeout=30
        )
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", str(folder)], check=True, timeout=30)


@pytest.mark.skipif(os.geteuid() != 0 and "CI" not in os.environ, reason="mounts a tmpfs: root")
def test_a_disk_that_is_full_at_any_moment_leads_to_no_pass_that_does_not_stand_in_the_ledger(
    memory_folder: Path, small_disk: Callable[[int], Path]
) -> None:
    fates = Counter[str]()
    faults = 0
    # From a disk on which not even the tables have room to one on which a run just fits.
    sizes_kib = range(16, 212, 4 * every(4))
    for size_kib in sizes_kib:
        case = Case(memory_folder / str(size_kib))
        disk = small_disk(size_kib)
        case.station.ledger.symlink_to(disk / "ledger.sqlite")
        case.run()
        # The next start finds room again.
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True, timeout=30)
        fates += case.judge(f"a disk of {size_kib} KiB")
        faults += case.fault is not None
        shutil.rmtree(case.station.folder)

    assert fates["pass"] > 0
    assert faults > 2
    print(f"full disk: {len(sizes_kib)} cases, {faults} faults, {dict(fates)}")  # noqa: T201 - the sweep's count
