import errno
import os
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.content.locate import ContentFolder

Plant = Callable[[Mapping[str, bytes]], Path]


def read(folder: Path, path: str) -> bytes:
    with ContentFolder(folder) as opened, os.fdopen(opened.open(path), "rb") as file:
        return file.read()


def error_of(folder: Path, path: str) -> int | None:
    with ContentFolder(folder) as opened:
        try:
            os.close(opened.open(path))
        except OSError as error:
            return error.errno
    return None


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - counts, needs no paths


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_listed_name_is_found_in_whichever_form_it_is_on_disk(plant: Plant, form: str) -> None:
    path = "백과사전/가나다 café.mp4"
    folder = plant({unicodedata.normalize("NFD" if form == "NFD" else "NFC", path): b"content"})

    assert read(folder, path) == b"content"


def test_a_name_in_mixed_form_is_found(plant: Plant) -> None:
    mixed = "é" + unicodedata.normalize("NFD", "é")

    assert read(plant({mixed: b"content"}), "éé") == b"content"


def test_a_name_that_appears_later_is_found(plant: Plant) -> None:
    folder = plant({"other": b""})
    with ContentFolder(folder) as opened:
        with pytest.raises(FileNotFoundError):
            opened.open("é")
        # A listing may be kept only as long as the folder has not changed.
        os.utime(folder, ns=(0, 0))
        plant({unicodedata.normalize("NFD", "é"): b"content"})
        descriptor = opened.open("é")
        os.close(descriptor)


@pytest.mark.parametrize(
    "target", ["../outside", "../content/../outside", "/etc/passwd", "a/../../outside", ".."]
)
def test_a_link_out_of_the_folder_is_never_followed(plant: Plant, target: str) -> None:
    folder = plant({"a/film": b""})
    (folder.parent / "outside").write_bytes(b"secret")
    (folder / "link").symlink_to(target)

    assert error_of(folder, "link") == errno.EXDEV


def test_a_folder_replaced_by_a_link_out_is_never_followed(plant: Plant) -> None:
    folder = plant({"a/film": b"film", "b": b""})
    outside = folder.parent / "outside"
    outside.mkdir()
    (outside / "film").write_bytes(b"secret")
    with ContentFolder(folder) as opened:
        os.close(opened.open("a/film"))
        (folder / "a").rename(folder / "moved")
        (folder / "a").symlink_to("../outside")
        with pytest.raises(OSError, match="Leads out of the folder"):
            opened.open("a/film")


@pytest.mark.parametrize("path", ["../outside", "a/../../outside", ".."])
def test_a_path_out_of_the_folder_is_never_followed(plant: Plant, path: str) -> None:
    assert error_of(plant({"a/film": b""}), path) == errno.EXDEV


def test_a_link_inside_is_followed_through_folders(plant: Plant) -> None:
    folder = plant({"a/b/film": b"film"})
    (folder / "c").symlink_to("a/./b")
    (folder / "a/link").symlink_to("../c/film")

    assert read(folder, "a/link") == b"film"


def test_links_that_go_in_circles_end(plant: Plant) -> None:
    folder = plant({"film": b""})
    (folder / "a").symlink_to("b")
    (folder / "b").symlink_to("a")

    assert error_of(folder, "a") == errno.ELOOP


@pytest.mark.parametrize("path", ["a", "", "pipe"])
def test_only_regular_files_are_opened(plant: Plant, path: str) -> None:
    folder = plant({"a/film": b""})
    os.mkfifo(folder / "pipe")

    assert error_of(folder, path) == errno.EINVAL


@pytest.fixture(scope="module")
def maze(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose links lead inside, outside and in circles."""
    maze = tmp_path_factory.mktemp("outside") / "maze"
    (maze / "a/b").mkdir(parents=True)
    for path in ("film", "a/film", "a/b/film", "../film"):
        (maze / path).write_bytes(b"")
    (maze / "a/up").symlink_to("..")
    (maze / "a/b/out").symlink_to("../../..")
    (maze / "down").symlink_to("a/b")
    (maze / "out").symlink_to("..")
    return maze


@given(
    parts=st.lists(
        st.sampled_from(["a", "b", "..", ".", "", "up", "down", "out", "film", "no"]), max_size=8
    )
)
def test_nothing_is_left_open_and_nothing_outside_is_read(maze: Path, parts: list[str]) -> None:
    before = open_descriptors()
    with ContentFolder(maze) as opened:
        try:
            descriptor = opened.open("/".join(parts))
        except OSError:
            pass
        else:
            found = Path(f"/proc/self/fd/{descriptor}").readlink()
            os.close(descriptor)

            assert found.is_relative_to(maze)

    assert open_descriptors() == before
