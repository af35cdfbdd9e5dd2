"""Small files: an encyclopedia instead of films."""

from collections.abc import Iterator
from contextlib import closing

from scripts.benchmarks.content import book_of, make_articles
from scripts.benchmarks.figures import RATIO, Line, at_most
from scripts.benchmarks.sticks import Speed, plain_passes, simulated_stick, station_passes
from scripts.benchmarks.workbench import Workbench
from station.units import MIB

_ARTICLES = 200_000
# So fast that the line takes minutes, and that what each file costs shows.
_SPEED = Speed(80, 160)


def measure(bench: Workbench) -> Iterator[Line]:
    """Load, verify and seal of a stick that is almost full of small files, over its limit."""
    # In memory: on a disk it takes minutes to make so many files, and to remove them.
    articles = make_articles(bench.memory, _ARTICLES)
    content_bytes = sum(file.entry.size_bytes for file in articles)
    # Half a cluster is lost to each file, and the directories need room.
    capacity_bytes = (content_bytes + _ARTICLES * 3072) // MIB * MIB + 32 * MIB
    with (
        closing(book_of(articles)) as book,
        simulated_stick(bench.memory, capacity_bytes, _SPEED) as drive,
    ):
        order = book.order_for(capacity_bytes, drive.sector_bytes)
        rounds = bench.paired(lambda: station_passes(order, drive), lambda: plain_passes(drive))
    name = f"{_ARTICLES:,} files of 1-30 kB, stick of {_SPEED}"
    total = tuple(station.total_s / plain.total_s for station, plain in rounds)
    yield Line(f"{name}: load + verify + seal ÷ limit", RATIO, total, at_most(1.02))
    load = tuple(station.write_s / plain.write_s for station, plain in rounds)
    yield Line("… load ÷ plain write", RATIO, load)
    verify = tuple(station.read_s / plain.read_s for station, plain in rounds)
    yield Line("… verify ÷ plain read", RATIO, verify)
