"""Bundles that the station makes itself, so that it can be tried without any content."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from blake3 import blake3

from station.content.check import check_sizes
from station.content.hashing import Progress, no_progress
from station.content.manifest import Manifest, ManifestFile
from station.content.sample_media import film, song
from station.content.sample_pages import ENGLISH, KOREAN, pages
from station.errors import OperatorError, StationFaultError

_SONGS = {
    "음악/01 첫눈.wav": 75,
    "음악/02 봄날의 강가.wav": 68,
    "음악/03 고향 가는 길.wav": 82,
    "음악/10 겨울밤.wav": 70,
    "Music/1 Morning on the Harbour.wav": 64,
    "Music/2 The Long Road Home.wav": 77,
    "Music/9 Lanterns.wav": 59,
    "Music/10 Rain over the Fields.wav": 88,
}
_FILMS = {
    "영화/가을 소나기.avi": 22,
    "영화/나의 도시, 나의 봄.avi": 30,
    "영화/다리 위의 아이들.avi": 12,
    "영화/바다로 가는 기차.avi": 46,
    "영화/하얀 등대 (감독판).avi": 18,
    "Films/A Letter from the North.avi": 34,
    "Films/The Bridge, Part 1.avi": 26,
    "Films/The Bridge, Part 2.avi": 28,
    "Films/Winter Light 🎬.avi": 16,
}


@dataclass(frozen=True, slots=True)
class GeneratedFile:
    """A file that is computed.

    Attributes:
        path: relative to the bundle's folder, `/`-separated, in composed form (NFC).
        pieces: the content, in order.
    """

    path: str
    pieces: Iterable[bytes]


def _small_files() -> Iterator[GeneratedFile]:
    for language in (KOREAN, ENGLISH):
        for path, page in pages(language):
            yield GeneratedFile(path, (page,))
    for path, length_s in _SONGS.items():
        yield GeneratedFile(path, (song(path, length_s),))


def _large_files() -> Iterator[GeneratedFile]:
    for path, length_s in _FILMS.items():
        yield GeneratedFile(path, film(path, length_s))


GENERATORS: dict[str, Callable[[], Iterator[GeneratedFile]]] = {
    "sample": _small_files,
    "sample-films": _large_files,
}
"""What makes the files, by the `generator` that manifests name."""


def ensure_generated(manifest: Manifest, folder: Path, progress: Progress = no_progress) -> bool:
    """Make the files of a manifest that names a generator, unless they are there.

    They are written beside the folder, held against the manifest by their hashes, and put in place
    in one step: a run that is killed leaves no half of them there.

    Args:
        manifest: what is to be there; one without a generator is left alone.
        folder: where it is to be.
        progress: told of every write; the total is `manifest.total_bytes`.

    Returns:
        Whether the files were made now.

    Raises:
        OperatorError: when the generator is unknown, or the folder holds something else.
        StationFaultError: when what was made is not what the manifest lists, or the disk fails.
    """
    if manifest.generator is None or _is_there(manifest, folder):
        return False
    generate = GENERATORS.get(manifest.generator)
    if generate is None:
        raise OperatorError(
            f"manifest {manifest.name!r}: generator {manifest.generator!r} is unknown",
            f"This station knows: {', '.join(GENERATORS)}",
        )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            made.chmod(0o755)
            if tuple(write_files(generate(), made, progress)) != manifest.files:
                raise StationFaultError(
                    f"{folder}: what was made is not what manifest {manifest.name!r} lists",
                    "Run scripts/make-sample to list it anew.",
                )
            _put_in_place(made, folder)
        finally:
            shutil.rmtree(made, ignore_errors=True)
    except OSError as error:
        raise StationFaultError(
            f"{folder}: the sample can't be written: {error.strerror}",
            "Make room on the disk, or name another folder with --root or --content.",
        ) from None
    return True


def write_files(
    files: Iterable[GeneratedFile], folder: Path, progress: Progress = no_progress
) -> list[ManifestFile]:
    """Write generated files below a folder.

    Returns:
        What was written, sorted by path as manifests are.

    Raises:
        OSError: when the disk fails.
    """
    written = []
    for file in files:
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        hasher = blake3()
        size = 0
        with path.open("xb") as output:
            for piece in file.pieces:
                output.write(piece)
                hasher.update(piece)
                size += len(piece)
                progress(len(piece))
        written.append(ManifestFile(file.path, size, hasher.hexdigest()))
    return sorted(written, key=lambda entry: entry.path)


def _is_there(manifest: Manifest, folder: Path) -> bool:
    """Whether the files are there, by name and size: loading compares every byte anyway."""
    if not folder.exists() or not any(folder.iterdir()):
        return False
    if check_sizes(manifest, folder).is_clean:
        return True
    raise OperatorError(
        f"{folder}: does not hold what manifest {manifest.name!r} lists",
        "Remove or rename the folder, and the station makes the sample anew.",
    )


def _put_in_place(made: Path, folder: Path) -> None:
    try:
        # Replaces an empty folder, and nothing else.
        os.rename(made, folder)  # noqa: PTH104 - the system call's own guarantee is what counts here
    except OSError:
        # Another station may have made the same files meanwhile.
        if not folder.exists():
            raise
