"""Sticks that lie about their size, and a measure of how soon a probe finds them out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from station.device.buffer import aligned_buffer
from station.device.fault import Beyond, CacheInFront, Chain, Fault, Limbo, Wraparound
from station.device.simulated import SimulatedDrive
from station.job.chunk import CHUNK_BYTES
from station.job.counted_drive import CountedDrive
from station.job.probe import Probe
from station.job.progress import Progress
from station.units import GIB, KIB, MIB
from station.verdict import DriveFailedError, FailReason

TIB = 1024 * GIB
_REAL_LIMBO = 7_600_799_744


@dataclass(frozen=True, slots=True)
class Liar:
    """A drive of some kind.

    Attributes:
        claimed_bytes: what it says.
        faults: what it is.
    """

    claimed_bytes: int
    faults: tuple[Fault, ...] = ()


# The geometries with which f3 tests itself (f3probe.c, `ftype_to_params`); drives that hold nothing
# at all are limbo drives of one block here.
F3_GEOMETRIES: Mapping[str, Liar] = {
    "bad drive": Liar(GIB, (Limbo(4 * KIB),)),
    "a real limbo drive": Liar(32_505_331_712, (Limbo(1_777_645_568),)),
    "wraparound": Liar(16 * GIB, (Wraparound(2 * GIB),)),
    "chain": Liar(16 * GIB, (Chain(2 * GIB, 4 * GIB),)),
    "limbo, 1 TiB of nothing": Liar(TIB, (Limbo(MIB + 4 * KIB),)),
    "a real limbo drive, 256 MiB of cache": Liar(
        67_108_864_000, (Limbo(_REAL_LIMBO), CacheInFront(256 * MIB))
    ),
    "devil drive, 1 GiB of cache": Liar(TIB, (Limbo(4 * KIB), CacheInFront(GIB))),
}

OWN_GEOMETRIES: Mapping[str, Liar] = {
    "limbo, a little smaller than it says": Liar(8 * 10**9, (Limbo(7_900_000_256),)),
    "limbo that gives what was there before": Liar(8 * GIB, (Limbo(GIB, Beyond.STALE),)),
    "limbo that gives ones": Liar(64 * GIB, (Limbo(8 * GIB, Beyond.ONES),)),
    "wraparound of a small stick": Liar(512 * MIB, (Wraparound(128 * MIB),)),
    "wraparound, 32 MiB of cache": Liar(64 * GIB, (Wraparound(8 * GIB), CacheInFront(32 * MIB))),
    "chain, 512 MiB of cache": Liar(32 * GIB, (Chain(3 * GIB, 4 * GIB), CacheInFront(512 * MIB))),
    "wraparound at no power of two": Liar(8 * 10**9, (Wraparound(999_997_440),)),
}

HONEST: Sequence[int] = (64 * 10**6, 512 * MIB, 8 * 10**9 // 512 * 512, 2 * 10**12)


@dataclass(frozen=True, slots=True)
class Unmasking:
    """When a drive was found out.

    Attributes:
        loaded_bytes: how much of the load had been written by then: 0 before the load began; None
            when neither the probe nor the looks during the load found it.
        detail: what the verdict says.
        written_blocks: writes of the probe itself.
    """

    loaded_bytes: int | None
    detail: str
    written_blocks: int


def unmask(
    liar: Liar, folder: Path, *, load_bytes: int = 1400 * MIB, joined_at: float = 0.0
) -> Unmasking:
    """Probe a drive, then write zeros as a load does, until the probe finds it out.

    Args:
        liar: the drive.
        folder: where its medium is kept meanwhile.
        load_bytes: how much the load writes at most.
        joined_at: at which share of the drive the load begins; what lies before comes after.
    """
    drive = SimulatedDrive(folder / "liar.img", liar.claimed_bytes, faults=liar.faults)
    counted = CountedDrive(drive, Progress())
    zeros = aligned_buffer(CHUNK_BYTES)
    written_bytes, blocks = 0, 0
    try:
        probe = Probe(counted)
        try:
            probe.run()
            blocks = drive.operations
            chunks = -(-liar.claimed_bytes // CHUNK_BYTES)
            first = int(chunks * joined_at)
            for index in (*range(first, chunks), *range(first)):
                if written_bytes >= load_bytes:
                    break
                start = index * CHUNK_BYTES
                step = min(CHUNK_BYTES, liar.claimed_bytes - start)
                counted.write(start, zeros[:step])
                written_bytes += step
                probe.loaded(start, start + step)
        except DriveFailedError as error:
            if error.verdict.reason is not FailReason.FAKE_CAPACITY:
                raise
            return Unmasking(written_bytes, error.verdict.detail, blocks)
        return Unmasking(None, "", blocks)
    finally:
        drive.close()
        (folder / "liar.img").unlink()
