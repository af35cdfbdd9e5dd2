"""How many clusters a growing set of files takes, before anything is laid out."""

from collections.abc import Iterable

from station.image.directory import ENTRY_BYTES, entries_of
from station.image.tree import FileEntry


class Footprint:
    """Counts clusters of files and of the folders that they need.

    Args:
        cluster_bytes: size of a cluster.
        has_label: whether the root holds a volume label.
    """

    def __init__(self, cluster_bytes: int, *, has_label: bool = True) -> None:
        self._cluster_bytes = cluster_bytes
        self._entry_counts = {"": 1 if has_label else 0}
        self._file_clusters = 0

    @property
    def clusters(self) -> int:
        """Clusters that all directories and files take together."""
        return self._file_clusters + sum(
            max(-(-count * ENTRY_BYTES // self._cluster_bytes), 1)
            for count in self._entry_counts.values()
        )

    def with_files(self, files: Iterable[FileEntry]) -> "Footprint":
        """The footprint with more files; this one stays as it is."""
        grown = Footprint(self._cluster_bytes)
        grown._entry_counts = dict(self._entry_counts)
        grown._file_clusters = self._file_clusters
        for file in files:
            grown._add(file)
        return grown

    def _add(self, file: FileEntry) -> None:
        self._file_clusters += -(-file.size_bytes // self._cluster_bytes)
        counts = self._entry_counts
        path, _, name = file.path.rpartition("/")
        entries = entries_of(name)
        while path not in counts:
            counts[path] = 2 + entries  # `.` and `..`
            path, _, name = path.rpartition("/")
            entries = entries_of(name)
        counts[path] += entries
