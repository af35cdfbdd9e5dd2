"""What the station asks of a drive, against the least that could be asked: in bytes, not time."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from scripts.benchmarks.content import book_of, make_articles, make_films
from scripts.benchmarks.sticks import plain_passes, station_passes
from station.content.selection import SelectedFile
from station.device.simulated import SimulatedDrive
from station.job.order import Order
from station.units import MIB

STICK_BYTES = 64 * MIB + 512
SECTOR_BYTES = 512


def films(folder: Path) -> list[SelectedFile]:
    return make_films(folder, 40 * MIB)


def articles(folder: Path) -> list[SelectedFile]:
    return make_articles(folder, 300)


@pytest.fixture(params=[films, articles])
def order(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Order]:
    with closing(book_of(request.param(tmp_path))) as book:
        yield book.order_for(STICK_BYTES, SECTOR_BYTES)


def test_a_job_writes_and_reads_the_drive_once_and_sector_0_twice_more(
    order: Order, tmp_path: Path
) -> None:
    with closing(SimulatedDrive(tmp_path / "stick.img", STICK_BYTES)) as drive:
        station_passes(order, drive)

        assert drive.bytes_written == STICK_BYTES + 2 * SECTOR_BYTES
        assert drive.bytes_read == STICK_BYTES + 2 * SECTOR_BYTES


def test_a_job_makes_no_more_requests_than_the_plain_passes_and_seven_for_the_seal(
    order: Order, tmp_path: Path
) -> None:
    with closing(SimulatedDrive(tmp_path / "stick.img", STICK_BYTES)) as drive:
        plain_passes(drive)
        plain_requests = drive.operations

        station_passes(order, drive)

        # Sector 0 is written, flushed and read before all else and after all else, and one more
        # request would be an image that is cut off the multiples of a chunk.
        assert drive.operations - plain_requests <= plain_requests + 7
