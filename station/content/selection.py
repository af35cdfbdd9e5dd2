"""The files that one drive is to hold, and where they come from."""

from dataclasses import dataclass
from pathlib import Path

from station.image.tree import FileEntry


@dataclass(frozen=True, slots=True)
class SelectedFile:
    """One file on its way from a bundle to a drive.

    Attributes:
        entry: where it is to stand on the drive, and its size.
        folder: the bundle's folder on the station.
        path: the file's path in that folder, as the manifest lists it.
        blake3: digest that its content must have, 32 bytes.
    """

    entry: FileEntry
    folder: Path
    path: str
    blake3: bytes


@dataclass(frozen=True, slots=True)
class Offer:
    """A bundle that a profile would like to see on a drive.

    Attributes:
        name: name of the manifest.
        is_required: whether a drive without it is not worth making.
        files: its files, where they would stand on the drive.
    """

    name: str
    is_required: bool
    files: tuple[SelectedFile, ...]

    @property
    def total_bytes(self) -> int:
        """Sum of the sizes of all files."""
        return sum(file.entry.size_bytes for file in self.files)


@dataclass(frozen=True, slots=True)
class Selection:
    """What one capacity of drives takes of a profile.

    Attributes:
        taken: the bundles, in order of priority.
        left_out: optional bundles that did not fit.
    """

    taken: tuple[Offer, ...]
    left_out: tuple[Offer, ...]

    @property
    def files(self) -> tuple[SelectedFile, ...]:
        """All files of the bundles that were taken."""
        return tuple(file for offer in self.taken for file in offer.files)
