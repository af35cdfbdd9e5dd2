"""Small files: an encyclopedia instead of films."""

from collections.abc import Iterator

from scripts.benchmarks.content import book_of, make_articles
from scripts.benchmarks.figures import RATIO, Line, at_most
from scripts.benchmarks.sticks import Passes, Speed, plain_passes, simulated_stick, station_passes
from scripts.benchmarks.workbench import Workbench
from station.units import MIB

_ARTICLES = 20_000
_SPEEDS = (Speed(20, 40), Speed(80, 160))


def measure(bench: Workbench) -> Iterator[Line]:
    """Load, verify and seal of a stick that is almost full of small files, over its limit."""
    articles = make_articles(bench.disk, _ARTICLES)
    content_bytes = sum(file.entry.size_bytes for file in articles)
    book = book_of(articles)
    # Half a cluster is lost to each file, and the directories need room.
    capacity_bytes = (content_bytes + _ARTICLES * 3072) // MIB * MIB + 32 * MIB
    order = book.order_for(capacity_bytes, 512)
    for speed in _SPEEDS:
        rounds: list[tuple[Passes, Passes]] = []
        with simulated_stick(bench.memory, capacity_bytes, speed) as drive:
            for _ in range(bench.rounds):
                plain = plain_passes(drive)
                rounds.append((station_passes(order, drive), plain))
        name = f"{_ARTICLES:,} files of 1-30 kB, stick of {speed}"
        total = tuple(station.total_s / plain.total_s for station, plain in rounds)
        yield Line(f"{name}: load + verify + seal ÷ limit", RATIO, total, at_most(1.02))
        load = tuple(station.write_s / plain.write_s for station, plain in rounds)
        yield Line("… load ÷ plain write", RATIO, load)
    book.close()
