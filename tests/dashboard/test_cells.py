import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from station.dashboard.cells import centre, cut, ends, fit, shown, wrap
from tests.dashboard.samples import hostile_text

widths = st.integers(0, 60)


@given(hostile_text)
def test_shown_text_holds_nothing_that_acts_on_a_terminal_or_has_no_width(text: str) -> None:
    safe = shown(text)

    assert all(cell_len(character) in (1, 2) for character in safe)
    assert not any(unicodedata.category(character)[0] == "C" for character in safe)
    assert cell_len(safe) == sum(cell_len(character) for character in safe)


def test_decomposed_hangul_shows_as_syllables() -> None:
    assert shown(unicodedata.normalize("NFD", "삼성전자")) == "삼성전자"


def test_markup_and_overrides_show_as_what_they_are() -> None:
    assert shown("[red]x\u202e\x1b[31m\n\x00❤\ufe0f") == "[red]x\\u202e\\x1b[31m\\x0a\\x00❤\\ufe0f"


@given(hostile_text.map(shown), widths)
def test_cut_text_is_never_too_wide_and_whole_text_never_cut(text: str, width: int) -> None:
    short = cut(text, width)

    assert cell_len(short) <= width
    assert (short == text) == (cell_len(text) <= width)


@given(hostile_text.map(shown), hostile_text.map(shown), widths)
def test_fitted_text_has_exactly_its_width(left: str, right: str, width: int) -> None:
    assert cell_len(fit(left, width)) == width
    assert cell_len(centre(left, width)) == width
    assert cell_len(ends(left, right, width)) == width


def test_a_wide_character_is_not_cut_in_half() -> None:
    assert cut("메모리", 4) == "메 …"


@given(hostile_text.map(shown), st.integers(1, 40), st.integers(0, 5))
def test_wrapped_text_stays_within_its_rectangle(text: str, width: int, lines: int) -> None:
    broken = wrap(text, width, lines)

    assert len(broken) <= lines
    assert all(cell_len(line) <= width for line in broken)
