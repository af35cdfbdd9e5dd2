"""What the sweeps work with."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.job.workshop import Workshop


@pytest.fixture
def memory_folder() -> Iterator[Path]:
    """A folder in memory: thousands of sticks are written."""
    folder = Path("/dev/shm") / f"station-sweep-{os.getpid()}"  # noqa: S108 - removed below
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.fixture(autouse=True)
def same_probe_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each case meet the same operations: the probe's places are drawn anew for every stick."""
    monkeypatch.setattr("station.job.probe.random.SystemRandom", lambda: Random(7))


@pytest.fixture
def workshop(memory_folder: Path) -> Iterator[Workshop]:
    """A bundle, and orders for sticks."""
    shop = Workshop(memory_folder)
    yield shop
    for book in shop.books:
        book.close()
