import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from blake3 import blake3

from station.content.check import check_content, check_sizes
from station.content.manifest import Manifest, ManifestFile
from station.errors import OperatorError

Plant = Callable[[Mapping[str, bytes]], Path]

CONTENT = {"a/film.mp4": b"film", "b": b"", "가나다": b"korean"}


def listing(contents: Mapping[str, bytes]) -> Manifest:
    files = tuple(
        ManifestFile(path, len(content), blake3(content).hexdigest())
        for path, content in sorted(contents.items())
    )
    return Manifest(format=1, name="n", folder="content", files=files)


def test_a_folder_as_listed_is_clean(plant: Plant) -> None:
    found = check_content(listing(CONTENT), plant({**CONTENT, ".DS_Store": b""}))

    assert found.is_clean


def test_every_missing_changed_and_extra_file_is_found(plant: Plant) -> None:
    folder = plant({**CONTENT, "a/film.mp4": b"flim", "b": b"longer", "extra/e": b"", "x": b""})
    (folder / "가나다").unlink()
    found = check_content(listing(CONTENT), folder)

    assert [str(problem) for problem in found.missing] == ["'가나다' is not there"]
    assert [str(problem) for problem in found.changed] == [
        "'a/film.mp4' has another content",
        "'b' has 6 bytes instead of 0",
    ]
    assert [problem.path for problem in found.extra] == ["extra/e", "x"]


def test_what_is_no_file_any_more_has_changed(plant: Plant) -> None:
    folder = plant({"b": b""})
    (folder / "가나다").mkdir()
    (folder / "a").mkdir()
    os.mkfifo(folder / "a/film.mp4")
    found = check_sizes(listing(CONTENT), folder)

    assert [str(problem) for problem in found.changed] == [
        "'a/film.mp4' is a named pipe",
        "'가나다' is a folder now",
    ]


def test_what_no_manifest_could_list_is_extra(plant: Plant) -> None:
    folder = plant(CONTENT)
    (folder / "out").symlink_to("/etc/passwd")
    found = check_content(listing(CONTENT), folder)

    assert [str(problem) for problem in found.extra] == [
        "'out' is a symbolic link that leads out of the folder"
    ]


def test_a_listed_file_counts_even_if_its_name_is_junk(plant: Plant) -> None:
    contents = {"desktop.ini": b"wanted"}
    folder = plant({"desktop.ini": b"wanted"})

    assert check_content(listing(contents), folder).is_clean


def test_sizes_are_compared_without_reading(plant: Plant) -> None:
    folder = plant({**CONTENT, "a/film.mp4": b"flim"})

    assert check_sizes(listing(CONTENT), folder).is_clean


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="can't be read: No such file"):
        check_content(listing(CONTENT), tmp_path / "nowhere")
