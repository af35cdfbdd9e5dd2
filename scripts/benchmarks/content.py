"""Bundles for measuring: files of random bytes, and the orders for them."""

import os
from collections.abc import Sequence
from pathlib import Path
from random import Random

from blake3 import blake3

from station.content.profile import (
    BundleChoice,
    DriveLimits,
    EraseOptions,
    Profile,
    VolumeOptions,
)
from station.content.selection import Offer, SelectedFile
from station.image.tree import FileEntry
from station.job.order import OrderBook
from station.units import MIB

# No multiple of anything, as films are.
FILM_BYTES = 16 * MIB + 12_345
_ARTICLES_PER_FOLDER = 500
_SMALLEST_ARTICLE_BYTES = 1_000
_LARGEST_ARTICLE_BYTES = 30_000

# Without the probe: a benchmark is about the bytes that every stick needs.
PROFILE = Profile(
    "bench",
    "Benchmark",
    VolumeOptions(label="BENCH"),
    EraseOptions(),
    DriveLimits(probe=False),
    (BundleChoice(manifest="bench"),),
)


def make_films(folder: Path, total_bytes: int, film_bytes: int = FILM_BYTES) -> list[SelectedFile]:
    """Large files of `total_bytes` in all, or a little less."""
    return [
        _make(folder, f"films/film {index}.mp4", os.urandom(film_bytes))
        for index in range(total_bytes // film_bytes)
    ]


def article_sizes(count: int) -> list[int]:
    """Lengths of 1 to 30 kB; the shorter, the more of them."""
    random = Random(count)  # noqa: S311 - data, no secret
    spread = _LARGEST_ARTICLE_BYTES / _SMALLEST_ARTICLE_BYTES
    return [int(_SMALLEST_ARTICLE_BYTES * spread ** random.random()) for _ in range(count)]


def make_articles(folder: Path, count: int) -> list[SelectedFile]:
    """Files of 1 to 30 kB, like those of an encyclopedia."""
    return [
        _make(
            folder,
            f"articles/{index // _ARTICLES_PER_FOLDER}/article {index}.html",
            os.urandom(size_bytes),
        )
        for index, size_bytes in enumerate(article_sizes(count))
    ]


def first_of(files: Sequence[SelectedFile], total_bytes: int) -> list[SelectedFile]:
    """As many of the files as have at most `total_bytes`."""
    taken = []
    for file in files:
        total_bytes -= file.entry.size_bytes
        if total_bytes < 0:
            break
        taken.append(file)
    return taken


def book_of(files: Sequence[SelectedFile], profile: Profile = PROFILE) -> OrderBook:
    """Orders for one bundle."""
    return OrderBook(profile, [Offer("bench", is_required=True, files=tuple(files))])


def _make(folder: Path, path: str, data: bytes) -> SelectedFile:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_bytes(data)
    return SelectedFile(FileEntry(path, len(data)), folder, path, blake3(data).digest())
