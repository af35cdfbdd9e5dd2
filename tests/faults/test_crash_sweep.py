"""The station is killed, or loses power, at moments spread over a whole job.

At the next start the ledger opens, jobs under way have become interrupted, nothing that claims to
have passed is wrong, and the same stick can be loaded again.
"""

import multiprocessing
import os
import shutil
import signal
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from station.content.profile import ErasePolicy
from station.dashboard.event import JobEnded, RunEnded, StationEvent
from station.device.drive import Drive
from station.device.simulated import SimulatedDrive
from station.job.order import Order
from station.job.pipeline import make
from station.job.progress import Operation, Progress
from station.ledger.ledger import Ledger
from station.ledger.records import JobEnd, JobFilter
from station.verdict import PASSED, FailReason
from tests.faults.failing_database import (
    Calls,
    counted,
    is_whole,
    knows_of_seal,
    outcome_in_ledger,
)
from tests.faults.one_run import ZEROS, Station, TapedView
from tests.faults.power import CachedDrive, PowerCutError
from tests.faults.sweep import SEEDS, every, seeds
from tests.job.workshop import (
    DONOR_BYTE,
    IDENTITY,
    STICK_BYTES,
    HookedDrive,
    Workshop,
    profile_of,
)

fork = multiprocessing.get_context("fork")
# How many moments of a job are tried as a rule; in the long form each.
MOMENTS = 20
DONATED = bytes([DONOR_BYTE]) * 512


class Moments:
    """Counts what a process asks of its stick and of its ledger, and kills it at the n-th."""

    def __init__(self, nth: int = 0) -> None:
        self.count = 0
        self._nth = nth
        self._lock = threading.Lock()

    def __call__(self) -> None:
        with self._lock:
            self.count += 1
            if self.count == self._nth:
                os.kill(os.getpid(), signal.SIGKILL)


class KillingCalls(Calls):
    """Statements and commits of the ledger, each of which is a moment."""

    def __init__(self, moments: Moments) -> None:
        super().__init__()
        self._moments = moments

    def count(self, statement: str) -> None:
        self._moments()
        super().count(statement)


def hooked(moments: Moments) -> Callable[[Drive], Drive]:
    def before(_kind: Operation, _offset_bytes: int) -> None:
        moments()

    return lambda drive: HookedDrive(drive, before)


def work(station: Station, moments: Moments) -> None:
    """Be a station that loads one stick; each verdict that it tells is noted in a file."""

    def note(event: StationEvent) -> None:
        moments()
        if isinstance(event, JobEnded):
            (station.folder / "told").write_text(f"{event.job} {event.verdict.outcome}")

    with counted(KillingCalls(moments)):
        station.run("a", wrap=hooked(moments), view=TapedView(note))


def kill_at(station: Station, nth: int) -> bool:
    """Run a station in a process of its own that is killed at its n-th moment.

    Returns:
        Whether it was killed; the job had fewer moments otherwise.
    """
    child = fork.Process(target=work, args=(station, Moments(nth)))
    child.start()
    child.join()
    assert child.exitcode in (0, -signal.SIGKILL)
    return child.exitcode != 0


def judge(station: Station, what: str) -> str:
    """Start the station anew, and hold what it finds against the promises.

    Returns:
        What became of the stick.
    """
    running: set[int] = set()
    if station.ledger.exists():
        with Ledger.open(str(station.ledger)) as ledger:
            running = {row.job for row in ledger.jobs(JobFilter()) if row.end is None}
            closed = ledger.begin_run("next", "")
            rows = list(ledger.jobs(JobFilter()))
        assert closed == len(running), what
        assert is_whole(station.ledger), what
        for row in rows:
            assert row.end is not None, what
            if row.job in running:
                assert row.end.verdict.reason is FailReason.INTERRUPTED, what
    told = station.folder / "told"
    if told.exists() and told.read_text():
        job, outcome = told.read_text().split()
        assert outcome_in_ledger(station.ledger, int(job)) == outcome, f"lost: {what}"
    if not station.image("a").exists():
        return "never begun"
    sector_0 = station.sector_0("a")
    passes = [row for row in station.rows() if row.end and row.end.verdict == PASSED]
    if passes:
        assert station.bears_out(passes[0]), f"false pass: {what}"
        return "pass"
    if sector_0 == ZEROS:
        return "unsealed"
    if b"Holiday photos" in sector_0:
        return "untouched"
    # Killed between the seal and its pass: right, and the ledger knows that it may be mountable.
    assert all(knows_of_seal(station.ledger, job) for job in running), what
    assert running, what
    assert station.is_sealed_right("a"), what
    return "sealed"


@pytest.fixture(autouse=True)
def quick_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("station.supervisor.supervisor._POLL_S", 0.005)


def moments_of(folder: Path, policy: ErasePolicy) -> int:
    """How many moments a job has under a policy."""
    moments = Moments()
    folder.mkdir()
    work(Station(folder, profile_of(erase=policy)), moments)
    shutil.rmtree(folder)
    return moments.count


def spread(count: int) -> range:
    """Moments over a whole job; the last ones, between seal, row and telling, are all tried."""
    return range(1, count + 1, every(max(1, count // MOMENTS)))


@pytest.mark.parametrize("policy", list(ErasePolicy))
def test_a_station_that_is_killed_at_any_moment_leaves_nothing_wrong_behind(
    memory_folder: Path, policy: ErasePolicy
) -> None:
    count = moments_of(memory_folder / "whole", policy)
    fates = Counter[str]()
    last = range(count - 24, count + 1, every(3))
    for number, nth in enumerate(sorted({*spread(count), *last})):
        folder = memory_folder / str(nth)
        folder.mkdir()
        station = Station(folder, profile_of(erase=policy))
        was_killed = kill_at(station, nth)
        what = f"killed at moment {nth} of {count} under {policy}"
        fate = judge(station, what)
        fates[fate] += was_killed
        if number % every(3) == 0:
            require_loads_again(station, fate, what)
        shutil.rmtree(folder)

    assert fates["unsealed"] > 0
    assert fates["pass"] > 0
    assert fates["sealed"] > 0
    print(f"killed under {policy}: {fates.total()} cases, {dict(fates)}")  # noqa: T201 - the sweep's count


def require_loads_again(station: Station, fate: str, what: str) -> None:
    """The same stick, plugged in again, passes; one that had passed is still what it was."""
    image = station.image("a")
    if not image.exists():
        return
    left_over = image.rename(image.with_suffix(".left"))

    def put_back(drive: Drive) -> Drive:
        drive.close()
        left_over.rename(image)
        return SimulatedDrive(image, STICK_BYTES)

    tally = station.run("a", wrap=put_back)
    passes = [row for row in station.rows() if row.end and row.end.verdict == PASSED]

    assert tally.failed == 0, what
    assert tally.passed == 1 or fate == "pass", what
    assert station.bears_out(passes[-1]), what


@pytest.mark.parametrize("policy", list(ErasePolicy))
def test_a_stick_that_loses_power_with_its_cache_full_is_unmountable_or_right(
    memory_folder: Path, policy: ErasePolicy
) -> None:
    shop = Workshop(memory_folder)
    order = shop.order(profile_of(erase=policy))
    donated = DONATED * (STICK_BYTES // 512)
    shop.backing.write_bytes(donated)
    whole = load_until_dark(shop, order, 0, Random(0))
    right = shop.backing.read_bytes()
    fates = Counter[str]()
    for seed in seeds(1):
        chance = Random(seed)
        step = every(max(1, whole // MOMENTS))
        # The flush of the seal again and again: chance decides whether the seal got there alone.
        flush = whole - 1
        for nth in (*range(1, whole + 1, step), *range(whole - 4, whole + 1), *[flush] * 12):
            with shop.backing.open("r+b") as stick:
                stick.write(donated)
            load_until_dark(shop, order, nth, chance)
            what = f"power cut at operation {nth} of {whole}, seed {seed}, under {policy}"
            sector_0 = shop.sector_0()
            if sector_0 == right[:512]:
                held = shop.backing.read_bytes()
                assert all(
                    held[start:end] == right[start:end]
                    for start, end in order.volume.extents.spans(STICK_BYTES)
                ), f"mountable, and not right: {what}"
                fates["right"] += 1
            elif sector_0 == ZEROS:
                fates["unmountable"] += 1
            else:
                assert sector_0 == DONATED, what
                assert shop.backing.read_bytes() == donated, f"a donor's stick, and not: {what}"
                fates["untouched"] += 1
    for book in shop.books:
        book.close()

    assert fates["unmountable"] > 0
    assert fates["right"] > 0
    print(f"power cut under {policy}: {fates.total()} cases, {dict(fates)}")  # noqa: T201 - the sweep's count


def load_until_dark(shop: Workshop, order: Order, nth: int, chance: Random) -> int:
    """Load the stick until power is cut; returns how many operations were asked for."""
    with closing(SimulatedDrive(shop.backing, STICK_BYTES)) as flash:
        drive = CachedDrive(flash, nth, chance)
        try:
            assert make(order, IDENTITY, drive, Progress()) == PASSED
        except PowerCutError:
            assert nth > 0
        return drive.asked


def test_a_log_that_lost_what_was_never_flushed_keeps_every_verdict_that_was_told(
    memory_folder: Path, tmp_path: Path
) -> None:
    """Power is cut: of the log, what was written after a verdict was told may be anything."""
    station = Station(memory_folder)
    log = station.ledger.with_name("ledger.sqlite-wal")
    told: list[tuple[int, int, str]] = []

    def note(event: StationEvent) -> None:
        if isinstance(event, JobEnded):
            told.append((log.stat().st_size, event.job, event.verdict.outcome))
        if isinstance(event, RunEnded):
            # Before the ledger is closed, which folds the log into it.
            shutil.copy(station.ledger, tmp_path / "ledger.sqlite")
            shutil.copy(log, tmp_path / "log")

    station.run("a", "b", "c", view=TapedView(note))
    whole = (tmp_path / "log").read_bytes()
    story = {row.job: row.end for row in station.rows()}
    tails = (b"", bytes(8192), Random(4).randbytes(8192))
    lengths_bytes = sorted(
        {*range(0, len(whole) + 1, 61 if SEEDS else 1009), *(at for at, _, _ in told)}
    )
    for length_bytes in lengths_bytes:
        for tail in tails:
            torn = tmp_path / "torn.sqlite"
            shutil.copy(tmp_path / "ledger.sqlite", torn)
            torn.with_name("torn.sqlite-wal").write_bytes(whole[:length_bytes] + tail)
            torn.with_name("torn.sqlite-shm").unlink(missing_ok=True)
            what = f"cut at byte {length_bytes} of {len(whole)}, {len(tail)} bytes of waste"
            assert is_whole(torn), what
            ends = ends_in(torn)
            for at_bytes, job, outcome in told:
                if at_bytes <= length_bytes:
                    assert ends[job] is not None, f"lost {outcome} of job {job}: {what}"
            assert all(end in (None, story[job]) for job, end in ends.items()), f"invented: {what}"

    assert len(told) == 3
    print(f"torn log: {len(lengths_bytes) * len(tails)} cases")  # noqa: T201 - the sweep's count


def ends_in(ledger: Path) -> dict[int, JobEnd | None]:
    with Ledger.open(str(ledger)) as opened:
        return {row.job: row.end for row in opened.jobs(JobFilter())}
