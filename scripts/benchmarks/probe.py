"""The look for counterfeits before the load, on sticks as slow as old ones."""

from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass

from scripts.benchmarks.figures import Line, Result, at_most
from scripts.benchmarks.sticks import timed
from scripts.benchmarks.workbench import Workbench
from station.device.fault import Fault, Limbo
from station.device.pace import DriveSpeed
from station.device.simulated import SimulatedDrive
from station.job.counted_drive import CountedDrive
from station.job.probe import Probe
from station.job.progress import Progress
from station.job.stamp import BLOCK_BYTES
from station.units import MIB
from station.verdict import DriveFailedError

_MB = 10**6
_CAPACITY_BYTES = 64 * 10**9 // 512 * 512
_REAL_BYTES = 7_600_799_744
_LONGEST_S = 10.0


@dataclass(frozen=True, slots=True)
class _Old:
    """An old stick, in 10^6 bytes a second: in long transfers, and in small writes all over it."""

    write_mb_per_s: float
    read_mb_per_s: float
    small_write_mb_per_s: float

    def __str__(self) -> str:
        return (
            f"{self.write_mb_per_s:g}/{self.read_mb_per_s:g} MB/s,"
            f" {self.small_write_mb_per_s:.2g} MB/s in small writes"
        )

    @property
    def of_drive(self) -> DriveSpeed:
        small_s = BLOCK_BYTES / _MB / self.small_write_mb_per_s
        return DriveSpeed(
            self.write_mb_per_s * _MB,
            self.read_mb_per_s * _MB,
            write_apart_s=small_s - BLOCK_BYTES / _MB / self.write_mb_per_s,
        )


_SLOWEST = _Old(4, 18, 0.4)
_FASTEST = _Old(17, 27, 2.4)
# Worse than was seen: flash that writes a whole block of 4 MiB anew for each 4 KiB.
_WORST = _Old(4, 18, 4 * BLOCK_BYTES / (4 * MIB))


def measure(bench: Workbench) -> Iterator[Result]:
    """Honest sticks of 64 GB, and a counterfeit, whose real size is narrowed down besides."""
    for stick, bound in ((_FASTEST, _LONGEST_S), (_SLOWEST, _LONGEST_S), (_WORST, None)):
        yield Line(
            f"probe of an honest 64 GB stick of {stick}: time",
            "s",
            tuple(_probe_s(bench, stick) for _ in range(bench.rounds)),
            None if bound is None else at_most(bound),
        )
    yield Line(
        f"… of one that holds 7.6 GB, {_SLOWEST}: time",
        "s",
        tuple(_probe_s(bench, _SLOWEST, Limbo(_REAL_BYTES)) for _ in range(bench.rounds)),
        at_most(_LONGEST_S),
    )


def _probe_s(bench: Workbench, stick: _Old, *faults: Fault) -> float:
    backing = bench.memory / "stick"
    drive = SimulatedDrive(backing, _CAPACITY_BYTES, speed=stick.of_drive, faults=faults)

    def probe() -> None:
        with suppress(DriveFailedError):
            Probe(CountedDrive(drive, Progress())).run()

    with closing(drive):
        taken_s = timed(probe)
    backing.unlink()
    return taken_s
