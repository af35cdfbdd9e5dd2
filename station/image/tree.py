"""The folders of a volume, from the flat list of its files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from station.errors import OperatorError
from station.image.directory import ENTRY_BYTES, MOST_ENTRIES, entries_of
from station.image.names import folded, name_problem
from station.image.order import natural_key

LARGEST_FILE_BYTES = (1 << 32) - 1  # the size field of a directory entry


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file as the planner sees it.

    Attributes:
        path: where it is to stand on the drive, `/`-separated, relative to the root.
        size_bytes: its length.
    """

    path: str
    size_bytes: int


@dataclass(slots=True)
class Folder:
    """A folder with what it holds, each list in natural order once the tree is built.

    Attributes:
        name: its own name; empty for the root.
        parent: the folder that holds it; None for the root.
        folders: folders directly below it.
        files: name and index (into the planner's list) of the files directly below it.
        entry_count: 32-byte entries that its directory takes, without a closing one.
    """

    name: str
    parent: "Folder | None" = None
    folders: list["Folder"] = field(default_factory=list)
    files: list[tuple[str, int]] = field(default_factory=list)
    entry_count: int = 0

    def size_clusters(self, cluster_bytes: int) -> int:
        """Clusters that the directory takes: at least one."""
        return max(-(-self.entry_count * ENTRY_BYTES // cluster_bytes), 1)


@dataclass(frozen=True, slots=True)
class Tree:
    """All folders and files, in the order in which they stand on the drive.

    Attributes:
        folders: the root first, then each folder before what it holds.
        file_order: indexes into the planner's list of files, folder by folder.
    """

    folders: tuple[Folder, ...]
    file_order: tuple[int, ...]


def build_tree(files: Sequence[FileEntry], *, has_label: bool = True) -> Tree:
    """Sort files into folders.

    Raises:
        OperatorError: for a path that begins with a slash, a name that FAT32 can't hold, two names
            in one folder that FAT32 takes for one, a file over 4 GiB - 1, and a folder with more
            entries than FAT32 allows.
    """
    root = Folder("")
    by_path = {"": root}
    for index, file in enumerate(files):
        if not 0 <= file.size_bytes <= LARGEST_FILE_BYTES:
            raise OperatorError(
                f"{file.path!r} is {file.size_bytes} bytes long, FAT32 allows {LARGEST_FILE_BYTES}",
                "Split the file, or leave it out.",
            )
        if file.path.startswith("/"):
            raise OperatorError(
                f"{file.path!r} begins with a slash", "Name it as seen from the drive's root."
            )
        parent_path, _, name = file.path.rpartition("/")
        parent = by_path.get(parent_path)
        if parent is None:
            parent = _add_folder(by_path, parent_path)
        parent.files.append((name, index))
    folders = tuple(_walk(root, has_label=has_label))
    file_order = tuple(index for folder in folders for _, index in folder.files)
    return Tree(folders, file_order)


def path_of(folder: Folder) -> str:
    """The path of a folder from the root, as people read it."""
    names = []
    step: Folder | None = folder
    while step is not None and step.parent is not None:
        names.append(step.name)
        step = step.parent
    return "/".join(reversed(names)) or "the root folder"


def _add_folder(by_path: dict[str, Folder], path: str) -> Folder:
    """Make a folder and those above it; a loop, because a hostile path may be very deep."""
    missing = []
    while path not in by_path:
        above, _, name = path.rpartition("/")
        missing.append((path, name))
        path = above
    parent = by_path[path]
    for below, name in reversed(missing):
        child = Folder(name, parent)
        parent.folders.append(child)
        by_path[below] = parent = child
    return parent


def _walk(root: Folder, *, has_label: bool) -> Iterator[Folder]:
    pending = [root]
    while pending:
        folder = pending.pop()
        # Checked before they are sorted: only a name of some length is sure to have a sort key.
        _settle(folder, has_label=has_label)
        folder.folders.sort(key=lambda child: natural_key(child.name))
        folder.files.sort(key=lambda file: natural_key(file[0]))
        yield folder
        pending.extend(reversed(folder.folders))


def _settle(folder: Folder, *, has_label: bool) -> None:
    """Check a folder's names and count its entries."""
    seen: dict[str, str] = {}
    # The root begins with the label, every other directory with `.` and `..`.
    count = (1 if has_label else 0) if folder.parent is None else 2
    for name in (*(child.name for child in folder.folders), *(name for name, _ in folder.files)):
        if problem := name_problem(name):
            raise OperatorError(
                f"{name!r} in {path_of(folder)} {problem}", "Rename it and make the manifest anew."
            )
        key = folded(name)
        if key in seen:
            raise OperatorError(
                f"{seen[key]!r} and {name!r} in {path_of(folder)} are one name to FAT32",
                "Rename one, or give the bundles different target folders in the profile.",
            )
        seen[key] = name
        count += entries_of(name)
    if count > MOST_ENTRIES:
        raise OperatorError(
            f"{path_of(folder)} needs {count} directory entries, FAT32 allows {MOST_ENTRIES}",
            "Spread its files over more folders, or shorten their names.",
        )
    folder.entry_count = count
