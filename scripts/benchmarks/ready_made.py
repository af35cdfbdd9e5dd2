"""What other programs write to a stick: an image that is made beforehand."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from scripts.benchmarks.content import book_of
from scripts.benchmarks.sticks import allocate, station_passes
from scripts.benchmarks.workbench import in_new_process
from station.content.selection import SelectedFile
from station.device.direct import DirectDrive


def ready_made_image(folder: Path, films: Sequence[SelectedFile], capacity_bytes: int) -> Path:
    """The image of a stick of this size that holds the films; in memory afterwards, as they are.

    It is made by the station itself, once.
    """
    image = folder / f"{capacity_bytes}.img"
    if not image.exists():
        allocate(image, capacity_bytes)
        in_new_process(make_image, image, films)
    image.read_bytes()
    return image


def make_image(image: Path, films: Sequence[SelectedFile]) -> None:
    """Have the station load the file in place of a stick."""
    with closing(book_of(films)) as book, closing(DirectDrive.open_image(image)) as drive:
        station_passes(book.order_for(drive.capacity_bytes, drive.sector_bytes), drive)
