import pytest

from station.errors import OperatorError
from station.image.tree import LARGEST_FILE_BYTES, FileEntry, Tree, build_tree, path_of


def tree_of(*paths: str, has_label: bool = True) -> Tree:
    return build_tree([FileEntry(path, 1) for path in paths], has_label=has_label)


def refusal_of(*paths: str) -> str:
    with pytest.raises(OperatorError) as refusal:
        tree_of(*paths)
    line = str(refusal.value)
    assert "\n" not in line
    return line


def test_each_folder_stands_before_what_it_holds_in_natural_order() -> None:
    paths = ["b/10.txt", "b/9.txt", "a/x/1", "B2", "b10/f", "b9/f", "a/0", "A.txt"]
    tree = tree_of(*paths)

    assert [path_of(folder) for folder in tree.folders] == [
        "the root folder",
        "a",
        "a/x",
        "b",
        "b9",
        "b10",
    ]
    assert [paths[index] for index in tree.file_order] == [
        "A.txt",
        "B2",
        "a/0",
        "a/x/1",
        "b/9.txt",
        "b/10.txt",
        "b9/f",
        "b10/f",
    ]


def test_5000_levels_of_folders_are_no_deeper_than_the_stack() -> None:
    tree = tree_of("/".join(["d"] * 5000 + ["file"]))

    assert len(tree.folders) == 5001
    assert path_of(tree.folders[-1]) == "/".join(["d"] * 5000)


def test_no_files_at_all_are_an_empty_root() -> None:
    assert [folder.entry_count for folder in tree_of().folders] == [1]


@pytest.mark.parametrize(
    ("paths", "told"),
    [
        pytest.param(("a", "a/b"), "'a' and 'a' in the root folder", id="a file and a folder"),
        pytest.param(("x/Film", "x/film"), "'Film' and 'film' in x", id="case"),
        pytest.param(("F/1", "f/2"), "'F' and 'f' in the root folder", id="case of a folder"),
        pytest.param(("x/a", "x/a"), "'a' and 'a' in x", id="the same twice"),
    ],
)
def test_two_names_that_fat32_takes_for_one_are_refused_and_both_are_named(
    paths: tuple[str, ...], told: str
) -> None:
    assert told in refusal_of(*paths)


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("a/CON/b", "'CON' in a is a reserved"),
        ("a/b.", "'b.' in a ends in a dot"),
        ("a//b", "'' in a is empty"),
        ("../b", "'..' in the root folder means another folder"),
        ("/b", "'/b' begins with a slash"),
        ("", "'' in the root folder is empty"),
        ("a/", "'' in a is empty"),
        ("9" * 5000, "is 5000 UTF-16 units long"),
    ],
)
def test_a_path_that_fat32_can_not_hold_is_refused_with_the_name_and_the_folder(
    path: str, told: str
) -> None:
    assert told in refusal_of(path)


@pytest.mark.parametrize("size_bytes", [0, 1, LARGEST_FILE_BYTES])
def test_a_file_may_have_up_to_4_gib_less_one_byte(size_bytes: int) -> None:
    assert build_tree([FileEntry("a", size_bytes)]).file_order == (0,)


@pytest.mark.parametrize("size_bytes", [-1, LARGEST_FILE_BYTES + 1])
def test_a_file_of_any_other_size_is_refused(size_bytes: int) -> None:
    with pytest.raises(OperatorError, match=f"'a/b' is {size_bytes} bytes long"):
        build_tree([FileEntry("a/b", size_bytes)])


# A name of three upper-case letters takes one entry, one of 13 lower-case letters two.
@pytest.mark.parametrize(
    ("folder", "own_entries", "has_label"),
    [("", 1, True), ("", 0, False), ("sub/", 2, True)],
)
def test_a_directory_is_taken_with_65536_entries_and_refused_with_one_more(
    folder: str, own_entries: int, *, has_label: bool
) -> None:
    long_names = (65_536 - own_entries) // 2
    full = [FileEntry(f"{folder}n{number:012d}", 0) for number in range(long_names)]
    full += [FileEntry(f"{folder}ODD", 0)] * ((65_536 - own_entries) % 2)
    tree = build_tree(full, has_label=has_label)

    assert tree.folders[-1].entry_count == 65_536
    with pytest.raises(OperatorError, match="needs 65537 directory entries"):
        build_tree([*full, FileEntry(f"{folder}MORE", 0)], has_label=has_label)


@pytest.mark.parametrize(
    ("name", "entries"),
    [
        ("README.TXT", 1),
        ("readme.txt", 2),
        ("a" * 13, 2),
        ("a" * 14, 3),
        ("a" * 26, 3),
        ("a" * 27, 4),
        ("😀" * 7, 3),
        ("한" * 255, 21),
    ],
)
def test_a_long_name_takes_an_entry_for_every_13_units(name: str, entries: int) -> None:
    assert tree_of(name, has_label=False).folders[0].entry_count == entries
