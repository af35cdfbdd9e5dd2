import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.image.names import folded, name_problem, utf16_units
from tests.image.strategies import names


@pytest.mark.parametrize(
    "name",
    [
        "가나다.mp4",
        "😀.txt",
        "a" * 255,
        "한" * 255,
        "😀" * 127 + "x",
        ".hidden",
        " leading space",
        "two  spaces.txt",
        "a.b.c..d",
        "CONSOLE.TXT",
        "COM10",
        "COM",
        "a~1.txt",
        "+,;=[]",
    ],
)
def test_fat32_holds(name: str) -> None:
    assert name_problem(name) is None


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "is empty"),
        (".", "means another folder"),
        ("..", "means another folder"),
        ("...", "ends in a dot"),
        ("film.", "ends in a dot"),
        ("film ", "ends in a space"),
        (" ", "ends in a space"),
        ("CON", "reserved device name"),
        ("con.txt", "reserved device name"),
        ("Nul .tar.gz", "reserved device name"),
        ("LPT9", "reserved device name"),
        ("com¹.log", "reserved device name"),
        ("what?", "holds ?, which Windows"),
        ('"a:b"', 'holds " :, which Windows'),
        ("a/b", "holds /"),
        ("a\\b", "holds \\, which"),
        ("a\tb", "control character"),
        ("a\x7fb", "control character"),
        ("a\0", "control character"),
        ("\ud83d", "no valid Unicode"),
        ("a\uffff", "holds U+FFFF"),
        ("a" * 256, "256 UTF-16 units"),
        ("😀" * 128, "256 UTF-16 units"),
    ],
)
def test_fat32_or_windows_can_not_hold(name: str, problem: str) -> None:
    told = name_problem(name)

    assert told is not None
    assert problem in told
    assert told.isprintable()


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_name_is_as_long_as_its_utf16_form(name: str) -> None:
    assert utf16_units(name) == len(name.encode("utf-16-le")) // 2


@pytest.mark.parametrize(
    ("one", "other"),
    [("Film.MP4", "film.mp4"), ("É", "é"), ("Ω", "ω"), ("ᾳ", "ᾼ"), ("aᾳß", "Aᾼß")],
)
def test_names_that_differ_only_in_case_are_one(one: str, other: str) -> None:
    assert folded(one) == folded(other)


@pytest.mark.parametrize(("one", "other"), [("ß", "SS"), ("ﬁ", "FI"), ("e\u0301", "é"), ("a", "b")])
def test_names_that_are_other_characters_stay_apart(one: str, other: str) -> None:
    assert folded(one) != folded(other)


@given(names)
def test_folding_keeps_the_length_and_changes_nothing_the_second_time(name: str) -> None:
    once = folded(name)

    assert len(once) == len(name)
    assert folded(once) == once
