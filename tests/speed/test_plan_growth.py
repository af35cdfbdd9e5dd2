"""What a plan costs, in calls and in bytes: a clock would tell how busy the machine is."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from scripts.benchmarks.plan import plan_root, write_root
from scripts.benchmarks.workbench import in_new_process
from station.image.geometry import Layout, plan_geometry
from station.image.planner import plan_volume
from station.image.tree import FileEntry

GB = 10**9
TB = 10**12


def calls_of(act: Callable[[], object]) -> int:
    """How many calls something makes, of Python's functions and of built-in ones."""
    calls = 0

    def count(_frame: FrameType, event: str, _what: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        act()
    finally:
        sys.setprofile(None)
    return calls


def plan(files: list[FileEntry], capacity_bytes: int) -> None:
    plan_volume(files, plan_geometry(capacity_bytes, 512, Layout.MBR), label="TEST")


def in_folders(count: int) -> list[FileEntry]:
    return [FileEntry(f"folder {n // 100}/영화 {n}.mp4", 1000 + n) for n in range(count)]


def in_one_folder(count: int) -> list[FileEntry]:
    """All with one 8.3 stem."""
    return [FileEntry(f"holiday picture {n}.jpeg", 1000 + n) for n in range(count)]


@pytest.mark.parametrize("files_of", [in_folders, in_one_folder])
def test_a_plan_takes_work_in_proportion_to_its_files(
    files_of: Callable[[int], list[FileEntry]],
) -> None:
    few = calls_of(lambda: plan(files_of(1000), 64 * GB))
    many = calls_of(lambda: plan(files_of(8000), 64 * GB))

    assert many <= 8.1 * few


def test_a_plan_takes_no_more_work_on_a_larger_drive() -> None:
    small = calls_of(lambda: plan(in_folders(1000), GB))
    large = calls_of(lambda: plan(in_folders(1000), 2 * TB))

    assert large <= 1.01 * small


def test_the_plan_of_a_terabyte_with_100_000_files_needs_less_than_300_mb(tmp_path: Path) -> None:
    write_root(tmp_path, 100_000, TB)

    cost = in_new_process(plan_root, tmp_path, TB)

    # All of the process, as the kernel counts it: interpreter, libraries and manifest included.
    assert cost.whole_memory_bytes < 300 * 10**6
