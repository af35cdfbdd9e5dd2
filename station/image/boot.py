"""The boot record of a FAT32 volume: three sectors and their copy.

Source: Microsoft FAT specification 1.03, "Boot sector and BPB" and "FSInfo structure".
"""

import struct

from station.image.fat import MEDIA_FIXED
from station.image.geometry import (
    BACKUP_BOOT_SECTOR,
    BOOT_SECTORS,
    FAT_COUNT,
    FIRST_CLUSTER,
    Geometry,
)

VOLUME_ID_OFFSET = 67
BOOT_RECORD_SECTORS = BACKUP_BOOT_SECTOR + BOOT_SECTORS

# Jump over the parameters, and the OEM name that the most readers accept.
_JUMP = b"\xeb\x58\x90"
_OEM_NAME = b"MSWIN4.1"
_NO_LABEL = "NO NAME"
_SIGNATURE = b"\x55\xaa"
_SIGNATURE_OFFSET = 510
_FSINFO_SECTOR = 1
# Geometry of the days of cylinders; still the values that every formatter writes.
_SECTORS_PER_TRACK = 63
_HEADS = 255
_DRIVE_NUMBER = 0x80
_EXTENDED_SIGNATURE = 0x29

_BIOS_PARAMETERS = struct.Struct("<3s8sHBHBHHBHHHII")
_FAT32_PARAMETERS = struct.Struct("<IHHIHH12sBBBI11s8s")
_FSINFO_HEAD = 0x41615252
_FSINFO_TAIL = 0xAA550000
_FSINFO = struct.Struct("<III12sI")
_FSINFO_OFFSET = 484


def padded_label(label: str) -> bytes:
    """A volume label in its 11 bytes."""
    return label.encode("ascii").ljust(11)


def encode_boot_sector(geometry: Geometry, label: str, volume_id: int) -> bytes:
    """Sector 0 of the volume: `sector_bytes` bytes."""
    head = _BIOS_PARAMETERS.pack(
        _JUMP,
        _OEM_NAME,
        geometry.sector_bytes,
        geometry.sectors_per_cluster,
        geometry.reserved_sectors,
        FAT_COUNT,
        0,
        0,
        MEDIA_FIXED,
        0,
        _SECTORS_PER_TRACK,
        _HEADS,
        geometry.partition_sector,
        geometry.partition_sectors,
    )
    tail = _FAT32_PARAMETERS.pack(
        geometry.fat_sectors,
        0,
        0,
        FIRST_CLUSTER,
        _FSINFO_SECTOR,
        BACKUP_BOOT_SECTOR,
        bytes(12),
        _DRIVE_NUMBER,
        0,
        _EXTENDED_SIGNATURE,
        volume_id,
        padded_label(label or _NO_LABEL),
        b"FAT32   ",
    )
    return _signed(head + tail, geometry.sector_bytes)


def encode_boot_record(
    geometry: Geometry, label: str, volume_id: int, *, free_clusters: int, last_cluster: int
) -> bytes:
    """Boot sector, FSInfo and third sector with their copy: 9 sectors."""
    fsinfo = bytearray(geometry.sector_bytes)
    struct.pack_into("<I", fsinfo, 0, _FSINFO_HEAD)
    _FSINFO.pack_into(
        fsinfo, _FSINFO_OFFSET, 0x61417272, free_clusters, last_cluster, bytes(12), _FSINFO_TAIL
    )
    record = b"".join(
        (
            encode_boot_sector(geometry, label, volume_id),
            fsinfo,
            _signed(b"", geometry.sector_bytes),
        )
    )
    gap = bytes((BACKUP_BOOT_SECTOR - BOOT_SECTORS) * geometry.sector_bytes)
    return record + gap + record


def _signed(data: bytes, sector_bytes: int) -> bytes:
    sector = bytearray(data.ljust(sector_bytes, b"\0"))
    sector[_SIGNATURE_OFFSET : _SIGNATURE_OFFSET + len(_SIGNATURE)] = _SIGNATURE
    return bytes(sector)
