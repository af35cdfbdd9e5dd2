"""From files and a capacity to the image of a drive. Pure: numbers and names in, extents out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from station.errors import DriveTooSmallError
from station.image.block import BytesBlock
from station.image.boot import BOOT_RECORD_SECTORS, encode_boot_record
from station.image.directories import Placement, encode_directories
from station.image.extent import Extent, ExtentTable, Kind
from station.image.fat import FatBlock
from station.image.geometry import FIRST_CLUSTER, Geometry, Layout
from station.image.identity import VolumeIdentity
from station.image.image import Image
from station.image.mbr import encode_mbr
from station.image.tree import FileEntry, build_tree
from station.units import MIB, format_size

_ERASED_VALUE = 0
_KEPT_BORDER_BYTES = MIB


@dataclass(frozen=True, slots=True)
class VolumePlan:
    """The image of all drives of one capacity, but for the numbers that tell them apart.

    Attributes:
        geometry: where the parts of the volume stand.
        label: volume label, or empty.
        extents: all of the drive.
        fat: the file allocation table.
        directories: all directories, one after the other from cluster 2 on.
        free_clusters: clusters in no use.
        last_cluster: the last cluster in use.
        content_bytes: length of all files together.
        content_end_bytes: offset behind the last cluster in use; what follows is only erased.
    """

    geometry: Geometry
    label: str
    extents: ExtentTable
    fat: FatBlock
    directories: BytesBlock
    free_clusters: int
    last_cluster: int
    content_bytes: int
    content_end_bytes: int

    def image(self, identity: VolumeIdentity) -> Image:
        """The image of one drive."""
        record = encode_boot_record(
            self.geometry,
            self.label,
            identity.volume_id,
            free_clusters=self.free_clusters,
            last_cluster=self.last_cluster,
        )
        if self.geometry.layout is Layout.MBR:
            seal = encode_mbr(self.geometry, identity.disk_signature)
        else:
            seal, record = (
                record[: self.geometry.sector_bytes],
                record[self.geometry.sector_bytes :],
            )
        return Image(
            self.geometry.sector_bytes,
            self.extents,
            (BytesBlock(record), self.fat, self.directories),
            seal,
        )


def plan_volume(
    files: Sequence[FileEntry],
    geometry: Geometry,
    *,
    label: str = "",
    keeps_free_space: bool = False,
) -> VolumePlan:
    """Lay files out on a drive, each contiguous, folder by folder in natural order.

    Args:
        files: what the drive is to hold; extents refer to them by their index.
        geometry: the volume.
        label: volume label, up to 11 characters of upper-case ASCII, or empty.
        keeps_free_space: leave what lies behind the content as it is, instead of erasing it, but
            for the first and the last MiB of the drive.

    Raises:
        OperatorError: when the files can't stand on a FAT32 volume.
        DriveTooSmallError: when they don't fit on this one.
    """
    tree = build_tree(files, has_label=bool(label))
    cluster_bytes = geometry.cluster_bytes
    file_order = np.array(tree.file_order, dtype=np.int64)
    sizes_bytes = np.fromiter(
        (files[index].size_bytes for index in tree.file_order), np.int64, len(files)
    )
    file_clusters = -(-sizes_bytes // cluster_bytes)
    folder_clusters = np.array(
        [folder.size_clusters(cluster_bytes) for folder in tree.folders], dtype=np.int64
    )
    needed = int(folder_clusters.sum() + file_clusters.sum())
    if needed > geometry.cluster_count:
        raise DriveTooSmallError(
            f"the files need {format_size(needed * cluster_bytes)}, a drive of"
            f" {format_size(geometry.capacity_bytes)} has room for"
            f" {format_size(geometry.data_bytes)}",
            "Choose a profile for smaller drives, or make a bundle optional.",
        )

    ends = FIRST_CLUSTER + np.cumsum(np.concatenate((folder_clusters, file_clusters)))
    starts = ends - np.concatenate((folder_clusters, file_clusters))
    folder_starts = starts[: len(tree.folders)]
    file_starts = np.where(file_clusters > 0, starts[len(tree.folders) :], 0)
    last_cluster = FIRST_CLUSTER + needed - 1

    directories = encode_directories(
        tree, files, Placement(cluster_bytes, folder_starts, file_starts), label
    )
    # An empty file has no chain; its "end" is that of its predecessor.
    chain_ends = np.unique(ends - 1).astype(np.uint32)
    extents = _lay_out(
        geometry, len(directories), file_order, sizes_bytes, keeps_free_space=keeps_free_space
    )
    return VolumePlan(
        geometry,
        label,
        extents,
        FatBlock(geometry.fat_bytes, chain_ends),
        BytesBlock(directories),
        free_clusters=geometry.cluster_count - needed,
        last_cluster=last_cluster,
        content_bytes=int(sizes_bytes.sum()),
        content_end_bytes=geometry.cluster_offset_bytes(last_cluster + 1),
    )


def _lay_out(
    geometry: Geometry,
    directories_bytes: int,
    file_order: npt.NDArray[np.int64],
    sizes_bytes: npt.NDArray[np.int64],
    *,
    keeps_free_space: bool,
) -> ExtentTable:
    """The extents of the whole drive, from the seal to its last byte."""
    sector = geometry.sector_bytes
    record_start = max(geometry.partition_bytes, sector)
    record_end = geometry.partition_bytes + BOOT_RECORD_SECTORS * sector
    fat = [geometry.fat_offset_bytes(index) for index in range(2)]
    data = geometry.data_offset_bytes
    before_files = [
        Extent(0, sector, Kind.SEAL, 0),
        Extent(sector, record_start - sector, Kind.FILL, _ERASED_VALUE),
        Extent(record_start, record_end - record_start, Kind.BLOCK, 0),
        Extent(record_end, fat[0] - record_end, Kind.FILL, _ERASED_VALUE),
        Extent(fat[0], geometry.fat_bytes, Kind.BLOCK, 1),
        Extent(fat[1], geometry.fat_bytes, Kind.BLOCK, 1),
        Extent(data, directories_bytes, Kind.BLOCK, 2),
    ]
    files, files_end = _lay_out_files(
        data + directories_bytes, geometry.cluster_bytes, file_order, sizes_bytes
    )
    kept_start = kept_end = files_end
    if keeps_free_space:
        kept_start = max(files_end, _KEPT_BORDER_BYTES)
        border = max(geometry.capacity_bytes - _KEPT_BORDER_BYTES, 0) // sector * sector
        kept_end = max(border, kept_start)
    after_files = [
        Extent(files_end, kept_start - files_end, Kind.FILL, _ERASED_VALUE),
        Extent(kept_start, kept_end - kept_start, Kind.KEEP, 0),
        Extent(kept_end, geometry.capacity_bytes - kept_end, Kind.FILL, _ERASED_VALUE),
    ]
    return ExtentTable.joined(
        [ExtentTable.part(before_files), files, ExtentTable.part(after_files)]
    )


def _lay_out_files(
    start_bytes: int,
    cluster_bytes: int,
    file_order: npt.NDArray[np.int64],
    sizes_bytes: npt.NDArray[np.int64],
) -> tuple[ExtentTable, int]:
    """Each file, and the fill of its last cluster; and where the last one ends."""
    slots_bytes = -(-sizes_bytes // cluster_bytes) * cluster_bytes
    starts_bytes = start_bytes + np.cumsum(slots_bytes) - slots_bytes
    end_bytes = start_bytes + int(slots_bytes.sum())
    # Rows of (file, fill) in turn; the empty ones among them are left out.
    starts = np.column_stack((starts_bytes, starts_bytes + sizes_bytes)).ravel()
    lengths = np.column_stack((sizes_bytes, slots_bytes - sizes_bytes)).ravel()
    kinds = np.tile(np.array([Kind.FILE, Kind.FILL], dtype=np.uint8), len(sizes_bytes))
    refs = np.column_stack((file_order, np.full_like(file_order, _ERASED_VALUE))).ravel()
    full = lengths > 0
    return ExtentTable(starts[full], lengths[full], kinds[full], refs[full]), end_bytes
