"""Every operation of a job is left unanswered once, and answered when the stick was given up.

Then the verdict is `stalled`, told and entered once; whatever the stick answers afterwards, it does
not pass, and in the end it is unmountable, or was never written to.
"""

import shutil
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import pytest

from station.content.profile import ErasePolicy
from station.device.drive import Drive
from station.job.patience import Patience
from station.job.progress import Operation, Pending
from station.ledger.records import Tally
from station.verdict import FailReason, Outcome
from tests.faults.one_run import ZEROS, Station, TapedView
from tests.faults.sweep import every
from tests.job.workshop import HookedDrive, profile_of

ANSWERS_WITHIN_S = 60.0


class HangingDrive(HookedDrive):
    """Does not answer its n-th operation, counted from 1, until it is told to; 0 answers all."""

    def __init__(self, drive: Drive, nth: int) -> None:
        super().__init__(drive, self._hang)
        self.asked = 0
        self.hangs = Event()
        self.may_answer = Event()
        self._nth = nth

    def _hang(self, _kind: Operation, _offset_bytes: int) -> None:
        self.asked += 1
        if self.asked == self._nth:
            self.hangs.set()
            assert self.may_answer.wait(ANSWERS_WITHIN_S)


@dataclass(frozen=True, slots=True)
class PatienceWithOne(Patience):
    """Lost as soon as the one drive hangs: no case waits for a clock, and none depends on it."""

    drives: list[HangingDrive] = field(default_factory=list)

    def is_exhausted(self, pending: Pending, longest_operation_s: float, now_s: float) -> bool:
        del pending, longest_operation_s, now_s
        return any(drive.hangs.is_set() for drive in self.drives)


@dataclass(frozen=True, slots=True)
class Hung:
    """A run that has ended.

    Attributes:
        tally: its verdicts.
        drive: the stick that hung.
        view: who was told.
        sector_0: what stood there while the stick hung.
    """

    tally: Tally
    drive: HangingDrive
    view: TapedView
    sector_0: bytes


def hang(station: Station, nth: int) -> Hung:
    """Run a station whose one stick hangs, and let the stick answer after the run has ended."""
    drives: list[HangingDrive] = []
    view = TapedView()

    def wrap(drive: Drive) -> Drive:
        drives.append(HangingDrive(drive, nth))
        return drives[-1]

    tally = station.run("a", wrap=wrap, patience=PatienceWithOne(drives=drives), view=view)
    sector_0 = station.sector_0("a")
    drives[0].may_answer.set()
    for thread in threading.enumerate():
        if thread.name.startswith(("drive", "ahead")):
            thread.join(ANSWERS_WITHIN_S)
    return Hung(tally, drives[0], view, sector_0)


@pytest.mark.parametrize("policy", [ErasePolicy.QUICK, ErasePolicy.TWO_PASS])
def test_no_late_answer_of_any_operation_makes_a_pass(
    memory_folder: Path, policy: ErasePolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("station.supervisor.supervisor._POLL_S", 0.005)
    profile = profile_of(erase=policy)
    threads = threading.active_count()
    whole = Station(memory_folder / "whole", profile)
    whole.folder.mkdir()
    sound = hang(whole, 0)
    asked = sound.drive.asked
    assert sound.tally == Tally(passed=1)
    # The last ones, which seal, each; of the others a spread.
    moments = {*range(1, asked, every(4)), *range(asked - 4, asked + 1)}
    stages = Counter[str]()
    for nth in sorted(moments):
        station = Station(memory_folder / str(nth), profile)
        station.folder.mkdir()
        hung = hang(station, nth)
        what = f"no answer to operation {nth} of {asked} under {policy}"

        assert hung.drive.hangs.is_set(), what
        assert hung.tally == Tally(failed=1), what
        assert [event.verdict.reason for event in hung.view.ended] == [FailReason.STALLED], what
        (row,) = station.rows()
        assert row.end is not None, what
        assert (row.end.verdict.outcome, row.end.verdict.reason) == (
            Outcome.FAIL,
            FailReason.STALLED,
        ), what
        # Whoever pulls it now has a stick that can't be mounted, or one that was read back whole.
        was_written = row.end.written_bytes > 0
        assert hung.sector_0 == ZEROS or not was_written or "verify" in row.end.stage_s, what
        # Before its first write, a stick is still as its donor gave it.
        assert station.sector_0("a") == ZEROS or not was_written, what
        stages[list(row.end.stage_s)[-1] if row.end.stage_s else "probe"] += 1
        shutil.rmtree(station.folder)

    assert threading.active_count() == threads
    print(f"hang under {policy}: {len(moments)} cases, after the stages {dict(stages)}")  # noqa: T201 - the sweep's count
