"""A reader of FAT32 volumes, written from the specification and sharing nothing with the station.

Source: Microsoft FAT specification 1.03. It is stricter than any driver: whatever the specification
does not allow is a `BrokenVolumeError`, so that reading a volume is a test of it.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

ReadAt = Callable[[int, int], bytes]
"""From offset and length in bytes to the bytes of the drive."""

_FORBIDDEN_IN_SHORT = set(b'"*+,./:;<=>?[\\]|') | set(range(0x20))


class BrokenVolumeError(Exception):
    """Something that the specification does not allow."""


@dataclass(frozen=True, slots=True)
class Node:
    """What one directory entry names.

    Attributes:
        path: long names, `/`-separated.
        short_name: `STEM.EXT` as the 8.3 entry spells it.
        has_long_name: whether long-name entries stand before it.
        attributes: attribute byte.
        size_bytes: size field.
        clusters: the chain, in order.
        dates: the words at offsets 14 to 18 and 22 to 24: creation, access, write.
    """

    path: str
    short_name: str
    has_long_name: bool
    attributes: int
    size_bytes: int
    clusters: range
    dates: tuple[int, ...]

    @property
    def is_folder(self) -> bool:
        return bool(self.attributes & 0x10)


def _require(condition: object, complaint: str) -> None:
    if not condition:
        raise BrokenVolumeError(complaint)


class FatVolume:
    """One FAT32 volume that begins at some offset of a drive."""

    def __init__(self, read_at: ReadAt, offset_bytes: int) -> None:
        self._read_at = read_at
        self._offset_bytes = offset_bytes
        boot = read_at(offset_bytes, 512)
        _require(boot[510:] == b"\x55\xaa", "no signature")
        self.sector_bytes, self.sectors_per_cluster, self.reserved_sectors, fats = (
            struct.unpack_from("<HBHB", boot, 11)
        )
        self.hidden_sectors, self.total_sectors, self.fat_sectors = struct.unpack_from(
            "<III", boot, 28
        )
        (self.root_cluster,) = struct.unpack_from("<I", boot, 44)
        _require(fats == 2, "not two FATs")
        self.cluster_bytes = self.sector_bytes * self.sectors_per_cluster
        self._data_sector = self.reserved_sectors + fats * self.fat_sectors
        self.cluster_count = (self.total_sectors - self._data_sector) // self.sectors_per_cluster
        _require(self.cluster_count >= 65_525, "FAT12 or FAT16 by its cluster count")
        first, second = (self._read_fat(index) for index in range(2))
        _require((first == second).all(), "the FATs differ")
        _require(len(first) >= self.cluster_count + 2, "the FAT is too small")
        self.fat = first
        self.claimed = np.zeros(len(first), dtype=np.bool_)
        self.label = b""
        self._ends = np.flatnonzero(first >= 0x0FFFFFF8)

    def _read_fat(self, index: int) -> npt.NDArray[np.uint32]:
        sector = self.reserved_sectors + index * self.fat_sectors
        at = self._offset_bytes + sector * self.sector_bytes
        return np.frombuffer(self._read_at(at, self.fat_sectors * self.sector_bytes), dtype="<u4")

    def _chain(self, first: int) -> range:
        """The clusters of a chain, which must be contiguous and belong to nothing else."""
        _require(2 <= first < self.cluster_count + 2, f"cluster {first} does not exist")
        end = int(self._ends[np.searchsorted(self._ends, first)])
        _require(end < self.cluster_count + 2, "a chain leaves the volume")
        successors = np.arange(first + 1, end + 1)
        _require((self.fat[first:end] == successors).all(), f"the chain of {first} is fragmented")
        _require(not self.claimed[first : end + 1].any(), f"the chain of {first} is cross-linked")
        self.claimed[first : end + 1] = True
        return range(first, end + 1)

    def _read_clusters(self, clusters: range, skipped_bytes: int, length_bytes: int) -> bytes:
        if not clusters:
            return b""
        sector = self._data_sector + (clusters[0] - 2) * self.sectors_per_cluster
        return self._read_at(
            self._offset_bytes + sector * self.sector_bytes + skipped_bytes, length_bytes
        )

    def read(self, node: Node) -> bytes:
        """The bytes of a file."""
        return self.read_piece(node, 0, node.size_bytes)

    def read_piece(self, node: Node, skipped_bytes: int, length_bytes: int) -> bytes:
        """Some bytes of a file."""
        return self._read_clusters(node.clusters, skipped_bytes, length_bytes)

    def slack(self, node: Node) -> bytes:
        """The bytes between a file's end and the end of its last cluster."""
        whole_bytes = len(node.clusters) * self.cluster_bytes
        return self.read_piece(node, node.size_bytes, whole_bytes - node.size_bytes)

    def walk(self) -> Iterator[Node]:
        """Every file and folder in the order of the directories, each folder before its content.

        To be run through once; afterwards `claimed` marks the clusters that belong to something.
        """
        pending: list[tuple[str, range, int]] = [("", self._chain(self.root_cluster), 0)]
        while pending:
            path, clusters, parent = pending.pop()
            below: list[tuple[str, range, int]] = []
            for node in self._list(path, clusters, parent):
                yield node
                if node.is_folder:
                    own = 0 if not path else clusters[0]
                    below.append((node.path, node.clusters, own))
            pending.extend(reversed(below))

    def _list(self, path: str, clusters: range, parent: int) -> Iterator[Node]:
        data = self._read_clusters(clusters, 0, len(clusters) * self.cluster_bytes)
        _require(len(data) <= 2 << 20, f"the directory {path!r} is over 2 MiB")
        entries = [data[at : at + 32] for at in range(0, len(data), 32)]
        if path:
            self._check_dots(entries[:2], clusters[0], parent)
            entries = entries[2:]
        pending: list[bytes] = []
        for index, entry in enumerate(entries):
            if entry[0] == 0:
                _require(not pending, "long-name entries without a short one")
                _require(not any(map(any, entries[index:])), "garbage behind the last entry")
                return
            _require(entry[0] != 0xE5, "a deleted entry on a new volume")
            if entry[11] == 0x0F:
                pending.append(entry)
            elif entry[11] & 0x08:
                _require(not path and index == 0, "a label that is not the root's first entry")
                self.label = entry[:11]
            else:
                yield self._node(path, entry, pending)
                pending = []
        _require(not pending, "long-name entries without a short one")

    def _check_dots(self, entries: list[bytes], own: int, parent: int) -> None:
        names = [entry[:11] for entry in entries]
        _require(names == [b".          ", b"..         "], "no dot entries")
        _require([_first_cluster(entry) for entry in entries] == [own, parent], "dots astray")
        _require(all(entry[11] == 0x10 for entry in entries), "dot entries that are no folders")

    def _node(self, path: str, entry: bytes, long_entries: list[bytes]) -> Node:
        short_name = _short_name(entry[:11])
        name = _long_name(long_entries, entry[:11]) if long_entries else short_name
        size = int.from_bytes(entry[28:32], "little")
        first = _first_cluster(entry)
        is_folder = bool(entry[11] & 0x10)
        _require(bool(first) or not (size or is_folder), f"{name!r} has no cluster")
        clusters = self._chain(first) if first else range(0)
        if is_folder:
            _require(size == 0, f"the folder {name!r} has a size")
        else:
            needed = -(-size // self.cluster_bytes)
            _require(len(clusters) == needed, f"{name!r} has {len(clusters)} clusters")
        return Node(
            f"{path}/{name}" if path else name,
            short_name,
            bool(long_entries),
            entry[11],
            size,
            clusters,
            (
                entry[13],
                *struct.unpack_from("<HHH", entry, 14),
                *struct.unpack_from("<HH", entry, 22),
            ),
        )


def _first_cluster(entry: bytes) -> int:
    high, low = struct.unpack_from("<H4xH", entry, 20)
    return int(high << 16 | low)


def _short_name(field: bytes) -> str:
    stem, extension = field[:8].rstrip(b" "), field[8:].rstrip(b" ")
    used = stem + extension
    _require(stem, "a short name without a stem")
    _require(b" " not in used, f"a space inside of the short name {field!r}")
    _require(not set(used) & _FORBIDDEN_IN_SHORT, f"{field!r} holds a forbidden byte")
    _require(used == used.upper(), f"{field!r} is not upper case")
    return (stem + b"." + extension if extension else stem).decode("ascii")


def _long_name(entries: list[bytes], short_name: bytes) -> str:
    total = 0
    for byte in short_name:
        total = ((total >> 1 | total << 7) + byte) & 0xFF
    orders = [entry[0] for entry in entries]
    count = len(entries)
    _require(orders == [count | 0x40, *range(count - 1, 0, -1)], f"orders of entries: {orders}")
    _require(all(entry[13] == total for entry in entries), "a long name of another short one")
    _require(all(entry[12] == 0 and entry[26:28] == b"\0\0" for entry in entries), "type, cluster")
    text = b"".join(entry[1:11] + entry[14:26] + entry[28:32] for entry in reversed(entries))
    units = np.frombuffer(text, dtype="<u2")
    zeros = np.flatnonzero(units == 0)
    if len(zeros):
        end = int(zeros[0])
        _require(end > len(units) - 13, "a long-name entry that holds nothing")
        _require((units[end + 1 :] == 0xFFFF).all(), "padding that is not FFFF")
        units = units[:end]
    _require(0 < len(units) <= 255, f"a name of {len(units)} units")
    return units.tobytes().decode("utf-16-le")
