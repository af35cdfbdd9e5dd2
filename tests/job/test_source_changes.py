"""A bundle that changes under the station's hands never makes a good stick a bad one."""

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from station.job.chunk import CHUNK_BYTES
from station.job.progress import Operation, Progress
from station.job.state import Stage, State
from station.verdict import PASSED, FailReason
from tests.job.workshop import CONTENT, LARGE, Workshop, profile_of, run

SECTOR = 512
SMALL = "books/whole cluster.txt"


FLIPPED = bytes(byte ^ 1 for byte in range(256))


def change(path: Path) -> None:
    """Flip a bit of each byte, in place; done twice it is as before."""
    content = path.read_bytes()
    with path.open("r+b") as file:
        file.write(content.translate(FLIPPED))


def grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def shorten(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def delete(path: Path) -> None:
    path.unlink()


def replace(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(bytes(path.stat().st_size))
    other.rename(path)


def make_unreadable(path: Path) -> None:
    # The test may run as root, who may read whatever a mode forbids.
    path.unlink()
    path.mkdir()


def lead_out(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


Way = Callable[[Path], None]
WAYS = (change, grow, shorten, empty, delete, replace, make_unreadable, lead_out)


@pytest.mark.parametrize("file", [LARGE, SMALL])
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_file_that_changed_before_the_load_is_no_fault_of_the_stick(
    workshop: Workshop, way: Way, file: str
) -> None:
    order = workshop.order()
    way(workshop.content / file)
    with closing(workshop.stick()) as drive:
        made = run(order, drive)

    assert made.verdict.reason is FailReason.SOURCE_CHANGED, made.verdict
    assert file in made.verdict.detail
    assert made.progress.state is State.FAILED
    assert workshop.sector_0() == bytes(SECTOR)


def start_of(workshop: Workshop, file: str) -> int:
    """Where the file begins on a stick."""
    order = workshop.order()
    index = [selected.path for selected in order.source.files].index(file)
    return next(e.start_bytes for e in order.volume.extents if (e.kind, e.ref) == (2, index))


@pytest.mark.parametrize("chunk", [0, 2], ids=lambda number: f"chunk-{number}")
@pytest.mark.parametrize("file", [LARGE, SMALL])
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_file_that_changes_during_the_load_makes_a_true_pass_or_no_stick_is_blamed(
    workshop: Workshop, way: Way, file: str, chunk: int
) -> None:
    order = workshop.order(profile_of(probes=False))
    at_bytes = start_of(workshop, LARGE) // CHUNK_BYTES * CHUNK_BYTES + chunk * CHUNK_BYTES
    done: list[int] = []

    def act(progress: Progress, kind: Operation, offset_bytes: int) -> None:
        if (
            not done
            and progress.state.stage is Stage.LOAD
            and (kind, offset_bytes) == (Operation.WRITE, at_bytes)
        ):
            done.append(offset_bytes)
            way(workshop.content / file)

    with closing(workshop.stick()) as drive:
        made = run(order, drive, on_operation=act)

    assert done
    if made.verdict == PASSED:
        # Every byte had been read already: what the stick holds is what was listed.
        assert workshop.backing.read_bytes() == workshop.expected(order)
    else:
        assert made.verdict.reason is FailReason.SOURCE_CHANGED, made.verdict
        assert workshop.sector_0() == bytes(SECTOR)


@pytest.mark.parametrize("way", [change, shorten, empty])
def test_a_large_file_that_changes_while_its_beginning_is_written_is_no_fault_of_the_stick(
    workshop: Workshop, way: Way
) -> None:
    order = workshop.order(profile_of(probes=False))
    at_bytes = -(-start_of(workshop, LARGE) // CHUNK_BYTES) * CHUNK_BYTES

    def act(progress: Progress, kind: Operation, offset_bytes: int) -> None:
        # A whole chunk of the mapped file is on its way to the kernel.
        if progress.state.stage is Stage.LOAD and (kind, offset_bytes) == (
            Operation.WRITE,
            at_bytes,
        ):
            way(workshop.content / LARGE)

    with closing(workshop.stick()) as drive:
        made = run(order, drive, on_operation=act)

    assert made.verdict.reason is FailReason.SOURCE_CHANGED, made.verdict


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_after_the_load_a_file_may_change_and_the_stick_is_what_was_listed(
    workshop: Workshop, way: Way
) -> None:
    order = workshop.order()

    def act(_progress: Progress, stage: Stage) -> None:
        if stage is Stage.VERIFY:
            way(workshop.content / LARGE)

    with closing(workshop.stick()) as drive:
        made = run(order, drive, on_stage=act)

    assert made.verdict == PASSED
    assert workshop.backing.read_bytes() == workshop.expected(order)


def test_a_file_that_was_another_one_for_the_time_of_the_load_is_no_fault_of_the_stick(
    workshop: Workshop,
) -> None:
    order = workshop.order()
    path = workshop.content / LARGE

    def act(_progress: Progress, stage: Stage) -> None:
        if stage in (Stage.LOAD, Stage.VERIFY):
            change(path)

    with closing(workshop.stick()) as drive:
        made = run(order, drive, on_stage=act)

    assert path.read_bytes() == CONTENT[LARGE]
    assert made.verdict.reason is FailReason.SOURCE_CHANGED


def test_a_file_that_was_put_right_serves_the_next_stick(workshop: Workshop) -> None:
    order = workshop.order()
    path = workshop.content / LARGE
    replace(path)
    with closing(workshop.stick()) as drive:
        assert run(order, drive).verdict.reason is FailReason.SOURCE_CHANGED
    right = path.with_name("right")
    right.write_bytes(CONTENT[LARGE])
    right.rename(path)
    with closing(workshop.stick()) as drive:
        made = run(order, drive)

    assert made.verdict == PASSED
