"""The master boot record: one partition, and a signature by which systems tell disks apart.

Source: the layout that IBM PC DOS 2.0 set and UEFI 2.10, section 5.2.1 "Legacy MBR", describes.
"""

import struct

from station.image.geometry import Geometry

DISK_SIGNATURE_OFFSET = 440
_PARTITION_OFFSET = 446
_FAT32_LBA = 0x0C
_NOT_BOOTABLE = 0x00
_PARTITION = struct.Struct("<B3sB3sII")
_SIGNATURE_OFFSET = 510
_SECTORS_PER_TRACK = 63
_HEADS = 255
_LAST_CYLINDER = 1023
_BEYOND_CHS = b"\xfe\xff\xff"


def encode_mbr(geometry: Geometry, disk_signature: int) -> bytes:
    """Sector 0 of a drive with one FAT32 partition: `sector_bytes` bytes."""
    sector = bytearray(geometry.sector_bytes)
    struct.pack_into("<I", sector, DISK_SIGNATURE_OFFSET, disk_signature)
    last_sector = geometry.partition_sector + geometry.partition_sectors - 1
    _PARTITION.pack_into(
        sector,
        _PARTITION_OFFSET,
        _NOT_BOOTABLE,
        _encode_chs(geometry.partition_sector),
        _FAT32_LBA,
        _encode_chs(last_sector),
        geometry.partition_sector,
        geometry.partition_sectors,
    )
    sector[_SIGNATURE_OFFSET : _SIGNATURE_OFFSET + 2] = b"\x55\xaa"
    return bytes(sector)


def _encode_chs(sector: int) -> bytes:
    """A sector number as cylinder, head and sector; `FE FF FF` where those do not reach."""
    track, sector_in_track = divmod(sector, _SECTORS_PER_TRACK)
    cylinder, head = divmod(track, _HEADS)
    if cylinder > _LAST_CYLINDER:
        return _BEYOND_CHS
    return bytes((head, (sector_in_track + 1) | (cylinder >> 8) << 6, cylinder & 0xFF))
