"""Drives to test on: simulated ones, and loop devices over files that the tests made; no others."""

import contextlib
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from station.device.fault import Fault
from station.device.simulated import SimulatedDrive
from tests.device.simulated_stick import CAPACITY

MIB = 1 << 20

LoopFactory = Callable[..., Path]


def run(*command: str | Path) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def make_image(tmp_path: Path) -> Callable[..., Path]:
    """Make a sparse file of a size."""

    def make(size_bytes: int = 4 * MIB, name: str = "stick.img") -> Path:
        path = tmp_path / name
        with path.open("xb") as file:
            file.truncate(size_bytes)
        return path

    return make


@pytest.fixture
def make_loop() -> Iterator[LoopFactory]:
    """Attach a file to a loop device; detached again when the test ends."""
    if os.geteuid() != 0 and "CI" not in os.environ:
        pytest.skip("loop devices need root")
    with contextlib.ExitStack() as attached:

        def make(image: Path, *options: str) -> Path:
            node = Path(run("losetup", "--find", "--show", *options, image).strip())
            attached.callback(run, "losetup", "--detach", node)
            return node

        yield make


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Mount a device or file system; unmounted again when the test ends."""
    with contextlib.ExitStack() as mounts:

        def mount(source: Path | str, *options: str, name: str = "mnt") -> Path:
            point = tmp_path / name
            point.mkdir()
            run("mount", *options, source, point)
            mounts.callback(run, "umount", point)
            return point

        yield mount


@pytest.fixture
def stick(tmp_path: Path) -> Callable[..., SimulatedDrive]:
    """A stick of 32 sectors with these faults."""

    def make(*faults: Fault, **options: Any) -> SimulatedDrive:
        return SimulatedDrive(
            tmp_path / "stick.img",
            CAPACITY,
            faults=faults,
            **options,
        )

    return make
