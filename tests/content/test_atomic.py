import os
from pathlib import Path

import pytest

from station.content.atomic import require_free, write_atomically
from station.errors import OperatorError


def test_a_file_is_written_in_full_and_nothing_stays_beside_it(tmp_path: Path) -> None:
    write_atomically(tmp_path / "films.json", "가나다\n")

    assert (tmp_path / "films.json").read_text("utf-8") == "가나다\n"
    assert os.listdir(tmp_path) == ["films.json"]  # noqa: PTH208 - names are what counts


def test_others_may_read_it(tmp_path: Path) -> None:
    write_atomically(tmp_path / "films.json", "")

    assert (tmp_path / "films.json").stat().st_mode & 0o777 == 0o644


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "films.json"
    path.write_text("old")

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OperatorError, match="can't be written: No space left on device"):
        write_atomically(path, "new")

    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="can't be written: No such file or directory"):
        write_atomically(tmp_path / "no/films.json", "")


def test_a_name_that_is_taken_is_refused_even_by_a_dangling_link(tmp_path: Path) -> None:
    (tmp_path / "films.json").symlink_to("nowhere")
    with pytest.raises(OperatorError, match=r"is there already. Add --force"):
        require_free(tmp_path / "films.json")
    require_free(tmp_path / "other.json")
