"""Sticks that claim more than they hold, over a table of geometries.

Beside those of f3's own test, which `tests/job/counterfeits` holds: real sizes and claims crossed,
each with other places of the probe. The probe finds each and names its real size; where there is no
probe, the read-back finds what has lost a byte of content, metadata or erased space.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from station.content.profile import ErasePolicy
from station.content.source import Source
from station.device.fault import Beyond, CacheInFront, Chain, Fault, Limbo, Wraparound
from station.device.simulated import SimulatedDrive
from station.job.counted_drive import CountedDrive
from station.job.pipeline import make
from station.job.probe import Probe
from station.job.progress import Progress
from station.units import GIB, MIB, format_size, parse_size
from station.verdict import PASSED, DriveFailedError, FailReason
from tests.faults.sweep import seeds
from tests.job.workshop import CONTENT, IDENTITY, Workshop, profile_of

ZEROS = bytes(512)
# What the probe may be wrong by in the size that it names: a hundredth, and three printed digits.
TOLERANCE = 0.02


@dataclass(frozen=True, slots=True)
class Geometry:
    """One counterfeit: what it says, and what it does beyond what it holds."""

    claimed_bytes: int
    fault: Wraparound | Limbo

    def __str__(self) -> str:
        kind = type(self.fault).__name__.lower()
        reads = f"-{self.fault.reads.name.lower()}" if isinstance(self.fault, Limbo) else ""
        real, claimed = format_size(self.fault.real_bytes), format_size(self.claimed_bytes)
        return f"{kind}{reads} {real} of {claimed}".replace(" ", "_")


def limbos(real_bytes: int, claimed_bytes: int) -> Iterator[Geometry]:
    for reads in Beyond:
        yield Geometry(claimed_bytes, Limbo(real_bytes, reads))


# Each power of two that a stick may really have, below every size that is printed on one.
WRAPAROUNDS = tuple(
    Geometry(claimed_bytes, Wraparound(1 << order))
    for order in range(26, 36, 2)
    for claimed_bytes in (8 * 10**9, 64 * 10**9, 2 * 10**12)
    if 1 << order < claimed_bytes
)
LIMBOS = tuple(
    geometry
    for real_bytes in (64 * MIB + 512 * 7, 1_000_000_000 // 512 * 512, 30 * GIB)
    for claimed_bytes in (real_bytes + 8 * MIB, 64 * 10**9, 10**12)
    if real_bytes < claimed_bytes // 512 * 512
    for geometry in limbos(real_bytes, claimed_bytes // 512 * 512)
)
TABLE = (*WRAPAROUNDS, *LIMBOS)


@pytest.fixture
def chance(monkeypatch: pytest.MonkeyPatch) -> Random:
    """What draws the places of the probe: the same each time, and others for each seed."""
    random = Random(11)
    monkeypatch.setattr("station.job.probe.random.SystemRandom", lambda: random)
    return random


def probe(path: Path, claimed_bytes: int, *faults: Wraparound | Limbo) -> Progress:
    progress = Progress()
    with closing(SimulatedDrive(path, claimed_bytes, faults=faults)) as drive:
        Probe(CountedDrive(drive, progress)).run()
    return progress


@pytest.mark.parametrize("geometry", TABLE, ids=str)
def test_the_probe_finds_every_counterfeit_and_names_its_real_size(
    memory_folder: Path, geometry: Geometry, chance: Random
) -> None:
    for seed in seeds(2):
        chance.seed(seed)
        with pytest.raises(DriveFailedError) as caught:
            probe(memory_folder / str(seed), geometry.claimed_bytes, geometry.fault)

        verdict = caught.value.verdict
        assert verdict.reason is FailReason.FAKE_CAPACITY
        says, holds = verdict.detail.removeprefix("says ").split(", holds ")
        assert says == format_size(geometry.claimed_bytes)
        real_bytes = geometry.fault.real_bytes
        assert abs(parse_size(holds) - real_bytes) <= max(TOLERANCE * real_bytes, 3 * MIB)


SMALL_BYTES = 96 * MIB
WITHOUT_A_PROBE: tuple[tuple[Fault, ...], ...] = (
    *((Wraparound(real),) for real in (8 * MIB, 9 * MIB, 32 * MIB, 64 * MIB)),
    *(
        (Limbo(real, reads),)
        for reads in (Beyond.ONES, Beyond.STALE)
        for real in (8 * MIB, 64 * MIB, SMALL_BYTES - 512)
    ),
    # One that reads as zeros what it does not have is only found where something else belongs.
    (Limbo(8 * MIB, Beyond.ZEROS),),
    (Chain(8 * MIB, 16 * MIB),),
    (Limbo(8 * MIB, Beyond.STALE), CacheInFront(32 * MIB)),
    (Wraparound(32 * MIB), CacheInFront(16 * MIB)),
)


@pytest.mark.parametrize("joins", ["alone", "joining another"])
@pytest.mark.parametrize("faults", WITHOUT_A_PROBE, ids=str)
def test_without_a_probe_the_read_back_finds_what_a_counterfeit_lost(
    tmp_path: Path, faults: tuple[Fault, ...], joins: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Workshop(tmp_path)
    shop.donated(SMALL_BYTES)
    order = shop.order(profile_of(probes=False), SMALL_BYTES, contents=CONTENT)
    # As if the bundle were larger than the memory, or who joins would begin at the beginning.
    monkeypatch.setattr(Source, "is_in_memory", lambda *_: False)
    with (
        closing(order.scan.spans(order.volume.extents)) as other,
        closing(shop.stick(*faults, capacity_bytes=SMALL_BYTES)) as drive,
    ):
        if joins != "alone":
            list(islice(other, 3))
        verdict = make(order, IDENTITY, drive, Progress())
        first = next(write for write in drive.write_log if write.length_bytes > len(ZEROS))

    assert (first.offset_bytes == 0) is (joins == "alone")
    for book in shop.books:
        book.close()

    assert verdict.reason in (FailReason.VERIFY_MISMATCH, FailReason.WRITE_PROTECTED)
    assert shop.sector_0() == ZEROS


@pytest.mark.parametrize("policy", list(ErasePolicy))
def test_free_space_that_reads_as_zeros_because_it_is_not_there_is_found_by_the_probe_alone(
    tmp_path: Path, policy: ErasePolicy
) -> None:
    real_bytes = SMALL_BYTES - 8 * MIB
    verdicts = {}
    for probes in (True, False):
        shop = Workshop(tmp_path)
        order = shop.order(profile_of(erase=policy, probes=probes), SMALL_BYTES)
        shop.backing.unlink(missing_ok=True)
        with closing(shop.stick(Limbo(real_bytes), capacity_bytes=SMALL_BYTES)) as drive:
            verdicts[probes] = make(order, IDENTITY, drive, Progress())
        for book in shop.books:
            book.close()

    assert verdicts[False] == PASSED
    assert verdicts[True].reason is FailReason.FAKE_CAPACITY
