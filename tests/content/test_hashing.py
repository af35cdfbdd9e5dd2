import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from blake3 import blake3

from station.content import hashing
from station.content.hashing import FileChangedError, HashedFile, hash_files
from station.content.locate import ContentFolder

Plant = Callable[[Mapping[str, bytes]], Path]


def test_every_file_is_hashed_in_the_order_asked_for(plant: Plant) -> None:
    contents = {f"{number % 7}/{number}": bytes([number]) * number * 99 for number in range(200)}
    paths = sorted(contents, reverse=True)
    with ContentFolder(plant(contents)) as folder:
        hashed = hash_files(folder, paths)

    assert hashed == [
        HashedFile(path, len(contents[path]), blake3(contents[path]).hexdigest()) for path in paths
    ]


def test_a_large_file_is_hashed_by_all_cores_to_the_same_digest(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashing, "_LARGE_FILE_BYTES", 1 << 20)
    content = os.urandom((9 << 20) + 1)
    with ContentFolder(plant({"large": content})) as folder:
        (hashed,) = hash_files(folder, ["large"])

    assert hashed == HashedFile("large", len(content), blake3(content).hexdigest())


def test_progress_adds_up_to_the_bytes_read(plant: Plant) -> None:
    told: list[int] = []
    with ContentFolder(plant({"a": b"1" * 5_000_000, "b": b"", "c": b"123"})) as folder:
        hash_files(folder, ["a", "b", "c"], told.append)

    assert sum(told) == 5_000_003


def test_no_files_are_hashed_in_no_time(plant: Plant) -> None:
    with ContentFolder(plant({})) as folder:
        assert hash_files(folder, []) == []


@pytest.mark.parametrize("change", ["append", "truncate", "overwrite", "touch"])
def test_a_file_that_changes_while_it_is_read_is_refused(plant: Plant, change: str) -> None:
    root = plant({"film": b"1" * 5_000_000})
    changed = threading.Event()

    def interfere(_: int) -> None:
        if changed.is_set():
            return
        changed.set()
        with (root / "film").open("r+b") as file:
            if change == "append":
                file.seek(0, os.SEEK_END)
                file.write(b"x")
            elif change == "truncate":
                file.truncate(4_500_000)
            elif change == "overwrite":
                file.write(b"x")
        if change == "touch":
            os.utime(root / "film", ns=(1, 1))

    with (
        ContentFolder(root) as folder,
        pytest.raises(FileChangedError, match="'film' changed while it was read"),
    ):
        hash_files(folder, ["film"], interfere)


def test_a_file_that_is_gone_is_named(plant: Plant) -> None:
    with (
        ContentFolder(plant({"a": b""})) as folder,
        pytest.raises(FileChangedError, match="'b' can't be read: No such file or directory"),
    ):
        hash_files(folder, ["a", "b"])


def test_an_interruption_stops_the_other_threads_at_their_next_read(
    plant: Plant, tmp_path: Path
) -> None:
    plant({"a": b"1"})
    # Sparse: reading it all would take minutes.
    for name in ("x", "y", "z"):
        with (tmp_path / "content" / name).open("wb") as file:
            file.truncate(1 << 40)

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with ContentFolder(tmp_path / "content") as folder, pytest.raises(KeyboardInterrupt):
        hash_files(folder, ["x", "y", "z"], interrupt)

    assert not [thread for thread in threading.enumerate() if thread.name.startswith("hash")]
