"""Each way in which a stick goes wrong ends in the reason that the ledger has for it."""

import errno
import os
from contextlib import closing
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from station.content.profile import ErasePolicy, ReadBack
from station.device.fault import (
    READS,
    WRITES,
    Beyond,
    CorruptReads,
    CorruptWrites,
    Fault,
    Limbo,
    LostWrites,
    ReadError,
    Vanish,
    Wraparound,
    WriteError,
)
from station.job.chunk import CHUNK_BYTES
from station.job.pipeline import withdraw
from station.job.progress import Operation, Progress
from station.job.state import Stage, State
from station.units import MIB
from station.verdict import PASSED, FailReason, Outcome, failed
from tests.job.workshop import (
    IDENTITY,
    REMOVAL_ERRNOS,
    STICK_BYTES,
    FailingDrive,
    Workshop,
    profile_of,
    run,
)

SECTOR = 512
MIDDLE = 9 * CHUNK_BYTES // 2
NEAR_END = STICK_BYTES - MIB - 100
ONE_BYTE = (NEAR_END, NEAR_END + 1)

FAULTS = [
    (Vanish(MIDDLE, operations=WRITES), {FailReason.REMOVED}),
    (Vanish(MIDDLE, operations=READS), {FailReason.REMOVED}),
    (WriteError(MIDDLE), {FailReason.IO_ERROR}),
    (ReadError(MIDDLE), {FailReason.IO_ERROR}),
    (CorruptWrites(*ONE_BYTE), {FailReason.VERIFY_MISMATCH}),
    (CorruptReads(*ONE_BYTE), {FailReason.VERIFY_MISMATCH}),
    (CorruptWrites(MIDDLE, MIDDLE + 1), {FailReason.VERIFY_MISMATCH}),
    (LostWrites(MIDDLE, MIDDLE + MIB), {FailReason.VERIFY_MISMATCH}),
    (LostWrites(), {FailReason.WRITE_PROTECTED}),
    (Wraparound(16 * MIB), {FailReason.FAKE_CAPACITY, FailReason.VERIFY_MISMATCH}),
    *(
        # Below the end of the content: free space of a drive that lacks it reads as zeros do, and
        # only the probe can tell.
        (Limbo(8 * MIB, reads), {FailReason.FAKE_CAPACITY, FailReason.VERIFY_MISMATCH})
        for reads in Beyond
    ),
]


@pytest.mark.parametrize("probes", [True, False], ids=["probed", "not-probed"])
@pytest.mark.parametrize(("fault", "reasons"), FAULTS, ids=str)
def test_each_fault_has_its_reason_and_leaves_nothing_mountable(
    workshop: Workshop, fault: Fault, reasons: set[FailReason], *, probes: bool
) -> None:
    workshop.donated()
    order = workshop.order(profile_of(probes=probes))
    with closing(workshop.stick(fault)) as drive:
        made = run(order, drive)

    assert made.verdict.outcome is Outcome.FAIL
    assert made.verdict.reason in reasons, made.verdict
    assert made.verdict.detail
    assert made.progress.state is State.FAILED
    if fault != LostWrites():
        assert workshop.sector_0() == bytes(SECTOR)


def test_a_stick_that_still_bears_a_volume_and_takes_no_writes_is_write_protected(
    workshop: Workshop,
) -> None:
    order = workshop.order()
    with closing(workshop.stick()) as drive:
        assert run(order, drive).verdict == PASSED
    sealed = workshop.sector_0()
    with closing(workshop.stick(LostWrites())) as drive:
        made = run(order, drive)

    assert made.verdict.reason is FailReason.WRITE_PROTECTED
    assert workshop.sector_0() == sealed
    assert not {Stage.LOAD, Stage.VERIFY, Stage.SEAL} & set(made.stages)


@pytest.mark.parametrize("erase", ErasePolicy)
def test_what_wraps_round_onto_sector_0_is_taken_off_again(
    workshop: Workshop, erase: ErasePolicy
) -> None:
    contents = {"film.mp4": Random(7).randbytes(20 * MIB)}
    order = workshop.order(profile_of(erase, probes=False), contents=contents)
    # So large that a part of the film, and nothing after it, lands on sector 0.
    with closing(workshop.stick(Wraparound(19 * MIB))) as drive:
        made = run(order, drive)

    assert made.verdict.reason is FailReason.VERIFY_MISMATCH
    assert workshop.sector_0() == bytes(SECTOR)


@pytest.mark.parametrize("number", REMOVAL_ERRNOS, ids=os.strerror)
@pytest.mark.parametrize("kind", [Operation.WRITE, Operation.READ, Operation.FLUSH], ids=str)
def test_whatever_the_kernel_says_of_a_stick_that_left_it_was_removed(
    workshop: Workshop, kind: Operation, number: int
) -> None:
    order = workshop.order()
    with closing(workshop.stick()) as stick:
        made = run(order, FailingDrive(stick, kind, number))

    assert made.verdict.reason is FailReason.REMOVED


def test_a_stick_that_locks_itself_under_way_is_write_protected(workshop: Workshop) -> None:
    order = workshop.order()
    with closing(workshop.stick()) as stick:
        made = run(order, FailingDrive(stick, Operation.WRITE, errno.EROFS))

    assert made.verdict.reason is FailReason.WRITE_PROTECTED


@pytest.mark.parametrize(
    ("fault", "what"), [(WriteError(MIDDLE), "write of "), (ReadError(MIDDLE), "read of ")]
)
def test_an_io_error_says_what_failed_and_where(
    workshop: Workshop, fault: Fault, what: str
) -> None:
    order = workshop.order(profile_of(probes=False))
    with closing(workshop.stick(fault)) as drive:
        made = run(order, drive)

    assert made.verdict.reason is FailReason.IO_ERROR
    assert what in made.verdict.detail
    assert f"at byte {MIDDLE // CHUNK_BYTES * CHUNK_BYTES}" in made.verdict.detail


def test_a_mismatch_says_where_and_in_which_file(workshop: Workshop) -> None:
    order = workshop.order(profile_of(probes=False))
    extents = {order.source.files[e.ref].path: e for e in order.volume.extents if e.kind == 2}
    large = extents["films/one chunk.mp4"]
    with closing(
        workshop.stick(CorruptWrites(large.start_bytes + 9, large.start_bytes + 10))
    ) as drive:
        made = run(order, drive)

    assert made.verdict == failed(
        FailReason.VERIFY_MISMATCH,
        f"a file's content differs at byte {large.start_bytes}: films/one chunk.mp4",
    )


@pytest.mark.parametrize("stage", Stage)
def test_a_job_can_be_stopped_in_every_stage_and_leaves_no_seal(
    workshop: Workshop, stage: Stage
) -> None:
    workshop.donated()
    order = workshop.order(profile_of(ErasePolicy.TWO_PASS))

    def stop(progress: Progress, kind: Operation, offset_bytes: int) -> None:
        # In the middle of a stage; in the seal, after it was written.
        del offset_bytes
        if progress.state.stage is stage and kind is not Operation.WRITE:
            progress.cancel(FailReason.INTERRUPTED, "stopped by the operator")

    with closing(workshop.stick()) as drive:
        made = run(order, drive, on_operation=stop)

    assert made.verdict == failed(FailReason.INTERRUPTED, "stopped by the operator")
    assert made.stages[-1] is stage
    assert workshop.sector_0() == bytes(SECTOR)


def test_a_seal_that_reads_back_changed_is_no_pass(workshop: Workshop) -> None:
    order = workshop.order()
    # On zeros the loss of a zero does not show: only the seal is found not to be there.
    with closing(workshop.stick(LostWrites(0, SECTOR))) as drive:
        made = run(order, drive)

    assert made.stages[-1] is Stage.SEAL
    assert made.verdict == failed(FailReason.VERIFY_MISMATCH, "sector 0 reads back changed")
    assert workshop.sector_0() == bytes(SECTOR)


def test_a_seal_that_could_not_be_flushed_is_taken_off_again(workshop: Workshop) -> None:
    order = workshop.order()

    def fail(_progress: Progress, kind: Operation, _offset_bytes: int) -> None:
        if kind is Operation.FLUSH and any(workshop.sector_0()):
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    with closing(workshop.stick()) as drive:
        made = run(order, drive, on_operation=fail)

    assert made.stages[-1] is Stage.SEAL
    assert made.verdict.reason is FailReason.IO_ERROR
    assert workshop.sector_0() == bytes(SECTOR)


def test_a_pass_that_can_not_be_recorded_is_withdrawn(workshop: Workshop) -> None:
    order = workshop.order()
    with closing(workshop.stick()) as drive:
        assert run(order, drive).verdict == PASSED
        assert workshop.sector_0() == order.volume.image(IDENTITY).seal

        assert withdraw(drive, PASSED) == PASSED
    assert workshop.sector_0() == bytes(SECTOR)


def test_a_verdict_tells_of_a_seal_that_could_not_be_taken_off(workshop: Workshop) -> None:
    order = workshop.order()
    with closing(workshop.stick()) as drive:
        assert run(order, drive).verdict == PASSED
        drive.pull()
        told = withdraw(drive, failed(FailReason.STALLED, "no answer"))

    assert told.reason is FailReason.STALLED
    assert told.detail.startswith("no answer; sector 0 could not be cleared: ")


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(offset_bytes=st.integers(SECTOR, STICK_BYTES - 1))
def test_a_bit_that_flips_anywhere_on_its_way_to_the_flash_is_found(
    shared_workshop: Workshop, offset_bytes: int
) -> None:
    order = shared_workshop.order(profile_of(probes=False))
    with closing(shared_workshop.stick(CorruptWrites(offset_bytes, offset_bytes + 1))) as drive:
        made = run(order, drive)

    assert made.verdict.reason is FailReason.VERIFY_MISMATCH
    assert shared_workshop.sector_0() == bytes(SECTOR)


@pytest.mark.parametrize("at_bytes", ["first", "last"])
def test_reading_samples_back_finds_what_is_wrong_in_a_sampled_sector(
    workshop: Workshop, at_bytes: str
) -> None:
    # The first and the last sector of the erased part are in every sample.
    order = workshop.order(profile_of(read_back=ReadBack.SAMPLE, probes=False))
    at = order.volume.content_end_bytes if at_bytes == "first" else STICK_BYTES - 1
    with closing(workshop.stick(CorruptWrites(at, at + 1))) as drive:
        made = run(order, drive)

    assert made.verdict == failed(FailReason.VERIFY_MISMATCH, f"not erased to 0x00 at byte {at}")


def test_reading_samples_back_still_reads_all_content_and_metadata(workshop: Workshop) -> None:
    order = workshop.order(profile_of(read_back=ReadBack.SAMPLE), capacity_bytes=64 * MIB)
    read: list[int] = []

    def look(progress: Progress, kind: Operation, offset_bytes: int) -> None:
        if progress.state.stage is Stage.VERIFY and kind is Operation.READ:
            read.append(offset_bytes)

    with closing(workshop.stick(capacity_bytes=64 * MIB)) as drive:
        made = run(order, drive, on_operation=look)

    assert made.verdict == PASSED
    content_end = order.volume.content_end_bytes
    whole = [offset for offset in read if offset < content_end]
    assert whole == list(range(0, content_end, CHUNK_BYTES))
    # Nine tenths of what was only erased are passed over, as was announced.
    assert made.progress.stage_s.keys() >= {Stage.VERIFY}
    assert len(read) > 1000
    announced = order.stage_bytes[Stage.VERIFY]
    assert announced == 64 * MIB - (64 * MIB - content_end) * 9 // 10
