"""Where things stand on a drive: partition, FATs, data area. Numbers in, numbers out.

Source: Microsoft FAT specification 1.03, where not said otherwise. "Sector" is a logical sector of
the drive, 512 or 4096 bytes.
"""

from dataclasses import dataclass
from enum import StrEnum, unique

from station.errors import DriveTooLargeError, DriveTooSmallError, OperatorError
from station.units import GIB, KIB, MIB, format_size

SECTOR_SIZES = (512, 4096)
FAT_COUNT = 2
FAT_ENTRY_BYTES = 4
RESERVED_ENTRIES = 2  # FAT[0] and FAT[1] stand for no cluster
FIRST_CLUSTER = 2
BOOT_SECTORS = 3
BACKUP_BOOT_SECTOR = 6
FEWEST_RESERVED_SECTORS = 32

# The type of a FAT volume follows from its cluster count alone. Some drivers are off by a few at
# the border, so the specification asks for a distance of 16.
_BORDER_DISTANCE = 16
FEWEST_CLUSTERS = 65_525 + _BORDER_DISTANCE
MOST_CLUSTERS = 268_435_444

# Flash is erased in blocks of up to 4 MiB; partition and data area begin on such a border, as the
# SD Association's formatter places them. Small drives can't spare that and have small blocks.
_WIDEST_ALIGNMENT = 4 * MIB
_NARROWEST_ALIGNMENT = 64 * KIB
_ALIGNMENT_SHARE = 256  # at most 1/256 of the capacity for each border

# Of the MBR and the boot sector alike: a sector number has 32 bits.
_MOST_SECTORS = (1 << 32) - 1

# What the smallest volume needs beside its clusters, with the widest of its borders.
_SMALLEST_OVERHEAD = 1.03

# Microsoft's table for FAT32: volumes up to … bytes take clusters of … bytes.
_CLUSTER_BYTES = (
    (260 * MIB, 512),
    (8 * GIB, 4 * KIB),
    (16 * GIB, 8 * KIB),
    (32 * GIB, 16 * KIB),
)
_LARGEST_CLUSTER_BYTES = 32 * KIB


@unique
class Layout(StrEnum):
    """What stands in sector 0."""

    MBR = "mbr"  # a partition table with one partition, which most things read
    SUPERFLOPPY = "superfloppy"  # the volume itself


@dataclass(frozen=True, slots=True)
class Geometry:
    """Where the parts of one FAT32 volume stand on one drive.

    Attributes:
        capacity_bytes: size of the drive; what lies beyond the last whole sector belongs to no
            sector and stays zero.
        sector_bytes: logical sector size.
        layout: what stands in sector 0.
        partition_sector: first sector of the volume; 0 for a superfloppy.
        partition_sectors: length of the volume.
        reserved_sectors: sectors before the first FAT, from the start of the volume.
        fat_sectors: length of one FAT.
        sectors_per_cluster: a power of two.
        cluster_count: clusters in the data area, the first of which has the number 2.
    """

    capacity_bytes: int
    sector_bytes: int
    layout: Layout
    partition_sector: int
    partition_sectors: int
    reserved_sectors: int
    fat_sectors: int
    sectors_per_cluster: int
    cluster_count: int

    @property
    def cluster_bytes(self) -> int:
        """Size of a cluster."""
        return self.sectors_per_cluster * self.sector_bytes

    @property
    def partition_bytes(self) -> int:
        """Offset of the volume on the drive."""
        return self.partition_sector * self.sector_bytes

    @property
    def fat_bytes(self) -> int:
        """Length of one FAT."""
        return self.fat_sectors * self.sector_bytes

    def fat_offset_bytes(self, index: int) -> int:
        """Offset of FAT number `index` (0 or 1) on the drive."""
        sector = self.partition_sector + self.reserved_sectors + index * self.fat_sectors
        return sector * self.sector_bytes

    @property
    def data_offset_bytes(self) -> int:
        """Offset of cluster 2 on the drive."""
        return self.fat_offset_bytes(FAT_COUNT)

    def cluster_offset_bytes(self, cluster: int) -> int:
        """Offset of a cluster on the drive."""
        return self.data_offset_bytes + (cluster - FIRST_CLUSTER) * self.cluster_bytes

    @property
    def data_bytes(self) -> int:
        """Length of the data area."""
        return self.cluster_count * self.cluster_bytes


def plan_geometry(
    capacity_bytes: int, sector_bytes: int = 512, layout: Layout = Layout.MBR
) -> Geometry:
    """Lay one FAT32 volume over a whole drive, its data area aligned to the flash below it.

    Clusters have Microsoft's size for the capacity, but are never smaller than a sector.

    Raises:
        OperatorError: for sectors of another size.
        DriveTooSmallError: for a drive that has too few sectors for FAT32.
        DriveTooLargeError: for a drive with more sectors than 32 bits can count, or with more of
            the largest clusters than FAT32 can.
    """
    if sector_bytes not in SECTOR_SIZES:
        raise OperatorError(
            f"sectors of {sector_bytes} bytes are not supported", "512 or 4096 are."
        )
    drive_sectors = capacity_bytes // sector_bytes
    most_bytes = min(_MOST_SECTORS * sector_bytes, MOST_CLUSTERS * _LARGEST_CLUSTER_BYTES)
    if drive_sectors * sector_bytes > most_bytes:
        raise DriveTooLargeError(
            f"{format_size(capacity_bytes)} is more than an MBR and FAT32 can address"
            f" with sectors of {sector_bytes} bytes",
            f"The largest drive is {format_size(most_bytes)}.",
        )
    alignment_sectors = _alignment_bytes(capacity_bytes) // sector_bytes
    partition_sector = alignment_sectors if layout is Layout.MBR else 0
    partition_sectors = drive_sectors - partition_sector
    sectors_per_cluster = _cluster_bytes(capacity_bytes, sector_bytes) // sector_bytes
    reserved_sectors, fat_sectors, cluster_count = _divide(
        partition_sectors, sectors_per_cluster, sector_bytes, alignment_sectors
    )
    if cluster_count < FEWEST_CLUSTERS:
        raise DriveTooSmallError(
            f"{format_size(capacity_bytes)} is too small for FAT32"
            f" with sectors of {sector_bytes} bytes",
            f"It needs {FEWEST_CLUSTERS} clusters, about"
            f" {format_size(FEWEST_CLUSTERS * sector_bytes * _SMALLEST_OVERHEAD)}.",
        )
    return Geometry(
        capacity_bytes,
        sector_bytes,
        layout,
        partition_sector,
        partition_sectors,
        reserved_sectors,
        fat_sectors,
        sectors_per_cluster,
        cluster_count,
    )


def _alignment_bytes(capacity_bytes: int) -> int:
    share_bytes = max(capacity_bytes // _ALIGNMENT_SHARE, 1)
    power_of_two = 1 << (share_bytes.bit_length() - 1)
    return min(max(power_of_two, _NARROWEST_ALIGNMENT), _WIDEST_ALIGNMENT)


def _cluster_bytes(capacity_bytes: int, sector_bytes: int) -> int:
    for up_to_bytes, cluster_bytes in _CLUSTER_BYTES:
        if capacity_bytes <= up_to_bytes:
            return max(cluster_bytes, sector_bytes)
    return _LARGEST_CLUSTER_BYTES


def _divide(
    partition_sectors: int, sectors_per_cluster: int, sector_bytes: int, alignment_sectors: int
) -> tuple[int, int, int]:
    """Divide a volume into reserved sectors, FATs and clusters.

    The FAT must have room for the clusters that are left beside it, so its size is derived from the
    most clusters there could be: exact or a little too large, as the specification's formula is,
    never too small. The partition begins on a border, so the data area does when what lies before
    it is a multiple of the alignment; the reserved sectors take up the slack.
    """
    entries_per_sector = sector_bytes // FAT_ENTRY_BYTES
    # c clusters and their 2·c/entries FAT sectors share what is there: c·(spc + 2/entries) ≤ all.
    most_clusters = (
        (partition_sectors - FEWEST_RESERVED_SECTORS)
        * entries_per_sector
        // (sectors_per_cluster * entries_per_sector + FAT_COUNT)
    )
    fat_sectors = -(-(max(most_clusters, 0) + RESERVED_ENTRIES) // entries_per_sector)
    before_data = FEWEST_RESERVED_SECTORS + FAT_COUNT * fat_sectors
    before_data = -(-before_data // alignment_sectors) * alignment_sectors
    reserved_sectors = before_data - FAT_COUNT * fat_sectors
    return reserved_sectors, fat_sectors, (partition_sectors - before_data) // sectors_per_cluster
