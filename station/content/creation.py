"""Makes the manifest of a folder."""

import os
from pathlib import Path

from station.content.b3sum import Checksum
from station.content.hashing import HashedFile, Progress, hash_files, no_progress
from station.content.locate import ContentFolder
from station.content.manifest import FORMAT, Manifest, ManifestFile, require_valid
from station.content.rules import ContentRefusedError, Problem
from station.content.scan import Scan
from station.errors import OperatorError


def require_place(folder: Path, manifest_path: Path) -> None:
    """Pass a place for a manifest that is outside of the folder that it lists.

    Raises:
        OperatorError: for a place inside, where the manifest would count as content, or in a
            folder that does not exist.
    """
    if not manifest_path.parent.is_dir():
        raise OperatorError(
            f"{manifest_path.parent}: is no folder", "Make it, then run this again."
        )
    if manifest_path.parent.resolve().is_relative_to(folder.resolve()):
        raise OperatorError(
            f"{manifest_path}: lies inside of the folder {folder} that it is to list",
            "Write it to another folder, best to content_manifests/.",
        )


def create_manifest(
    scan: Scan, folder: Path, manifest_path: Path, name: str, progress: Progress = no_progress
) -> Manifest:
    """Hash what a scan found.

    Args:
        scan: the folder's files.
        folder: the folder.
        manifest_path: where the manifest will be written; not written here.
        name: name of the bundle.
        progress: told of every read; the total is `scan.total_bytes`.

    Raises:
        OperatorError: when the name is none, or a file changes meanwhile.
    """
    with ContentFolder(folder) as opened:
        hashed = hash_files(opened, [file.path for file in scan.files], progress)
    return _manifest(hashed, folder, manifest_path, name)


def adopt_checksums(
    scan: Scan, checksums: list[Checksum], folder: Path, manifest_path: Path, name: str
) -> Manifest:
    """Take the hashes from b3sum instead of reading all files once more.

    Args:
        scan: the folder's files.
        checksums: what b3sum printed when it was run in the folder.
        folder: the folder.
        manifest_path: where the manifest will be written; not written here.
        name: name of the bundle.

    Raises:
        ContentRefusedError: when a file has no checksum, or more than one.
        OperatorError: when the name is none.
    """
    known: dict[str, str] = {}
    problems: list[Problem] = []
    for checksum in checksums:
        path = checksum.path.removeprefix("./")
        if known.setdefault(path, checksum.blake3) != checksum.blake3:
            problems.append(Problem(path, "has two checksums"))
    problems += [
        Problem(file.path, "has no checksum") for file in scan.files if file.path not in known
    ]
    if problems:
        raise ContentRefusedError(
            "checksums", problems, f"Make them anew: run b3sum in {folder} on all files."
        )
    hashed = [HashedFile(file.path, file.size, known[file.path]) for file in scan.files]
    return _manifest(hashed, folder, manifest_path, name)


def _manifest(hashed: list[HashedFile], folder: Path, manifest_path: Path, name: str) -> Manifest:
    manifest = Manifest(
        format=FORMAT,
        name=name,
        # Both without links: the kernel takes `..` of the real folder, not of the name.
        folder=os.path.relpath(folder.resolve(), manifest_path.parent.resolve()),
        files=tuple(ManifestFile(file.path, file.size, file.blake3) for file in hashed),
    )
    require_valid(manifest, str(manifest_path))
    return manifest
