import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from station.content.profile import ErasePolicy
from station.device.buffer import aligned_buffer, require_aligned_memory
from station.image.image import plan_pattern
from station.job.chunk import CHUNK_BYTES, Assembler
from station.job.verify import Checker, chunked
from tests.job.workshop import IDENTITY, STICK_BYTES, Workshop, profile_of

SECTOR = 512
Assembled = tuple[Assembler, bytes]


@pytest.fixture(scope="module")
def assembled(shared_workshop: Workshop) -> Assembled:
    """An assembler, and every byte of the stick before its seal."""
    order = shared_workshop.order()
    image = order.volume.image(IDENTITY)
    expected = bytes(SECTOR) + shared_workshop.expected(order)[SECTOR:]
    return Assembler(image, order.source), expected


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    start=st.integers(0, STICK_BYTES // SECTOR - 1), length=st.integers(1, CHUNK_BYTES // SECTOR)
)
def test_any_range_is_assembled_as_the_image_says_in_aligned_memory(
    assembled: Assembled, start: int, length: int
) -> None:
    assembler, expected = assembled
    end_bytes = min((start + length) * SECTOR, STICK_BYTES)
    staging = aligned_buffer(CHUNK_BYTES)
    staging[:] = b"\xd1" * CHUNK_BYTES
    chunk = assembler.assemble(start * SECTOR, end_bytes, staging)

    assert bytes(chunk) == expected[start * SECTOR : end_bytes]
    require_aligned_memory(chunk, SECTOR)


def test_a_pattern_covers_all_but_sector_0(shared_workshop: Workshop) -> None:
    image = plan_pattern(CHUNK_BYTES, SECTOR, 0xAA)
    assembler = Assembler(image, shared_workshop.order().source)
    chunk = assembler.assemble(0, CHUNK_BYTES, aligned_buffer(CHUNK_BYTES))

    assert bytes(chunk) == bytes(SECTOR) + b"\xaa" * (CHUNK_BYTES - SECTOR)
    assert bytes(assembler.assemble(SECTOR, 2 * SECTOR, aligned_buffer(SECTOR))) == b"\xaa" * SECTOR


def test_what_is_kept_is_neither_assembled_nor_checked(shared_workshop: Workshop) -> None:
    order = shared_workshop.order(profile_of(ErasePolicy.QUICK))
    image = order.volume.image(IDENTITY)
    kept = order.volume.content_end_bytes
    with pytest.raises(AssertionError, match="never written"):
        Assembler(image, order.source).assemble(kept, kept + SECTOR, aligned_buffer(SECTOR))

    Checker(image, order.digests, image.seal).check(kept, memoryview(b"\xd1" * SECTOR))


@settings(deadline=None)
@given(
    cuts=st.lists(st.integers(0, 10 * CHUNK_BYTES), min_size=2, max_size=8, unique=True).map(sorted)
)
def test_ranges_are_cut_to_chunks_and_nothing_is_lost(cuts: list[int]) -> None:
    ranges = list(zip(cuts[::2], cuts[1::2], strict=False))
    pieces = list(chunked(ranges))

    assert all(0 < end - start <= CHUNK_BYTES for start, end in pieces)
    joined: list[tuple[int, int]] = []
    for start, end in pieces:
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    assert joined == ranges
