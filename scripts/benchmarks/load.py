"""The load stage of one file-backed drive, against dd."""

import subprocess
from collections.abc import Iterator

from scripts.benchmarks.content import book_of, make_films
from scripts.benchmarks.figures import RATIO, Line, at_least
from scripts.benchmarks.sticks import allocate, timed
from scripts.benchmarks.workbench import Workbench, ratios
from station.device.direct import DirectDrive
from station.job.chunk import chunk_buffers
from station.job.identity import random_identity
from station.job.load import load
from station.units import MIB

_CAPACITY_BYTES = 1024 * MIB


def measure(bench: Workbench) -> Iterator[Line]:
    """Both write the same file, which has its blocks already, in turn."""
    book = book_of(make_films(bench.disk, _CAPACITY_BYTES // 2))
    order = book.order_for(_CAPACITY_BYTES, 512)
    image = order.volume.image(random_identity())
    path = bench.disk / "stick.img"
    allocate(path, _CAPACITY_BYTES)

    def station() -> float:
        drive = DirectDrive.open_image(path)
        try:
            return timed(lambda: load(image, order.scan, drive, chunk_buffers()))
        finally:
            drive.close()

    def dd() -> float:
        count = _CAPACITY_BYTES // (4 * MIB)
        command = ["dd", "if=/dev/zero", f"of={path}", "bs=4M", f"count={count}"]
        flags = ["oflag=direct", "conv=notrunc", "status=none"]
        return timed(lambda: subprocess.run([*command, *flags], check=True))

    station()  # once before it counts: the content is in memory then
    pairs = bench.paired(dd, station)
    mib = _CAPACITY_BYTES / MIB
    yield Line("load into a file: speed of the station ÷ dd", RATIO, ratios(pairs), at_least(0.9))
    yield Line("… dd oflag=direct bs=4M", "MiB/s", tuple(mib / dd_s for dd_s, _ in pairs))
    yield Line("… the station, flush included", "MiB/s", tuple(mib / own_s for _, own_s in pairs))
    book.close()
