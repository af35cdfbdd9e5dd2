"""Moments as people name them: `today`, `2026-01-31`, `2026-01-31 14:30`, `2 days`."""

import re
from datetime import date, datetime, time, timedelta

from station.errors import OperatorError

_AGO = re.compile(
    r"(?P<count>\d{1,6})\s*"
    r"(?:(?P<seconds>s|sec|seconds?)|(?P<minutes>m|min|minutes?)|(?P<hours>h|hours?)"
    r"|(?P<days>d|days?)|(?P<weeks>w|weeks?))(?:\s+ago)?",
    re.ASCII | re.IGNORECASE,
)


def first_moment(text: str, now: datetime) -> datetime:
    """Where what a text names begins; a day begins at midnight, local time.

    Args:
        text: `today`, `yesterday`, an ISO 8601 date or time (local unless it says otherwise), or a
            duration, which names the moment that lies so far back.
        now: the present, timezone-aware.

    Returns:
        A timezone-aware moment.

    Raises:
        OperatorError: when the text names no moment.
    """
    return _span(text, now)[0]


def last_moment(text: str, now: datetime) -> datetime:
    """Where what a text names ends: as `first_moment`, but a day ends with its last microsecond."""
    return _span(text, now)[1]


def _span(text: str, now: datetime) -> tuple[datetime, datetime]:
    try:
        day = _day(text.strip(), now)
        if day is None:
            moment = _moment(text.strip(), now)
            return moment, moment
        return (
            datetime.combine(day, time.min).astimezone(),
            datetime.combine(day, time.max).astimezone(),
        )
    except (ValueError, OverflowError) as error:
        raise OperatorError(
            f"{text!r} is no date or time",
            'Write it like 2026-01-31, "2026-01-31 14:30", today, yesterday or "2 days".',
        ) from error


def _day(text: str, now: datetime) -> date | None:
    today = now.astimezone().date()
    match text.lower():
        case "today":
            return today
        case "yesterday":
            return today - timedelta(days=1)
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _moment(text: str, now: datetime) -> datetime:
    if ago := _AGO.fullmatch(text):
        unit = ago.lastgroup or ""
        return now - timedelta(**{unit: int(ago["count"])})
    # A time without a zone is taken as local time.
    return datetime.fromisoformat(text).astimezone()
