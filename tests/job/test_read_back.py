"""`station verify`: holding a drive that was loaded before against what it should hold."""

import os
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from station.content.profile import ErasePolicy
from station.device.buffer import aligned_buffer
from station.device.direct import DirectDrive
from station.device.fault import ReadError
from station.device.simulated import SimulatedDrive
from station.image.boot import VOLUME_ID_OFFSET
from station.image.extent import Kind
from station.image.geometry import Layout
from station.image.mbr import DISK_SIGNATURE_OFFSET
from station.job.identity import random_identity, read_identity
from station.job.order import Order
from station.job.pipeline import read_back
from station.job.progress import Progress
from station.job.state import READING_BACK, State
from station.job.verify import MismatchError
from station.verdict import PASSED, FailReason, Verdict
from tests.job.workshop import (
    IDENTITY,
    LARGE,
    STICK_BYTES,
    Workshop,
    load_ready,
    profile_of,
)

SECTOR = 512
# Random for each stick and written in no second place: nobody can say what it should be.
UNKNOWABLE = range(DISK_SIGNATURE_OFFSET, DISK_SIGNATURE_OFFSET + 4)


def read_again(workshop: Workshop, order: Order) -> Verdict:
    progress = Progress(READING_BACK)
    with closing(DirectDrive.open_image(workshop.backing, writable=False)) as drive:
        verdict = read_back(order, drive, progress)
    assert progress.written_bytes == 0
    assert progress.state is (State.PASSED if verdict == PASSED else State.FAILED)
    return verdict


def flip(path: Path, offset_bytes: int, mask: int = 1) -> None:
    with path.open("r+b") as file:
        byte = os.pread(file.fileno(), 1, offset_bytes)
        os.pwrite(file.fileno(), bytes([byte[0] ^ mask]), offset_bytes)


@pytest.fixture(scope="module")
def loaded(shared_workshop: Workshop) -> tuple[Workshop, Order]:
    """A stick that passed; whoever changes it puts it right again."""
    order = shared_workshop.order()
    load_ready(shared_workshop, order)
    return shared_workshop, order


def test_a_stick_that_passed_passes_again_and_nothing_is_written(
    loaded: tuple[Workshop, Order],
) -> None:
    workshop, order = loaded
    before = workshop.backing.read_bytes()

    assert read_again(workshop, order) == PASSED
    assert workshop.backing.read_bytes() == before


@pytest.mark.parametrize("layout", Layout)
@pytest.mark.parametrize("erase", ErasePolicy)
def test_every_kind_of_stick_passes_again(
    workshop: Workshop, layout: Layout, erase: ErasePolicy
) -> None:
    workshop.donated()
    order = workshop.order(profile_of(erase, layout=layout))
    load_ready(workshop, order)

    assert read_again(workshop, order) == PASSED


def is_knowable(offset_bytes: int) -> bool:
    return offset_bytes not in UNKNOWABLE


@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(
    offset_bytes=st.one_of(
        st.integers(0, STICK_BYTES - 1),
        st.integers(0, SECTOR - 1),
        st.integers(64 * 1024, 1 << 20),
    ).filter(is_knowable),
    mask=st.integers(1, 255),
)
@example(offset_bytes=0, mask=1)
@example(offset_bytes=SECTOR - 1, mask=0x80)
@example(offset_bytes=STICK_BYTES - 1, mask=1)
@example(offset_bytes=DISK_SIGNATURE_OFFSET - 1, mask=1)
@example(offset_bytes=DISK_SIGNATURE_OFFSET + 4, mask=1)
def test_any_byte_that_is_wrong_anywhere_is_found(
    loaded: tuple[Workshop, Order], offset_bytes: int, mask: int
) -> None:
    workshop, order = loaded
    flip(workshop.backing, offset_bytes, mask)
    try:
        verdict = read_again(workshop, order)
    finally:
        flip(workshop.backing, offset_bytes, mask)

    assert verdict.reason is FailReason.VERIFY_MISMATCH, verdict


@pytest.mark.parametrize("place", ["first", "last"])
def test_a_wrong_byte_at_either_end_of_every_extent_is_found(
    loaded: tuple[Workshop, Order], place: str
) -> None:
    workshop, order = loaded
    for extent in order.volume.extents:
        at = extent.start_bytes if place == "first" else extent.end_bytes - 1
        flip(workshop.backing, at)
        try:
            verdict = read_again(workshop, order)
        finally:
            flip(workshop.backing, at)

        assert verdict.reason is FailReason.VERIFY_MISMATCH, extent
        # A file is known to differ as a whole only, all else to the byte.
        where = extent.start_bytes if extent.kind is Kind.FILE else at
        assert f"at byte {where}" in verdict.detail


def test_a_wrong_volume_id_is_told_by_its_copy(loaded: tuple[Workshop, Order]) -> None:
    workshop, order = loaded
    at = order.volume.geometry.partition_bytes + VOLUME_ID_OFFSET
    for copy in (at, at + 6 * SECTOR):
        flip(workshop.backing, copy)
        try:
            verdict = read_again(workshop, order)
        finally:
            flip(workshop.backing, copy)

        assert verdict.reason is FailReason.VERIFY_MISMATCH


@pytest.mark.parametrize("layout", Layout)
def test_a_drive_that_was_never_loaded_is_told_as_such(workshop: Workshop, layout: Layout) -> None:
    order = workshop.order(profile_of(layout=layout))
    with closing(workshop.stick()):
        pass
    verdict = read_again(workshop, order)

    assert verdict.reason is FailReason.VERIFY_MISMATCH
    assert verdict.detail.startswith("no volume of this profile is there")


def test_a_drive_without_its_seal_does_not_pass(workshop: Workshop) -> None:
    order = workshop.order()
    load_ready(workshop, order)
    with workshop.backing.open("r+b") as file:
        file.write(bytes(SECTOR))

    assert read_again(workshop, order).reason is FailReason.VERIFY_MISMATCH


def test_a_donors_stick_does_not_pass(workshop: Workshop) -> None:
    order = workshop.order()
    workshop.donated()

    assert read_again(workshop, order).reason is FailReason.VERIFY_MISMATCH


def test_a_drive_that_can_not_be_read_is_told_as_an_io_error(workshop: Workshop) -> None:
    order = workshop.order()
    load_ready(workshop, order)
    with closing(workshop.stick(ReadError(20 << 20))) as drive:
        verdict = read_back(order, drive, Progress(READING_BACK))

        assert verdict.reason is FailReason.IO_ERROR
        assert drive.bytes_written == 0


def test_the_stick_is_judged_by_the_listed_content_and_not_by_the_files(
    workshop: Workshop,
) -> None:
    order = workshop.order()
    load_ready(workshop, order)
    (workshop.content / LARGE).unlink()

    assert read_again(workshop, order) == PASSED


@pytest.mark.parametrize("layout", Layout)
def test_a_sticks_own_numbers_are_read_from_itself(workshop: Workshop, layout: Layout) -> None:
    order = workshop.order(profile_of(layout=layout))
    load_ready(workshop, order)
    with closing(workshop.stick()) as drive:
        found = read_identity(order.volume.geometry, drive)

    assert found.volume_id == IDENTITY.volume_id
    assert found.disk_signature == (IDENTITY.disk_signature if layout is Layout.MBR else 1)


def test_where_no_number_is_there_is_no_volume(tmp_path: Path, workshop: Workshop) -> None:
    order = workshop.order()
    with closing(SimulatedDrive(tmp_path / "blank.img", STICK_BYTES)) as drive:
        drive.write(0, aligned_buffer(SECTOR))
        with pytest.raises(MismatchError, match="no volume of this profile"):
            read_identity(order.volume.geometry, drive)


def test_every_stick_gets_numbers_of_its_own() -> None:
    drawn = [random_identity() for _ in range(1000)]

    # Two equal among a thousand of 2³² each come up once in 8,600 runs, in both numbers never.
    assert len(set(drawn)) == len(drawn)
