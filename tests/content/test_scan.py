import os
import socket
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from station.content.rules import ContentRefusedError
from station.content.scan import ScannedFile, scan
from station.errors import OperatorError

Plant = Callable[[Mapping[str, bytes]], Path]


def problems(folder: Path) -> list[str]:
    with pytest.raises(ContentRefusedError) as caught:
        scan(folder)
    return [str(problem) for problem in caught.value.problems]


def test_files_are_found_at_every_depth_and_sorted(plant: Plant) -> None:
    found = scan(plant({"b": b"12", "a/z/x": b"1", "a/c": b"", "가나다.mp4": b"123"}))

    assert found.files == (
        ScannedFile("a/c", 0),
        ScannedFile("a/z/x", 1),
        ScannedFile("b", 2),
        ScannedFile("가나다.mp4", 3),
    )
    assert found.total_bytes == 6


def test_junk_of_other_systems_is_left_out_and_named(plant: Plant) -> None:
    folder = plant(
        {
            "film.mp4": b"",
            ".DS_Store": b"",
            "a/._film.mp4": b"",
            "a/b": b"",
            "THUMBS.DB": b"",
            "desktop.ini": b"",
            "System Volume Information/x": b"",
            "$RECYCLE.BIN/deep/x": b"",
            ".Trash-1000/files/x": b"",
            ".Trashes/x": b"",
            ".fseventsd/x": b"",
            ".Spotlight-V100/x": b"",
        }
    )
    found = scan(folder)

    assert [file.path for file in found.files] == ["a/b", "film.mp4"]
    assert found.junk == (
        "$RECYCLE.BIN",
        ".DS_Store",
        ".Spotlight-V100",
        ".Trash-1000",
        ".Trashes",
        ".fseventsd",
        "System Volume Information",
        "THUMBS.DB",
        "a/._film.mp4",
        "desktop.ini",
    )


def test_empty_folders_are_left_out_and_named(plant: Plant) -> None:
    folder = plant({"a": b"", "only junk/.DS_Store": b""})
    (folder / "empty/deep").mkdir(parents=True)

    assert scan(folder).empty_folders == ("empty/deep", "only junk")


def test_a_decomposed_name_of_a_mac_is_listed_composed(plant: Plant) -> None:
    folder = plant({unicodedata.normalize("NFD", "백과/가나다.mp4"): b"1"})

    assert scan(folder).files == (ScannedFile("백과/가나다.mp4", 1),)


def test_a_link_to_a_file_inside_is_that_file(plant: Plant) -> None:
    folder = plant({"a/film": b"123"})
    (folder / "link").symlink_to("a/film")
    (folder / "a/up").symlink_to("../link")

    assert [file.path for file in scan(folder).files] == ["a/film", "a/up", "link"]
    assert scan(folder).total_bytes == 9


def test_links_that_lead_out_or_nowhere_are_refused(plant: Plant, tmp_path: Path) -> None:
    folder = plant({"a/film": b"123"})
    (tmp_path / "outside").write_bytes(b"secret")
    (folder / "absolute").symlink_to(folder / "a/film")
    (folder / "dangling").symlink_to("nothing")
    (folder / "folder").symlink_to("a")
    (folder / "itself").symlink_to("itself")
    (folder / "out").symlink_to("../outside")
    (folder / "a/out and in").symlink_to("../../content/a/film")
    (folder / "through a file").symlink_to("a/film/x")

    assert problems(folder) == [
        "'a/out and in' is a symbolic link that leads out of the folder",
        "'absolute' is a symbolic link that leads out of the folder",
        "'dangling' is a symbolic link to nothing",
        "'folder' is a symbolic link to a folder; put the folder itself there",
        "'itself' is a symbolic link that leads back to itself",
        "'out' is a symbolic link that leads out of the folder",
        "'through a file' is a symbolic link to nothing",
    ]


def test_links_between_folders_never_make_the_walk_endless(plant: Plant) -> None:
    folder = plant({"a/film": b"123"})
    (folder / "a/again").symlink_to("..")

    assert problems(folder) == [
        "'a/again' is a symbolic link to a folder; put the folder itself there"
    ]


def test_what_is_no_file_is_refused(plant: Plant) -> None:
    folder = plant({"film": b""})
    os.mkfifo(folder / "pipe")
    (folder / "null").symlink_to("pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "socket"))

        assert problems(folder) == [
            "'null' is a named pipe",
            "'pipe' is a named pipe",
            "'socket' is a socket",
        ]


@pytest.mark.skipif(
    os.geteuid() != 0 and "CI" not in os.environ, reason="only root makes device nodes"
)
def test_device_nodes_are_refused(plant: Plant) -> None:
    folder = plant({"film": b""})
    os.mknod(folder / "disk", 0o060600, os.makedev(7, 250))
    os.mknod(folder / "null", 0o020600, os.makedev(1, 3))

    assert problems(folder) == ["'disk' is a block device", "'null' is a character device"]


def test_every_problem_is_told_and_not_only_the_first(plant: Plant) -> None:
    folder = plant({"CON": b"", "a?": b"", "Film": b"", "film": b"", "dot./x": b""})
    with (folder / "large").open("wb") as file:
        file.truncate(2**32)

    assert problems(folder) == [
        "'CON' is a reserved device name on Windows",
        "'a?' holds ?, which Windows and FAT32 forbid",
        "'dot.' ends in a dot, which Windows drops",
        "'film' differs from 'Film' only in upper and lower case, which FAT32 takes for one name",
        "'large' has 4,294,967,296 bytes, FAT32 allows 4,294,967,295 to a file; split it",
    ]


def test_the_largest_file_that_fat32_holds_passes(plant: Plant) -> None:
    folder = plant({})
    with (folder / "large").open("wb") as file:
        file.truncate(2**32 - 1)

    assert scan(folder).files == (ScannedFile("large", 2**32 - 1),)


def test_names_that_differ_only_in_unicode_form_are_refused(plant: Plant) -> None:
    folder = plant({"é": b"", unicodedata.normalize("NFD", "é"): b""})

    assert problems(folder) == [
        "'é' differs from another name in its folder only in its Unicode form"
    ]


def test_a_name_that_is_no_utf8_is_refused(plant: Plant) -> None:
    folder = plant({"film": b""})
    with open(os.fsencode(folder) + b"/caf\xe9", "wb"):  # noqa: PTH123 - a name of raw bytes
        pass

    assert problems(folder) == ["'caf\\udce9' is no valid Unicode"]


@pytest.mark.parametrize("kind", ["missing", "file"])
def test_what_is_no_folder_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "content"
    if kind == "file":
        path.write_bytes(b"")
    with pytest.raises(OperatorError, match=r"content: can't be read: (No such file|Not a dir)"):
        scan(path)


def test_a_folder_without_a_file_is_refused(plant: Plant) -> None:
    with pytest.raises(OperatorError, match="holds no file"):
        scan(plant({".DS_Store": b""}))
