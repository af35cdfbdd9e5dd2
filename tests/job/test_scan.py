"""Drives that load the same files at the same time: in which order each is written."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice, pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.content.profile import ErasePolicy
from station.content.selection import SelectedFile
from station.content.source import Source
from station.image.extent import ExtentTable, Kind
from station.image.geometry import Layout, plan_geometry
from station.image.planner import plan_volume
from station.image.tree import FileEntry
from station.job.chunk import CHUNK_BYTES
from station.job.order import OrderBook
from station.job.progress import Operation, Progress
from station.job.scan import SharedScan
from station.job.state import State
from station.units import MIB
from station.verdict import PASSED
from tests.job.workshop import (
    CONTENT,
    STICK_BYTES,
    Made,
    Workshop,
    offer_of,
    plant,
    profile_of,
    run,
    times_written,
)

FILES = [FileEntry(f"films/film {n}.mp4", size) for n, size in enumerate((9, 1, 30, 70, 5, 40))]


def entries(unit_bytes: int) -> list[FileEntry]:
    return [FileEntry(file.path, file.size_bytes * unit_bytes + 7) for file in FILES]


def extents_of(
    capacity_bytes: int, files: Sequence[FileEntry], *, keeps_free_space: bool = False
) -> ExtentTable:
    geometry = plan_geometry(capacity_bytes, 512, Layout.MBR)
    return plan_volume(files, geometry, keeps_free_space=keeps_free_space).extents


class PartlyHeld(Source):
    """Files of which memory holds what was read lately, up to a number of bytes."""

    def __init__(self, files: Sequence[FileEntry], held_bytes: int) -> None:
        super().__init__(
            [SelectedFile(file, Path("/nowhere"), file.path, bytes(32)) for file in files]
        )
        starts, at = [], 0
        for file in files:
            starts.append(at)
            at += file.size_bytes
        self._starts = starts
        self._held_bytes = held_bytes
        self.reached_bytes = 0

    def is_in_memory(self, index: int, offset_bytes: int) -> bool:
        at = self._starts[index] + offset_bytes
        return self.reached_bytes - self._held_bytes <= at < self.reached_bytes


def runs_of(spans: Sequence[tuple[int, int]]) -> int:
    """How many ascending runs there are."""
    return 1 + sum(after[0] < before[1] for before, after in pairwise(spans))


capacities = st.integers(700 * MIB // 512, 3000 * MIB // 512).map(lambda sectors: sectors * 512)


@given(
    st.lists(capacities, min_size=2, max_size=4),
    st.integers(1, 4 * MIB),
    st.floats(0, 1),
    st.integers(0, 700 * MIB),
    st.sampled_from([ErasePolicy.OVERWRITE, ErasePolicy.QUICK]),
)
def test_wherever_a_drive_joins_it_is_written_once_in_at_most_three_ascending_runs(
    drives: list[int], unit_bytes: int, share: float, held_bytes: int, erase: ErasePolicy
) -> None:
    files = entries(unit_bytes)
    source = PartlyHeld(files, held_bytes)
    scan = SharedScan(source)
    under_way = []
    for capacity_bytes in drives:
        extents = extents_of(capacity_bytes, files, keeps_free_space=erase is ErasePolicy.QUICK)
        plain = list(extents.spans(CHUNK_BYTES))
        spans = scan.spans(extents)
        under_way.append((spans, plain, list(islice(spans, int(share * len(plain))))))
        source.reached_bytes = int(share * sum(file.size_bytes for file in files))

    for spans, plain, begun in under_way:
        taken = [*begun, *spans]
        assert sorted(taken) == plain
        assert runs_of(taken) <= 3


def test_a_drive_alone_is_written_from_its_beginning_to_its_end() -> None:
    files = entries(MIB)
    extents = extents_of(1000 * MIB, files)
    scan = SharedScan(PartlyHeld(files, 0))

    for _ in range(2):
        assert list(scan.spans(extents)) == list(extents.spans(CHUNK_BYTES))


def first_file_of(extents: ExtentTable, spans: Iterator[tuple[int, int]]) -> tuple[int, int]:
    """Which file is read first, and from where."""
    piece = next(
        piece for span in spans for piece in extents.pieces(*span) if piece.kind is Kind.FILE
    )
    return piece.ref, piece.skipped_bytes


@pytest.mark.parametrize("capacity_bytes", [1000 * MIB, 1003 * MIB, 64_000 * MIB])
def test_a_late_drive_of_any_size_begins_where_the_others_read(capacity_bytes: int) -> None:
    files = entries(MIB)
    scan = SharedScan(PartlyHeld(files, 0))
    leading, late = extents_of(1000 * MIB, files), extents_of(capacity_bytes, files)
    with closing(scan.spans(leading)) as ahead:
        *_, (start, end) = islice(ahead, 20)
        [there] = [piece for piece in leading.pieces(start, end) if piece.kind is Kind.FILE]
        with closing(scan.spans(late)) as spans:
            file, offset_bytes = first_file_of(late, spans)

    assert file == there.ref
    # Chunks of another drive begin elsewhere in the file.
    assert abs(offset_bytes - there.skipped_bytes) < CHUNK_BYTES


def test_what_memory_still_holds_behind_the_others_is_not_read_again() -> None:
    files = entries(MIB)
    source = PartlyHeld(files, held_bytes=40 * MIB)
    scan = SharedScan(source)
    extents = extents_of(1000 * MIB, files)
    with closing(scan.spans(extents)) as ahead:
        *_, (_, end) = islice(ahead, 30)
        source.reached_bytes = end
        with closing(scan.spans(extents)) as spans:
            start, _ = next(spans)

    assert end - 40 * MIB < start < end - CHUNK_BYTES


def test_a_drive_that_could_read_all_from_memory_begins_at_its_beginning() -> None:
    files = entries(MIB)
    source = PartlyHeld(files, held_bytes=1000 * MIB)
    source.reached_bytes = 1000 * MIB
    scan = SharedScan(source)
    extents = extents_of(1000 * MIB, files)
    with closing(scan.spans(extents)) as ahead:
        list(islice(ahead, 30))

        assert list(scan.spans(extents)) == list(extents.spans(CHUNK_BYTES))


def test_one_very_slow_drive_is_not_followed() -> None:
    files = entries(MIB)
    now = [0.0]
    scan = SharedScan(PartlyHeld(files, 0), clock=lambda: now[0])
    extents = extents_of(1000 * MIB, files)
    with (
        closing(scan.spans(extents)) as slow,
        closing(scan.spans(extents)) as one,
        closing(scan.spans(extents)) as other,
    ):
        list(islice(slow, 3))
        *_, (here, _) = islice(one, 30)
        *_, (there, _) = islice(other, 30)
        now[0] += 60

        with closing(scan.spans(extents)) as late:
            assert next(late)[0] in (here, there)


def test_who_stops_early_is_not_followed_any_more() -> None:
    files = entries(MIB)
    scan = SharedScan(PartlyHeld(files, 0))
    extents = extents_of(1000 * MIB, files)
    with closing(scan.spans(extents)) as ahead:
        list(islice(ahead, 20))

    assert next(scan.spans(extents))[0] == 0


@pytest.fixture
def nothing_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the bundle were larger than the memory."""
    monkeypatch.setattr(Source, "is_in_memory", lambda *_: False)


@pytest.mark.usefixtures("nothing_in_memory")
@pytest.mark.parametrize("erase", [ErasePolicy.OVERWRITE, ErasePolicy.TWO_PASS])
@pytest.mark.parametrize("late_bytes", [STICK_BYTES, STICK_BYTES + 9 * MIB + 512])
def test_a_stick_that_joins_becomes_what_it_would_have_become_alone(
    workshop: Workshop, erase: ErasePolicy, late_bytes: int
) -> None:
    plant(workshop.content, CONTENT)
    book = OrderBook(profile_of(erase), [offer_of(workshop.content)])
    workshop.books.append(book)
    order = book.order_for(late_bytes, 512)
    (workshop.folder / "late").mkdir()
    late = Workshop(workshop.folder / "late")
    late.donated(late_bytes)
    joined: list[Made] = []

    def join(progress: Progress, kind: Operation, offset_bytes: int) -> None:
        is_half_way = kind is Operation.WRITE and offset_bytes == 2 * CHUNK_BYTES
        if progress.state is State.LOAD and is_half_way:
            with closing(late.stick(capacity_bytes=late_bytes)) as stick:
                joined.append(run(order, stick))

    with closing(workshop.stick()) as drive:
        leading = run(book.order_for(STICK_BYTES, 512), drive, on_operation=join)

    [made] = joined
    assert leading.verdict == made.verdict == PASSED
    assert late.backing.read_bytes() == late.expected(order)
    times = 1 if erase is ErasePolicy.OVERWRITE else 3
    assert times_written(made.writes, 512, late_bytes) == {times}
    passes = [write.offset_bytes for write in made.writes if write.length_bytes > 512]
    load = passes[-len(passes) // times :]
    assert load != sorted(load)
    assert runs_of([(at, at) for at in load]) <= 3
