import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.cli.moment import first_moment, last_moment
from station.errors import OperatorError

NOW = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)  # five in the morning of 2 March in Seoul


@pytest.fixture(autouse=True, scope="module")
def seoul() -> Iterator[None]:
    """Nine hours before UTC, without summer time."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "Asia/Seoul"
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("today", "2026-03-01T15:00"),
        ("Yesterday", "2026-02-28T15:00"),
        ("2026-01-31", "2026-01-30T15:00"),
        ("2026-01-31 14:30", "2026-01-31T05:30"),
        ("2026-01-31T14:30:05", "2026-01-31T05:30:05"),
        ("2026-01-31T14:30:00Z", "2026-01-31T14:30"),
        ("2026-01-31T14:30:00-05:00", "2026-01-31T19:30"),
        ("2 days", "2026-02-27T20:00"),
        ("1 week ago", "2026-02-22T20:00"),
        ("90min", "2026-03-01T18:30"),
        ("3h", "2026-03-01T17:00"),
        (" 30 seconds ", "2026-03-01T19:59:30"),
    ],
)
def test_a_moment_is_read_as_people_write_it(text: str, utc: str) -> None:
    assert first_moment(text, NOW) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@pytest.mark.parametrize("text", ["today", "yesterday", "2026-01-31"])
def test_a_day_ends_with_its_last_microsecond(text: str) -> None:
    length = last_moment(text, NOW) - first_moment(text, NOW)

    assert length == timedelta(days=1) - timedelta(microseconds=1)


@pytest.mark.parametrize("text", ["2026-01-31 14:30", "2 days"])
def test_a_time_begins_and_ends_at_once(text: str) -> None:
    assert first_moment(text, NOW) == last_moment(text, NOW)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "2026-02-30",
        "2026-01-31 25:00",
        "2 moons",
        "-2 days",
        "999999 weeks",
        "0001-01-01",
    ],
)
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(OperatorError, match=r"is no date or time\. Write it like 2026-01-31"):
        first_moment(text, NOW)


@given(st.text() | st.from_regex(r"\d{1,7} ?[smhdw]", fullmatch=True))
def test_any_text_is_a_moment_or_refused(text: str) -> None:
    try:
        moment = first_moment(text, NOW)
    except OperatorError:
        return

    assert moment.tzinfo is not None


@given(st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - Hypothesis adds the zone
def test_what_json_shows_can_be_asked_for(moment: datetime) -> None:
    assert first_moment(moment.isoformat(), NOW) == moment
