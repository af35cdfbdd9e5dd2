"""All directories of a volume, once it is known where everything stands."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from station.image.boot import padded_label
from station.image.directory import ENTRY_BYTES, Attribute, Entry, encode_named, encode_short
from station.image.short_names import ShortNames
from station.image.tree import FileEntry, Folder, Tree

_DOT = b".".ljust(11)
_DOT_DOT = b"..".ljust(11)
_ROOT_SEEN_FROM_BELOW = 0  # `..` of what stands directly below the root names cluster 0


@dataclass(frozen=True, slots=True, eq=False)
class Placement:
    """The first cluster of everything.

    Attributes:
        cluster_bytes: size of a cluster.
        folder_starts: int64, in the order of the tree's folders.
        file_starts: int64, in the order of the tree's files; 0 for an empty file.
    """

    cluster_bytes: int
    folder_starts: npt.NDArray[np.int64]
    file_starts: npt.NDArray[np.int64]


def encode_directories(
    tree: Tree, files: Sequence[FileEntry], placement: Placement, label: str
) -> bytes:
    """The directories in the order of the tree, each padded to whole clusters."""
    folder_starts = placement.folder_starts.tolist()
    start_of = {
        id(folder): start for folder, start in zip(tree.folders, folder_starts, strict=True)
    }
    file_starts = iter(placement.file_starts.tolist())
    parts = []
    for folder in tree.folders:
        above = start_of[id(folder.parent)] if folder.parent else 0
        entries = _first_entries(folder, start_of[id(folder)], above, label)
        short_names = ShortNames(
            [child.name for child in folder.folders] + [name for name, _ in folder.files]
        )
        for child in folder.folders:
            entry = Entry(start_of[id(child)], 0, Attribute.DIRECTORY)
            entries.append(encode_named(child.name, short_names.give(child.name), entry))
        for name, index in folder.files:
            entry = Entry(next(file_starts), files[index].size_bytes, Attribute.ARCHIVE)
            entries.append(encode_named(name, short_names.give(name), entry))
        directory = b"".join(entries)
        if len(directory) != folder.entry_count * ENTRY_BYTES:
            raise AssertionError(f"the directory of {folder.name!r} has not the planned length")
        size_bytes = folder.size_clusters(placement.cluster_bytes) * placement.cluster_bytes
        parts.append(directory.ljust(size_bytes, b"\0"))
    return b"".join(parts)


def _first_entries(folder: Folder, own_start: int, parent_start: int, label: str) -> list[bytes]:
    if folder.parent is None:
        if not label:
            return []
        return [encode_short(padded_label(label), Entry(0, 0, Attribute.VOLUME_LABEL))]
    above = parent_start if folder.parent.parent is not None else _ROOT_SEEN_FROM_BELOW
    return [
        encode_short(_DOT, Entry(own_start, 0, Attribute.DIRECTORY)),
        encode_short(_DOT_DOT, Entry(above, 0, Attribute.DIRECTORY)),
    ]
