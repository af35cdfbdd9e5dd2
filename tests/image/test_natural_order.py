from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.image.order import natural_key
from tests.image.strategies import names


@pytest.mark.parametrize(
    "expected",
    [
        ["9.mp3", "10.mp3", "100.mp3"],
        ["Track 1", "track 2", "Track 10"],
        ["1x09", "1x10", "2x01"],
        ["a", "A1", "a2", "B"],
        ["007", "7", "008"],
        ["1화", "2화", "10화", "가", "나"],
        ["٣", "10"],
        ["v1.2.9", "v1.2.10", "v1.10.1"],
    ],
)
def test_names_stand_in_the_order_that_a_person_expects(expected: list[str]) -> None:
    shuffled = expected[::-1]
    shuffled.sort(key=natural_key)

    assert shuffled == expected


@given(st.lists(names), st.randoms(use_true_random=False))
def test_any_names_can_be_ordered_and_in_one_way_only(some: list[str], choice: Random) -> None:
    shuffled = list(some)
    choice.shuffle(shuffled)

    assert sorted(shuffled, key=natural_key) == sorted(some, key=natural_key)


@given(st.text("ab ", max_size=4), st.integers(0, 10**30), st.integers(0, 10**30))
def test_numbers_are_ordered_by_what_they_are_worth(stem: str, one: int, other: int) -> None:
    keys = natural_key(f"{stem}{one}"), natural_key(f"{stem}{other}")

    assert (keys[0] < keys[1]) == (one < other)


@given(names)
def test_upper_and_lower_case_stand_together(name: str) -> None:
    assert natural_key(name)[0] == natural_key(name.casefold())[0]
