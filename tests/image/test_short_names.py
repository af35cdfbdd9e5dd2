import re
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.image.names import folded
from station.image.short_names import ShortNames, checksum, is_short
from tests.image.strategies import names

VALID = re.compile(rb"[A-Z0-9!#$%&'()\-@^_`{}~]{1,8} *[A-Z0-9!#$%&'()\-@^_`{}~]{0,3} *")

folders = st.lists(names, min_size=1, max_size=60, unique_by=folded)
same_stems = st.lists(
    st.from_regex(
        r"(samestem|same stem|SAMEST~[0-9]|samestem~)[a-z]?[0-9]{0,2}\.t", fullmatch=True
    ),
    max_size=60,
    unique_by=folded,
)


def give_all(folder: Iterable[str]) -> list[bytes]:
    folder = list(folder)
    short_names = ShortNames(folder)
    return [short_names.give(name) for name in folder]


def spelled(short_name: bytes) -> str:
    stem, extension = short_name[:8].decode().rstrip(), short_name[8:].decode().rstrip()
    return f"{stem}.{extension}" if extension else stem


@given(folders | same_stems)
def test_no_two_names_of_a_folder_share_a_short_name(folder: list[str]) -> None:
    given_out = give_all(folder)

    assert len(set(given_out)) == len(folder)


@given(folders | same_stems)
def test_no_short_name_is_the_long_name_of_a_neighbour(folder: list[str]) -> None:
    for name, short_name in zip(folder, give_all(folder), strict=True):
        neighbours = {folded(other) for other in folder if other != name}

        assert spelled(short_name) not in neighbours


@given(folders | same_stems)
def test_a_short_name_has_11_bytes_and_only_such_as_every_code_page_shows(
    folder: list[str],
) -> None:
    for short_name in give_all(folder):
        assert len(short_name) == 11
        assert VALID.fullmatch(short_name)


@given(folders | same_stems)
def test_a_name_that_needs_no_long_entry_is_spelled_by_its_short_one(folder: list[str]) -> None:
    for name, short_name in zip(folder, give_all(folder), strict=True):
        assert is_short(name) is False or spelled(short_name) == name


@pytest.mark.parametrize(
    ("name", "short_name"),
    [
        ("README.TXT", "README  TXT"),
        ("readme.txt", "README  TXT"),
        ("README", "README     "),
        ("a file.txt", "AFILE~1 TXT"),
        ("longer than eight.html", "LONGER~1HTM"),
        ("x.y.z", "XY~1    Z  "),
        (".hidden", "HIDDEN~1   "),
        ("a+b=c.txt", "A_B_C~1 TXT"),
        ("가나다.mp4", "___~1   MP4"),
        ("movie.가나", "MOVIE~1 __ "),
        ("😀", "_~1        "),
        ("a.", "A~1        "),
    ],
)
def test_the_short_name_follows_the_specification(name: str, short_name: str) -> None:
    assert give_all([name]) == [short_name.encode()]


def test_tails_count_up_and_take_from_the_stem_what_they_need() -> None:
    folder = [f"samestem {number}.txt" for number in range(11)]

    assert [spelled(short) for short in give_all(folder)] == [
        *(f"SAMEST~{number}.TXT" for number in range(1, 10)),
        "SAMES~10.TXT",
        "SAMES~11.TXT",
    ]


def test_a_tail_that_a_long_name_has_already_is_left_out() -> None:
    given_out = give_all(["same stem.txt", "SAMEST~1.TXT", "samest~2.txt"])

    assert [spelled(short) for short in given_out] == [
        "SAMEST~3.TXT",
        "SAMEST~1.TXT",
        "SAMEST~2.TXT",
    ]


class CountingSet(frozenset[str]):
    """A set that counts how often it is asked."""

    look_ups = 0

    def __contains__(self, item: object) -> bool:
        self.look_ups += 1
        return super().__contains__(item)


@pytest.mark.parametrize(
    "folder",
    [
        pytest.param([f"SAMESTEM {n}.html" for n in range(20_000)], id="one stem"),
        pytest.param(
            [f"SAMEST{n:05}.long" for n in range(10_000)] + [f"same+{n:05}" for n in range(10_000)],
            id="stems that differ in what a tail cuts off",
        ),
        pytest.param(
            [f"SAMES~{n}.HTM" for n in range(10, 100)]
            + [f"SAME~{n}.HTM" for n in range(100, 1000)]
            + [f"SAM~{n}.HTM" for n in range(1000, 10_000)]
            + [f"SAMESTEM {n}.html" for n in range(10_000)],
            id="tails that are taken",
        ),
    ],
)
def test_20000_names_with_one_stem_take_a_time_that_grows_with_their_number_alone(
    folder: list[str],
) -> None:
    short_names = ShortNames(folder)
    long_names = CountingSet(short_names._long_names)
    short_names._long_names = long_names
    given_out = {short_names.give(name) for name in folder}

    assert len(given_out) == len(folder)
    assert long_names.look_ups <= 2 * len(folder)


class FullSet(frozenset[str]):
    """A set that holds every string."""

    def __contains__(self, item: object) -> bool:
        return True


def test_a_name_is_refused_rather_than_given_twice_when_all_tails_are_taken() -> None:
    short_names = ShortNames([])
    short_names._long_names = FullSet()

    with pytest.raises(AssertionError, match="no short name is left for 'FULL'"):
        short_names.give("full .txt")


def test_the_sum_is_that_of_the_specification() -> None:
    # Rotate right by one, then add: so the first of eleven bytes is turned ten times.
    assert checksum(b"A" + bytes(10)) == 0x41 >> 2 | (0x41 << 6) & 0xFF
    assert checksum(bytes(10) + b"A") == 0x41
