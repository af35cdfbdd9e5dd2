import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.text import printable

anything = st.text(st.characters(codec=None, exclude_categories=[]))


@given(anything)
def test_nothing_that_drives_a_terminal_or_can_not_be_seen_comes_through(text: str) -> None:
    shown = printable(text)
    categories = {unicodedata.category(character) for character in shown}

    assert not categories & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert shown.encode().decode() == shown
    assert len(shown.splitlines()) <= 1


@given(anything)
def test_what_is_safe_stays_as_it_is(text: str) -> None:
    once = printable(text)

    assert printable(once) == once


@pytest.mark.parametrize("text", ["", "plain", "가나다.mp4", "😀", "naïve", "a\\b", "[bold]x[/]"])
def test_readable_text_is_shown_as_it_is(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31m", r"\x1b[31m"),
        ("a\nb\tc\r", r"a\x0ab\x09c\x0d"),
        ("\x7f\x9b", r"\x7f\x9b"),
        ("a\u202egpj.exe", r"a\u202egpj.exe"),
        ("\u200b\ufeff", r"\u200b\ufeff"),
        ("\u2028", r"\u2028"),
        ("\ud800", r"\ud800"),
        ("\U000e0001", r"\U000e0001"),
    ],
)
def test_what_is_not_is_shown_by_its_number(text: str, shown: str) -> None:
    assert printable(text) == shown
