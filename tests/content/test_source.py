import os
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from blake3 import blake3

from station.content import source as source_module
from station.content.selection import SelectedFile
from station.content.source import SMALLEST_MAPPED_BYTES, Source, SourceChangedError
from station.image.tree import FileEntry
from tests.content.conftest import Plant

LARGE_BYTES = SMALLEST_MAPPED_BYTES
LARGE = bytes(range(256)) * (LARGE_BYTES // 256)


@contextmanager
def source_of(folder: Path, contents: Mapping[str, bytes]) -> Iterator[Source]:
    files = [
        SelectedFile(FileEntry(path, len(content)), folder, path, blake3(content).digest())
        for path, content in contents.items()
    ]
    with ExitStack() as stack:
        source = Source(files)
        stack.callback(source.close)
        yield source


def read(source: Source, index: int, offset_bytes: int, length_bytes: int) -> bytes:
    into = memoryview(bytearray(length_bytes))
    source.read_into(index, offset_bytes, into)
    return bytes(into)


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - a count is all that is wanted


def test_any_part_of_a_file_is_read(plant: Plant) -> None:
    contents = {"a.txt": b"0123456789", "sub/b.txt": b"abc"}
    with source_of(plant(contents), contents) as source:
        assert read(source, 0, 0, 10) == b"0123456789"
        assert read(source, 0, 3, 4) == b"3456"
        assert read(source, 1, 0, 3) == b"abc"
        assert read(source, 1, 3, 0) == b""


def test_large_files_are_mapped_and_small_ones_are_not(plant: Plant) -> None:
    contents = {"large": LARGE, "small": LARGE[:-1]}
    with source_of(plant(contents), contents) as source:
        mapping = source.mapping(0)

        assert mapping is not None
        assert mapping[:] == LARGE
        assert source.mapping(1) is None


def test_a_file_is_mapped_once_for_all_drives(plant: Plant) -> None:
    contents = {"large": LARGE}
    with source_of(plant(contents), contents) as source, ThreadPoolExecutor(8) as threads:
        first = source.mapping(0)

        assert all(found is first for found in threads.map(source.mapping, [0] * 32))


def test_a_file_that_another_one_took_the_place_of_is_mapped_anew(plant: Plant) -> None:
    contents = {"large": LARGE}
    folder = plant(contents)
    with source_of(folder, contents) as source:
        before = source.mapping(0)
        other = folder / "other"
        other.write_bytes(LARGE[::-1])
        other.rename(folder / "large")
        after = source.mapping(0)

        assert before is not None
        assert after is not None
        assert (before[:], after[:]) == (LARGE, LARGE[::-1])


def test_only_so_many_files_are_kept_mapped(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_module, "_MOST_MAPPINGS", 3)
    contents = {str(number): bytes([number]) * LARGE_BYTES for number in range(6)}
    with source_of(plant(contents), contents) as source:
        source.mapping(5)
        before = open_files()
        for index in range(5):
            source.mapping(0)
            source.mapping(index)

        # Python's mappings hold a descriptor each: one was open before, three are now.
        assert open_files() == before + 2
        kept = source.mapping(0)
        assert kept is source.mapping(0)
    assert open_files() < before


def test_nothing_stays_open_when_files_are_wrong(plant: Plant) -> None:
    contents = {"large": LARGE, "small": b"abc"}
    folder = plant(contents)
    with source_of(folder, contents) as source:
        read(source, 1, 0, 3)
        before = open_files()
        for path in contents:
            os.truncate(folder / path, 1)
        for _ in range(5):
            with pytest.raises(SourceChangedError):
                source.mapping(0)
            with pytest.raises(SourceChangedError):
                read(source, 1, 0, 3)
            with pytest.raises(SourceChangedError):
                source.require_unchanged(1, 0)

        assert open_files() == before


@pytest.mark.parametrize("size_bytes", [0, 2, 4])
def test_another_size_than_listed_is_told_with_both(plant: Plant, size_bytes: int) -> None:
    contents = {"a.txt": b"abc"}
    folder = plant(contents)
    os.truncate(folder / "a.txt", size_bytes)
    with (
        source_of(folder, contents) as source,
        pytest.raises(SourceChangedError, match=rf"a.txt has {size_bytes} bytes, .* says 3$"),
    ):
        read(source, 0, 0, 1)


def test_a_mapped_file_of_another_size_is_noticed_at_the_next_use(plant: Plant) -> None:
    contents = {"large": LARGE}
    folder = plant(contents)
    with source_of(folder, contents) as source:
        source.mapping(0)
        os.truncate(folder / "large", 4096)

        with pytest.raises(SourceChangedError, match="has 4096 bytes"):
            source.mapping(0)


def test_a_file_that_became_shorter_since_it_was_opened_is_noticed(plant: Plant) -> None:
    contents = {"a.txt": b"abc"}
    with (
        source_of(plant(contents), contents) as source,
        pytest.raises(SourceChangedError, match=r"a.txt became shorter$"),
    ):
        read(source, 0, 1, 3)


def test_a_file_or_folder_that_is_gone_is_told_as_such(plant: Plant) -> None:
    contents = {"a.txt": b"abc"}
    folder = plant(contents)
    with source_of(folder, contents) as source:
        (folder / "a.txt").unlink()
        with pytest.raises(SourceChangedError, match=r"a.txt can't be opened: No such file"):
            read(source, 0, 0, 3)
    with (
        source_of(folder / "gone", contents) as source,
        pytest.raises(SourceChangedError, match=r"can't be opened: No such file"),
    ):
        read(source, 0, 0, 3)


def test_a_named_pipe_in_place_of_a_file_holds_nobody_up(plant: Plant) -> None:
    contents = {"a.txt": b"abc"}
    folder = plant(contents)
    (folder / "a.txt").unlink()
    os.mkfifo(folder / "a.txt")
    with (
        source_of(folder, contents) as source,
        pytest.raises(SourceChangedError, match="Not a regular file"),
    ):
        read(source, 0, 0, 3)


def test_a_file_whose_disk_fails_is_told_with_the_kernels_word() -> None:
    # The first page of no process is mapped: a regular file that fails with EIO on every machine.
    with source_of(Path("/proc/self"), {"mem": b""}) as source:
        with pytest.raises(SourceChangedError, match=r"mem can't be read: Input/output error$"):
            read(source, 0, 0, 3)
        with pytest.raises(SourceChangedError, match=r"mem can't be read: Input/output error$"):
            source.require_unchanged(0, time.time_ns() + 10**9)


def test_a_file_as_it_was_listed_and_left_alone_is_unchanged(plant: Plant) -> None:
    contents = {"a.txt": b"abc", "large": LARGE}
    with source_of(plant(contents), contents) as source:
        later_ns = time.time_ns() + 10**9
        source.require_unchanged(0, later_ns)
        source.require_unchanged(1, later_ns)


def test_a_file_with_another_content_is_changed(plant: Plant) -> None:
    contents = {"a.txt": b"abc"}
    folder = plant(contents)
    (folder / "a.txt").write_bytes(b"abd")
    with (
        source_of(folder, contents) as source,
        pytest.raises(SourceChangedError, match="another content than its manifest says"),
    ):
        source.require_unchanged(0, time.time_ns() + 10**9)


def test_a_file_that_was_touched_since_may_have_been_another_one(plant: Plant) -> None:
    contents = {"a.txt": b"abc"}
    with (
        source_of(plant(contents), contents) as source,
        pytest.raises(SourceChangedError, match="was changed during the run"),
    ):
        source.require_unchanged(0, 0)


def test_a_name_that_would_drive_a_terminal_is_shown_escaped(tmp_path: Path) -> None:
    folder = tmp_path / "\x1b[2J"
    folder.mkdir()
    with source_of(folder, {"a.txt": b"abc"}) as source:
        assert source.name(0) == f"{tmp_path}/\\x1b[2J/a.txt"
        with pytest.raises(SourceChangedError) as caught:
            read(source, 0, 0, 3)
    assert str(caught.value).isprintable()


def test_many_drives_read_at_once(plant: Plant) -> None:
    contents = {f"{number}.txt": bytes([number]) * 10_000 for number in range(8)}
    with source_of(plant(contents), contents) as source, ThreadPoolExecutor(8) as threads:
        ready = threading.Barrier(8)

        def read_all(_drive: int) -> list[bytes]:
            ready.wait(timeout=60)
            return [read(source, index, 0, 10_000) for index in range(8)]

        assert all(found == list(contents.values()) for found in threads.map(read_all, range(8)))


def test_what_was_dropped_from_memory_is_told_from_what_is_there() -> None:
    # On a disk, for a file in memory can't be dropped.
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        contents = {"film": LARGE}
        path = Path(name) / "film"
        path.write_bytes(LARGE)
        with source_of(Path(name), contents) as source:
            assert source.is_in_memory(0, LARGE_BYTES // 2)
            with path.open("rb") as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

                assert not source.is_in_memory(0, LARGE_BYTES // 2)
