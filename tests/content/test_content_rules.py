import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.content.rules import (
    ContentRefusedError,
    Problem,
    opens_on_windows,
    size_problem,
    tree_problems,
)

names = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters='\\/:*?"<>|'),
    min_size=1,
    max_size=12,
)
paths = st.lists(names, min_size=1, max_size=4).map("/".join)


def texts(*given_paths: str) -> list[str]:
    return [str(problem) for problem in tree_problems(given_paths)]


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("", "'' is an empty path"),
        ("/etc/passwd", "'/etc/passwd' is an absolute path"),
        ("../a", "'..' leaves the folder"),
        ("a/../../b", "'a/..' leaves the folder"),
        ("./a", "'.' means another folder"),
        ("a//b", "'a/' has an empty part between slashes or at the end"),
        ("a/", "'a/' has an empty part between slashes or at the end"),
        ("a/b\\c", "'a/b\\\\c' holds \\, which Windows and FAT32 forbid"),
        ("a/CON.txt", "'a/CON.txt' is a reserved device name on Windows"),
        ("a\nb", "'a\\nb' holds a control character"),
        ("dot.", "'dot.' ends in a dot, which Windows drops"),
        ("dot./file", "'dot.' ends in a dot, which Windows drops"),
        ("x" * 256, f"'{'x' * 256}' is 256 UTF-16 units long, FAT32 allows 255"),
        ("\udcff", "'\\udcff' is no valid Unicode"),
    ],
)
def test_a_path_that_no_stick_can_hold_is_refused_with_its_reason(path: str, problem: str) -> None:
    assert texts(path) == [problem]


def test_a_decomposed_path_is_refused() -> None:
    decomposed = unicodedata.normalize("NFD", "가나다.mp4")

    assert texts(decomposed) == [
        f"{decomposed!r} is not in Unicode's composed form (NFC)",
    ]


@pytest.mark.parametrize(
    "path", ["가나다.mp4", "🎬/🎬.avi", "x" * 255, "a/b c/d.tar.gz", ".hidden"]
)
def test_what_fat32_can_hold_passes(path: str) -> None:
    assert texts(path) == []


def test_a_bad_folder_is_told_once_however_many_files_it_has() -> None:
    assert texts("CON/a", "CON/b", "CON/c/d") == ["'CON' is a reserved device name on Windows"]


@pytest.mark.parametrize(
    ("first", "second"),
    [("a", "A"), ("Ä", "ä"), ("я", "Я"), ("ω", "Ω")],
)
def test_names_that_differ_only_in_case_are_refused(first: str, second: str) -> None:
    told = f"{second!r} differs from {first!r} only in upper and lower case, which FAT32 takes for"

    assert texts(first, second) == [f"{told} one name"]


@pytest.mark.parametrize(("first", "second"), [("ß", "SS"), ("a", "b"), ("가", "각")])
def test_names_that_fat32_tells_apart_pass(first: str, second: str) -> None:
    assert texts(first, second) == []


def test_folders_that_differ_only_in_case_are_refused() -> None:
    assert texts("Docs/a", "docs/b") == [
        "'docs' differs from 'Docs' only in upper and lower case, which FAT32 takes for one name"
    ]


def test_a_collision_inside_of_colliding_folders_is_told_too() -> None:
    assert len(texts("Docs/a", "docs/A")) == 2


def test_a_path_listed_twice_is_refused() -> None:
    assert texts("a/b", "a/b") == ["'a/b' is listed twice"]


@pytest.mark.parametrize("order", [("a", "a/b"), ("a/b", "a")])
def test_a_path_that_is_a_file_and_a_folder_is_refused(order: tuple[str, str]) -> None:
    assert texts(*order) == ["'a' is both a file and a folder"]


# A name of 13 units or fewer that is no short name takes 2 entries, and a folder has 2 of its own.
@pytest.mark.parametrize(("count", "is_refused"), [(32_767, False), (32_768, True)])
def test_a_folder_takes_as_many_entries_as_fat32_allows_and_not_one_more(
    count: int, *, is_refused: bool
) -> None:
    found = texts(*(f"f/name {number:07}" for number in range(count)))

    assert len(found) == is_refused
    assert all("needs 65,538 directory entries, FAT32 allows 65,536" in text for text in found)


def test_subfolders_count_in_the_folder_that_holds_them() -> None:
    found = texts(*(f"name {number:07}/f" for number in range(32_768)))

    assert len(found) == 1
    assert found[0].startswith("'.' needs 65,538 directory entries, FAT32 allows 65,536")


@pytest.mark.parametrize(
    ("size_bytes", "is_refused"), [(0, False), (2**32 - 1, False), (2**32, True), (-1, True)]
)
def test_a_file_is_as_large_as_fat32_allows(size_bytes: int, *, is_refused: bool) -> None:
    assert (size_problem(size_bytes) is not None) == is_refused


@pytest.mark.parametrize(("length", "opens"), [(256, True), (257, False)])
def test_windows_opens_260_units_with_drive_and_closing_nul(length: int, *, opens: bool) -> None:
    assert opens_on_windows("x" * length) == opens


def test_a_character_beyond_the_basic_plane_counts_twice_on_windows() -> None:
    assert not opens_on_windows("🎬" * 129)


def test_a_path_that_linux_cannot_open_is_refused() -> None:
    longest = "/".join(["x" * 200] * 20) + "/" + "y" * 75

    assert len(longest) == 4095
    assert texts(longest) == []
    assert len(texts(longest + "z")) == 1


def test_a_hostile_depth_costs_no_more_than_its_length() -> None:
    began = time.process_time()
    found = texts(*("a/" * 500_000 + str(number) for number in range(20)))

    assert len(found) == 20
    assert time.process_time() - began < 1


@given(st.lists(paths, max_size=12))
def test_accepted_paths_are_told_apart_by_every_reader(given_paths: list[str]) -> None:
    if texts(*given_paths):
        return
    spelled = {unicodedata.normalize("NFC", path) for path in given_paths}

    assert len(spelled) == len(given_paths)
    assert len({path.upper() for path in spelled if path.isascii()}) == sum(
        path.isascii() for path in spelled
    )
    assert not any(other.startswith(f"{path}/") for path in given_paths for other in given_paths)


@given(st.lists(st.text(max_size=20), max_size=8))
def test_any_text_at_all_is_judged(given_paths: list[str]) -> None:
    for problem in tree_problems(given_paths):
        assert problem.text


def test_a_refusal_names_the_first_problem_and_counts_the_others() -> None:
    problems = [Problem("a", "is bad"), Problem("b", "is worse"), Problem("c", "is worst")]

    error = ContentRefusedError("films", problems, "Mend it.")

    assert str(error) == "films: 'a' is bad (and 2 more problems). Mend it."
    assert error.problems == tuple(problems)
