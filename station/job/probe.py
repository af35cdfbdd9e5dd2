"""The probe: is there as much flash behind the socket as the stick says?

A few dozen stamped blocks, written and read in two different random orders, cost seconds where
reading back everything costs the length of the job. A cache in front can hold them for a while, so
they are looked at again while the load pushes other data through it.
"""

import random
import secrets
from collections.abc import Sequence

from station.device.buffer import aligned_buffer
from station.device.drive import Drive
from station.image.extent import ExtentTable, Kind
from station.job.ranges import Ranges
from station.job.seal import clear_seal
from station.job.stamp import (
    BLOCK_BYTES,
    SALT_BYTES,
    Answer,
    Finding,
    Held,
    conclude,
    probe_positions,
    read_stamp,
    stamp_of,
)
from station.units import MIB, format_size
from station.verdict import DriveFailedError, FailReason

# After how many bytes of the load the stamps are looked at again. Caches in front of counterfeits
# were seen up to some hundred megabytes, and f3 tests itself with up to a gigabyte.
RECHECK_AFTER_BYTES = (32 * MIB, 128 * MIB, 640 * MIB, 1280 * MIB)
# The real size is told to a hundredth: nobody needs it better, and every step costs a flush.
_PRECISION = 128


class Probe:
    """One drive's stamps, from before the load until the load has overwritten them.

    Args:
        drive: the drive.
        recheck_after_bytes: when the stamps are looked at again during the load, ascending.
    """

    def __init__(
        self, drive: Drive, recheck_after_bytes: Sequence[int] = RECHECK_AFTER_BYTES
    ) -> None:
        self._drive = drive
        self._capacity_bytes = drive.capacity_bytes
        self._random = random.SystemRandom()
        self._salt = secrets.token_bytes(SALT_BYTES)
        self._buffer = aligned_buffer(BLOCK_BYTES)
        self._positions = probe_positions(self._capacity_bytes, self._random)
        self._recheck_after_bytes = list(recheck_after_bytes)
        self._overwritten = Ranges()

    @property
    def transfer_bytes(self) -> int:
        """What a run of the probe writes and reads on a drive that has nothing to hide."""
        return 2 * BLOCK_BYTES * len(self._positions)

    def run(self) -> None:
        """Stamp the drive and look at the stamps.

        Raises:
            DriveFailedError: `fake_capacity` for a counterfeit, `verify_mismatch` for a damaged
                drive, else what the drive's own failure is.
        """
        clear_seal(self._drive)
        for position in self._shuffled(self._positions):
            self._write(position)
        self._drive.flush()
        self._require_held(self._positions)

    def loaded(self, start_bytes: int, end_bytes: int) -> None:
        """Look now and then at what the load has not overwritten yet.

        Args:
            start_bytes: where the load wrote just now.
            end_bytes: up to where it did.

        Raises:
            DriveFailedError: as `run`.
        """
        overwritten = self._overwritten
        overwritten.add(start_bytes, end_bytes)
        if not self._recheck_after_bytes or overwritten.length_bytes < self._recheck_after_bytes[0]:
            return
        self._recheck_after_bytes.pop(0)
        self._drive.flush()
        self._require_held([at for at in self._positions if at not in overwritten])

    def clear(self, extents: ExtentTable) -> None:
        """Put zeros in place of the stamps in what the load left as it was.

        Raises:
            DriveFailedError: when the drive fails.
        """
        self._buffer[:] = bytes(BLOCK_BYTES)
        for position in self._positions:
            pieces = extents.pieces(position, position + BLOCK_BYTES)
            if any(piece.kind is Kind.KEEP for piece in pieces):
                self._drive.write(position, self._buffer)

    def _require_held(self, positions: Sequence[int]) -> None:
        answers = [self._read(position) for position in self._shuffled(positions)]
        finding = conclude(answers, self._capacity_bytes, self._overwritten)
        if finding.damaged_at is not None:
            raise DriveFailedError(
                FailReason.VERIFY_MISMATCH, f"a block at byte {finding.damaged_at} was not kept"
            )
        if finding.is_counterfeit:
            real = format_size(self._narrow(finding))
            # What hid it before the load (a cache in front, or an odd distance at which it wraps)
            # answers the narrowing as well, and the size that it gives is one limit.
            holds = "less than " if self._overwritten.length_bytes and not finding.wraps else ""
            raise DriveFailedError(
                FailReason.FAKE_CAPACITY,
                f"says {format_size(self._capacity_bytes)}, holds {holds}{real}",
            )

    def _narrow(self, finding: Finding) -> int:
        """Halve the range in which the real size must lie until it is known well enough."""
        held, lost = finding.held_bytes, finding.lost_bytes
        while not finding.wraps and lost - held > max(lost // _PRECISION, 2 * MIB):
            # Off the whole mebibyte, for the same reason as all positions.
            middle = (held + lost) // 2 // MIB * MIB + BLOCK_BYTES
            self._write(middle)
            self._drive.flush()
            if self._read(middle).held is Held.OWN:
                held = middle
            else:
                lost = middle
        return lost

    def _write(self, position: int) -> None:
        self._buffer[:] = stamp_of(self._salt, position)
        self._drive.write(position, self._buffer)

    def _read(self, position: int) -> Answer:
        self._drive.read(position, self._buffer)
        return read_stamp(self._salt, position, bytes(self._buffer))

    def _shuffled(self, positions: Sequence[int]) -> list[int]:
        return self._random.sample(positions, len(positions))
