"""Every operation of a job is made to fail once, in every way that it can.

The sweep holds the promises of the pipeline for each case: no pass that the drive does not bear out
bit by bit, sector 0 zero unless the drive is right, one verdict with a fitting reason, no thread
left behind.
"""

import threading
from collections import Counter

import numpy as np
import pytest

from station.content.profile import ErasePolicy
from station.device.simulated import SimulatedDrive
from station.job.chunk import CHUNK_BYTES
from station.job.order import Order
from station.job.pipeline import make
from station.job.progress import Operation, Progress
from station.verdict import FailReason, Outcome, Verdict
from tests.faults.failing_drive import APPLIES_TO, FailingDrive, Failure
from tests.job.workshop import (
    DONOR_BYTE,
    IDENTITY,
    STICK_BYTES,
    Workshop,
    profile_of,
)

SECTOR_BYTES = 512

# Which reasons fit. What is silently wrong shows at the next look: at the stamps of the probe, at
# sector 0, or at the latest when all is read back.
_NOTICED = {FailReason.VERIFY_MISMATCH, FailReason.WRITE_PROTECTED, FailReason.FAKE_CAPACITY}
FITTING = {
    Failure.ERROR: {FailReason.IO_ERROR},
    Failure.ERROR_ONCE: {FailReason.IO_ERROR},  # of a flush, which is never tried twice
    # fsync says EIO of a stick that left; the supervisor, who sees it leave, makes it `removed`.
    Failure.VANISH: {FailReason.REMOVED, FailReason.IO_ERROR},
    Failure.LOCK: {FailReason.WRITE_PROTECTED},
    Failure.SHORT_WRITE: set[FailReason](),
    Failure.TORN_WRITE: _NOTICED,
    Failure.LOST_WRITE: _NOTICED,
    Failure.FLIPPED_WRITE: _NOTICED,
    Failure.FLIPPED_READ: _NOTICED,
    Failure.STALE_READ: _NOTICED,
}


class Bench:
    """One order under one policy, and a stick that is full of a donor's data before each case."""

    def __init__(self, workshop: Workshop, policy: ErasePolicy) -> None:
        self.order: Order = workshop.order(profile_of(erase=policy))
        self._path = workshop.backing
        self._donated = bytes([DONOR_BYTE]) * STICK_BYTES
        self._path.write_bytes(self._donated)
        _, _, verdict = self.run(None, 0)
        assert verdict.outcome is Outcome.PASS
        self._right = np.fromfile(self._path, np.uint8)

    def run(self, failure: Failure | None, nth: int) -> tuple[FailingDrive, Progress, Verdict]:
        """Load a stick that goes wrong at its n-th operation."""
        with self._path.open("r+b") as stick:
            stick.write(self._donated)
        drive = FailingDrive(SimulatedDrive(self._path, STICK_BYTES), failure, nth)
        progress = Progress()
        try:
            return drive, progress, make(self.order, IDENTITY, drive, progress)
        finally:
            drive.close()

    def is_right(self) -> bool:
        """Whether the stick holds what it should, but for what is to be left as it is."""
        held = np.memmap(self._path, np.uint8, mode="r")
        return all(
            np.array_equal(held[start:end], self._right[start:end])
            for start, end in self.order.volume.extents.spans(CHUNK_BYTES)
        )

    def is_sealed(self) -> bool:
        """Whether sector 0 is what makes the stick mountable."""
        return self._sector_0() == self._right[:SECTOR_BYTES].tobytes()

    def is_unmountable(self) -> bool:
        """Whether sector 0 is zero."""
        return self._sector_0() == bytes(SECTOR_BYTES)

    def _sector_0(self) -> bytes:
        with self._path.open("rb") as stick:
            return stick.read(SECTOR_BYTES)


@pytest.mark.parametrize("policy", list(ErasePolicy))
@pytest.mark.parametrize("failure", list(Failure))
def test_no_failure_of_any_operation_leads_to_a_false_pass(
    failure: Failure,
    policy: ErasePolicy,
    workshop: Workshop,
) -> None:
    bench = Bench(workshop, policy)
    asked = bench.run(None, 0)[0].asked
    threads = threading.active_count()
    outcomes: Counter[str] = Counter()
    for nth, operation in enumerate(asked, start=1):
        if operation not in APPLIES_TO[failure]:
            continue
        drive, progress, verdict = bench.run(failure, nth)
        case = f"{failure.name} of operation {nth}, a {operation}, under {policy}: {verdict}"

        assert_unmountable_unless_right(bench, drive, case)
        if verdict.outcome is Outcome.PASS:
            assert bench.is_right(), f"false pass: {case}"
        else:
            assert verdict.reason in FITTING[failure], case
        if failure in (Failure.ERROR_ONCE, Failure.SHORT_WRITE) and operation in (
            Operation.READ,
            Operation.WRITE,
        ):
            assert (verdict.outcome, progress.retries) == (Outcome.PASS, 1), case
        if failure in (Failure.ERROR, Failure.FLIPPED_READ):
            assert verdict.outcome is Outcome.FAIL, case
        outcomes[str(verdict.reason or verdict.outcome)] += 1

    assert threading.active_count() == threads
    assert sum(outcomes.values()) > 0
    print(f"{policy} {failure.name}: {sum(outcomes.values())} cases, {dict(outcomes)}")  # noqa: T201 - the sweep's count


def assert_unmountable_unless_right(bench: Bench, drive: FailingDrive, case: str) -> None:
    """Sector 0 is zero, or the drive is right, or it no longer let itself be written to."""
    if bench.is_unmountable() or bench.is_right():
        return
    assert not drive.takes_writes_to_sector_0, f"mountable, and not right: {case}"
    assert not bench.is_sealed(), f"sealed, and not right: {case}"
