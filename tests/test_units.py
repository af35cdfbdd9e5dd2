import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.errors import OperatorError
from station.units import (
    GIB,
    KIB,
    MIB,
    format_duration,
    format_size,
    format_speed,
    parse_size,
)

FACTORS = {
    "": 1,
    "B": 1,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KiB": KIB,
    "MiB": MIB,
    "GiB": GIB,
    "TiB": GIB * KIB,
}
sizes = st.integers(0, 10**15)


@given(st.integers(0, 10**6), st.sampled_from(sorted(FACTORS)), st.sampled_from(["", " ", "  "]))
def test_a_whole_number_with_any_unit_is_read(number: int, unit: str, gap: str) -> None:
    assert parse_size(f" {number}{gap}{unit} ") == number * FACTORS[unit]
    assert parse_size(f"{number}{unit.lower()}") == number * FACTORS[unit]


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("8GB", 8 * 10**9),
        ("8GiB", 8 << 30),
        ("7.5GB", 7_500_000_000),
        ("0.5KiB", 512),
        ("1.000B", 1),
        ("1.000000001GB", 10**9 + 1),
    ],
)
def test_a_size_is_read_as_people_write_it(text: str, size_bytes: int) -> None:
    assert parse_size(text) == size_bytes


@pytest.mark.parametrize(
    "text",
    ["", "GB", "-1", "+1", "1e9", "8G", "8PB", "1,5GB", ".5GB", "5.GB", "8 G B", "٨GB", "8GB\n8"],
)
def test_what_is_no_size_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(OperatorError, match=r"is no size\. Write it like 8GB"):
        parse_size(text)


@pytest.mark.parametrize("text", ["0.5", "1.5B", "0.0001KB", "0.000000001KB"])
def test_a_part_of_a_byte_is_refused(text: str) -> None:
    with pytest.raises(OperatorError, match="no whole number of bytes"):
        parse_size(text)


@given(sizes)
def test_a_size_that_was_written_is_read_back_to_three_digits(size_bytes: int) -> None:
    read = parse_size(format_size(size_bytes))

    assert abs(read - size_bytes) <= size_bytes * 0.005


@given(sizes)
def test_a_size_never_takes_more_than_four_digits(size_bytes: int) -> None:
    digits, unit = format_size(size_bytes).split()

    assert re.fullmatch(r"\d{1,3}|\d\.\d\d?|\d\d\.\d|1000", digits)
    assert digits != "1000" or unit == "TB"


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 B"),
        (0.4, "0 B"),
        (999, "999 B"),
        (999.6, "1 KB"),
        (1000, "1 KB"),
        (1024, "1.02 KB"),
        (99_940, "99.9 KB"),
        (99_960, "100 KB"),
        (999_499, "999 KB"),
        (999_600, "1 MB"),
        (512_000_000, "512 MB"),
        (999_700_000, "1 GB"),
        (7_600_000_000, "7.6 GB"),
        (31_914_983_424, "31.9 GB"),
        (2 * 10**12, "2 TB"),
        (2_500 * 10**12, "2500 TB"),
    ],
)
def test_a_size_is_written_as_it_is_printed_on_sticks(size_bytes: float, text: str) -> None:
    assert format_size(size_bytes) == text
    assert format_speed(size_bytes) == f"{text}/s"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0:00"),
        (0.4, "0:00"),
        (59.4, "0:59"),
        (59.6, "1:00"),
        (60, "1:00"),
        (3599, "59:59"),
        (3599.7, "1:00:00"),
        (3600, "1:00:00"),
        (360_000, "100:00:00"),
    ],
)
def test_a_duration_is_written_as_a_clock_shows_it(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@given(st.integers(0, 10**7))
def test_a_duration_says_every_second(seconds: int) -> None:
    total = 0
    for part in format_duration(seconds).split(":"):
        total = total * 60 + int(part)

    assert total == seconds
