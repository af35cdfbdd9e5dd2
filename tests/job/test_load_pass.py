"""What a load leaves on a drive: every byte accounted for, each written as often as promised."""

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from station.content.profile import ErasePolicy, ReadBack
from station.device.direct import DirectDrive
from station.device.simulated import SimulatedDrive
from station.image.geometry import Layout
from station.job.chunk import CHUNK_BYTES
from station.job.order import Order
from station.job.progress import Operation, Progress
from station.job.state import Stage
from station.supervisor.workers import method_in_words
from station.units import MIB
from station.verdict import PASSED, FailReason
from tests.image.fat_reader import FatVolume
from tests.job.workshop import (
    CONTENT,
    DONOR_BYTE,
    IDENTITY,
    STICK_BYTES,
    Workshop,
    fill_with_donors_data,
    profile_of,
    run,
    times_written,
)

SECTOR = 512
LARGE_BYTES = 512 * 10**6


def read_at(path: Path) -> Callable[[int, int], bytes]:
    medium = np.memmap(path, dtype=np.uint8, mode="r")

    def read(offset_bytes: int, length_bytes: int) -> bytes:
        return medium[offset_bytes : offset_bytes + length_bytes].tobytes()

    return read


def require_files(path: Path, order: Order) -> FatVolume:
    """A reader that shares nothing with the station finds exactly the listed files."""
    volume = FatVolume(read_at(path), order.volume.geometry.partition_bytes)
    files = {node.path: node for node in volume.walk() if not node.is_folder}

    assert {name: volume.read(node) for name, node in files.items()} == CONTENT
    assert not any(any(volume.slack(node)) for node in files.values())
    return volume


def test_every_byte_of_a_512_mb_image_full_of_a_donors_data_is_accounted_for(
    workshop: Workshop,
) -> None:
    fill_with_donors_data(workshop.backing, LARGE_BYTES)
    order = workshop.order(capacity_bytes=LARGE_BYTES)
    with closing(DirectDrive.open_image(workshop.backing)) as drive:
        made = run(order, drive)

    assert made.verdict == PASSED
    volume = require_files(workshop.backing, order)
    geometry = order.volume.geometry
    medium = np.memmap(workshop.backing, dtype=np.uint8, mode="r")
    # Beyond the clusters that the foreign reader could reach there are zeros, and before the data
    # area there is what the image's metadata renders.
    used = int(np.flatnonzero(volume.claimed)[-1]) + 1
    assert not medium[geometry.cluster_offset_bytes(used) :].any()
    assert volume.claimed[2:used].all()
    head = np.fromfile(
        _expected_image(workshop, order), np.uint8, geometry.cluster_offset_bytes(used)
    )
    assert np.array_equal(medium[: len(head)], head)
    # A cluster's number may hold the byte, never four of them.
    assert bytes([DONOR_BYTE]) * 4 not in head[: geometry.data_offset_bytes].tobytes()


def _expected_image(workshop: Workshop, order: Order) -> Path:
    workshop.expected(order)
    return workshop.folder / "expected.img"


@pytest.mark.parametrize("layout", Layout)
@pytest.mark.parametrize("erase", [ErasePolicy.OVERWRITE, ErasePolicy.TWO_PASS])
def test_of_the_donors_data_nothing_is_left_and_no_byte_is_anything_but_the_image(
    workshop: Workshop, layout: Layout, erase: ErasePolicy
) -> None:
    workshop.donated()
    order = workshop.order(profile_of(erase, layout=layout))
    with closing(workshop.stick()) as drive:
        made = run(order, drive)

    assert made.verdict == PASSED
    assert workshop.backing.read_bytes() == workshop.expected(order)
    require_files(workshop.backing, order)


@pytest.mark.parametrize(
    ("erase", "times"), [(ErasePolicy.OVERWRITE, 1), (ErasePolicy.TWO_PASS, 3)]
)
def test_the_drive_sees_each_byte_as_often_as_the_policy_says_sector_0_apart(
    workshop: Workshop, erase: ErasePolicy, times: int
) -> None:
    order = workshop.order(profile_of(erase))
    with closing(workshop.stick()) as drive:
        made = run(order, drive)

    assert made.verdict == PASSED
    assert times_written(made.writes, SECTOR, STICK_BYTES) == {times}
    others = [write for write in made.writes if write.length_bytes != SECTOR]
    assert {write.offset_bytes % CHUNK_BYTES for write in others} == {0}
    # All are of full length but the last one of each pass.
    assert {write.length_bytes for write in others if write.offset_bytes < 36 * MIB} == {
        CHUNK_BYTES
    }
    small = [write for write in made.writes if write.length_bytes == SECTOR]
    assert {write.offset_bytes for write in small} == {0}


def test_two_passes_leave_a_pattern_and_its_complement_before_the_image(
    workshop: Workshop,
) -> None:
    workshop.donated()
    order = workshop.order(profile_of(ErasePolicy.TWO_PASS))
    seen: list[set[int]] = []

    def look(_progress: Progress, kind: Operation, offset_bytes: int) -> None:
        # The beginning of each pass: what the pass before left everywhere but in sector 0.
        if kind is Operation.WRITE and offset_bytes == CHUNK_BYTES:
            seen.append(set(workshop.backing.read_bytes()[CHUNK_BYTES:]))

    with closing(workshop.stick()) as drive:
        made = run(order, drive, on_operation=look)

    assert made.stages[-4:] == [Stage.WIPE, Stage.LOAD, Stage.VERIFY, Stage.SEAL]
    assert DONOR_BYTE in seen[0]
    (pattern,), (complement,) = seen[1:]
    assert pattern ^ complement == 0xFF


def test_quick_writes_content_and_both_ends_and_the_ledger_says_not_erased(
    workshop: Workshop,
) -> None:
    workshop.donated()
    order = workshop.order(profile_of(ErasePolicy.QUICK, probes=False))
    with closing(workshop.stick()) as drive:
        made = run(order, drive)

    assert made.verdict == PASSED
    require_files(workshop.backing, order)
    medium = workshop.backing.read_bytes()
    kept = range(order.volume.content_end_bytes, STICK_BYTES - MIB)
    assert medium[kept.start : kept.stop] == bytes([DONOR_BYTE]) * len(kept)
    assert kept.start >= MIB
    assert bytes([DONOR_BYTE]) * 4 not in medium[: order.volume.geometry.data_offset_bytes]
    assert not any(medium[kept.stop :])
    assert times_written(made.writes, SECTOR, kept.start) == {1}
    assert times_written(made.writes, kept.start, kept.stop) == {0}
    assert times_written(made.writes, kept.stop, STICK_BYTES) == {1}
    assert made.progress.read_bytes <= STICK_BYTES
    assert method_in_words(order.erase, order.read_back) == "not erased"


@pytest.mark.parametrize(
    ("erase", "read_back", "words"),
    [
        (ErasePolicy.OVERWRITE, ReadBack.FULL, "overwritten once; read back in full"),
        (ErasePolicy.OVERWRITE, ReadBack.SAMPLE, "overwritten once; read back in samples"),
        (
            ErasePolicy.TWO_PASS,
            ReadBack.FULL,
            "overwritten with 0x55 and 0xaa, then once more; read back in full",
        ),
    ],
)
def test_the_ledger_names_the_method_and_no_seal_of_approval(
    erase: ErasePolicy, read_back: ReadBack, words: str
) -> None:
    assert method_in_words(erase, read_back) == words


@pytest.mark.parametrize("erase", ErasePolicy)
def test_sector_0_is_zero_at_every_moment_between_its_clearing_and_the_seal(
    workshop: Workshop, erase: ErasePolicy
) -> None:
    workshop.donated()
    order = workshop.order(profile_of(erase))
    unsealed: list[bytes] = []
    operations: list[tuple[Operation, int]] = []

    def look(progress: Progress, kind: Operation, offset_bytes: int) -> None:
        operations.append((kind, offset_bytes))
        if len(operations) > 1 and progress.state.stage is not Stage.SEAL:
            unsealed.append(workshop.sector_0())

    with closing(workshop.stick()) as drive:
        made = run(order, drive, on_operation=look)

    assert made.verdict == PASSED
    # Cleared, emptied out of the cache and looked at before any other byte is touched.
    assert operations[:3] == [(Operation.WRITE, 0), (Operation.FLUSH, 0), (Operation.READ, 0)]
    assert set(unsealed) == {bytes(SECTOR)}
    # And the other way round at the end.
    assert operations[-3:] == [(Operation.WRITE, 0), (Operation.FLUSH, 0), (Operation.READ, 0)]
    assert workshop.sector_0() == order.volume.image(IDENTITY).seal


def test_the_verification_begins_after_a_flush_and_reads_all_of_the_drive_in_order(
    workshop: Workshop,
) -> None:
    order = workshop.order()
    verified: list[int] = []
    last: list[Operation] = []

    def look(progress: Progress, kind: Operation, offset_bytes: int) -> None:
        if progress.state.stage is Stage.VERIFY:
            assert kind is Operation.READ
            verified.append(offset_bytes)
        elif progress.state.stage is Stage.LOAD:
            last[:] = [kind]

    with closing(workshop.stick()) as drive:
        run(order, drive, on_operation=look)

    assert last == [Operation.FLUSH]
    assert verified == list(range(0, STICK_BYTES, CHUNK_BYTES))


@pytest.mark.parametrize("sector_bytes", [512, 4096])
def test_an_image_of_an_odd_size_is_written_and_verified_to_its_last_byte(
    workshop: Workshop, sector_bytes: int
) -> None:
    capacity_bytes = (40 if sector_bytes == 512 else 270) * MIB + 8 * 512 + 77
    with workshop.backing.open("wb") as file:
        file.truncate(capacity_bytes)
    with workshop.backing.open("r+b") as file:
        os.pwrite(file.fileno(), bytes([DONOR_BYTE]) * 8192, capacity_bytes - 8192)
    order = workshop.order(capacity_bytes=capacity_bytes, sector_bytes=sector_bytes)
    with closing(DirectDrive.open_image(workshop.backing, sector_bytes)) as drive:
        made = run(order, drive)

    assert made.verdict == PASSED
    assert made.progress.stage_s.keys() >= {Stage.LOAD, Stage.VERIFY, Stage.SEAL}
    require_files(workshop.backing, order)
    assert not any(read_at(workshop.backing)(capacity_bytes - 8192, 8192))


def test_a_stick_that_is_loaded_again_becomes_what_the_new_order_says(workshop: Workshop) -> None:
    order = workshop.order()
    for _ in range(2):
        with closing(workshop.stick()) as drive:
            assert run(order, drive).verdict == PASSED

    assert workshop.backing.read_bytes() == workshop.expected(order)


def test_counters_say_what_the_drive_saw(workshop: Workshop) -> None:
    order = workshop.order()
    with closing(workshop.stick()) as drive:
        assert isinstance(drive, SimulatedDrive)
        made = run(order, drive)

        assert made.progress.written_bytes == drive.bytes_written
        assert made.progress.read_bytes == drive.bytes_read
    assert made.progress.pending is None


def test_a_cancelled_job_ends_before_its_next_operation(workshop: Workshop) -> None:
    order = workshop.order()
    after: list[int] = []

    def cancel(progress: Progress, kind: Operation, offset_bytes: int) -> None:
        if progress.state.stage is Stage.LOAD and offset_bytes >= 2 * CHUNK_BYTES:
            progress.cancel(FailReason.INTERRUPTED, "stopped by the operator")
            if kind is Operation.WRITE:
                after.append(offset_bytes)

    with closing(workshop.stick()) as drive:
        made = run(order, drive, on_operation=cancel)

    assert (made.verdict.reason, made.verdict.detail) == (
        FailReason.INTERRUPTED,
        "stopped by the operator",
    )
    assert after == [2 * CHUNK_BYTES]
    assert workshop.sector_0() == bytes(SECTOR)
