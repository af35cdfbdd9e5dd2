"""Sector 0: cleared before everything else, written after everything else."""

from station.device.buffer import aligned_buffer
from station.device.drive import Drive
from station.verdict import DriveFailedError, FailReason


def clear_seal(drive: Drive) -> None:
    """Make a drive unmountable: sector 0 zero, flushed and read back.

    Raises:
        DriveFailedError: `write_protected`, when the drive takes the write without effect.
        OSError: when the drive fails.
    """
    sector = aligned_buffer(drive.sector_bytes)
    drive.write(0, sector)
    drive.flush()
    if _sector_0(drive) != bytes(drive.sector_bytes):
        raise DriveFailedError(
            FailReason.WRITE_PROTECTED, "sector 0 reads as before it was overwritten"
        )


def seal(drive: Drive, sector_0: bytes) -> None:
    """Make a verified drive mountable: write sector 0, flush it and read it back.

    Raises:
        DriveFailedError: `verify_mismatch`, when sector 0 reads back as something else.
        OSError: when the drive fails.
    """
    sector = aligned_buffer(drive.sector_bytes)
    sector[:] = sector_0
    drive.write(0, sector)
    drive.flush()
    if _sector_0(drive) != sector_0:
        raise DriveFailedError(FailReason.VERIFY_MISMATCH, "sector 0 reads back changed")


def _sector_0(drive: Drive) -> bytes:
    sector = aligned_buffer(drive.sector_bytes)
    drive.read(0, sector)
    return bytes(sector)
