"""The part that runs in the box: a stick there against its limit, printed as JSON.

python -m scripts.benchmarks.guest NODE ROUNDS MAX_SECTORS...
"""

import json
import sys
import tempfile
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from scripts.benchmarks.content import book_of, make_films
from scripts.benchmarks.sticks import opened, plain_passes, station_passes
from scripts.benchmarks.usage import cpu_s
from scripts.benchmarks.watched import WatchedDrive
from station.device.drive import Drive
from station.job.order import Order


@dataclass(frozen=True, slots=True)
class GuestRound:
    """One job of the station and plain passes of the same stick, in seconds.

    Attributes:
        max_sectors: the most sectors of 512 bytes that a command to the stick had.
        plain_write_s: all written.
        plain_read_s: all read.
        station_s: load, verify and seal.
        idle_s: how long the stick had no request meanwhile.
        cpu_s: processor time of the station meanwhile.
    """

    max_sectors: int
    plain_write_s: float
    plain_read_s: float
    station_s: float
    idle_s: float
    cpu_s: float


def _measure(node: Path, rounds: int, sizes: list[int]) -> list[GuestRound]:
    """Each request size in turn, as often as there are rounds; the one of before is put back."""
    setting = Path(f"/sys/block/{node.name}/device/max_sectors")
    before = setting.read_text()
    with (
        tempfile.TemporaryDirectory() as folder,
        opened(node) as drive,
        closing(book_of(make_films(Path(folder), drive.capacity_bytes // 2))) as book,
    ):
        order = book.order_for(drive.capacity_bytes, drive.sector_bytes)
        try:
            return [
                _round(setting, max_sectors, order, drive)
                for _ in range(rounds)
                for max_sectors in sizes
            ]
        finally:
            setting.write_text(before)


def _round(setting: Path, max_sectors: int, order: Order, drive: Drive) -> GuestRound:
    setting.write_text(str(max_sectors))
    plain = plain_passes(drive)
    watched = WatchedDrive(drive)
    began_cpu_s = cpu_s()
    station_s = station_passes(order, watched).total_s
    return GuestRound(
        max_sectors,
        plain.write_s,
        plain.read_s,
        station_s,
        idle_s=station_s - watched.busy_s,
        cpu_s=cpu_s() - began_cpu_s,
    )


if __name__ == "__main__":
    words = sys.argv[1:]
    measured = _measure(Path(words[0]), int(words[1]), [int(word) for word in words[2:]])
    print(json.dumps([asdict(one) for one in measured]))  # noqa: T201 - what the host reads
