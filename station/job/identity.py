"""Where a volume's own numbers come from: chance at first, the drive itself later."""

import secrets
import struct

from station.device.buffer import aligned_buffer
from station.device.drive import Drive
from station.image.boot import VOLUME_ID_OFFSET
from station.image.geometry import Geometry, Layout
from station.image.identity import VolumeIdentity
from station.image.mbr import DISK_SIGNATURE_OFFSET
from station.job.verify import MismatchError

_NUMBERS = (1 << 32) - 1  # every 32-bit number but zero


def random_identity() -> VolumeIdentity:
    """Numbers for one stick, from the system's source of randomness."""
    return VolumeIdentity(1 + secrets.randbelow(_NUMBERS), 1 + secrets.randbelow(_NUMBERS))


def read_identity(geometry: Geometry, drive: Drive) -> VolumeIdentity:
    """The numbers that a loaded drive bears, from their two fixed places; nothing else is read.

    Raises:
        MismatchError: when there are none: the drive was not loaded, or did not pass.
        OSError: when the drive fails.
    """
    volume_id = _number(drive, geometry.partition_bytes, VOLUME_ID_OFFSET)
    disk_signature = 1  # a superfloppy has none
    if geometry.layout is Layout.MBR:
        disk_signature = _number(drive, 0, DISK_SIGNATURE_OFFSET)
    if not (volume_id and disk_signature):
        raise MismatchError("no volume of this profile is there", geometry.partition_bytes)
    return VolumeIdentity(volume_id, disk_signature)


def _number(drive: Drive, sector_offset_bytes: int, offset_bytes: int) -> int:
    sector = aligned_buffer(drive.sector_bytes)
    drive.read(sector_offset_bytes, sector)
    number: int = struct.unpack_from("<I", sector, offset_bytes)[0]
    return number
