"""How values are written into SQLite's integers and texts, and read back."""

import json
from datetime import UTC, datetime

from sqlalchemy import Dialect, Text, TypeDecorator

from station.text import printable


class PrintableText(TypeDecorator[str]):
    """Text in its printable form.

    A drive's strings can hold terminal escapes, NULs (at which SQLite's own functions stop) and
    lone surrogates (which UTF-8 can't hold). Escaped before they are stored, they can harm no
    reader of the file, whatever tool it is opened with. Compared values are escaped alike.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Escape on the way in; what was escaped once stays as it is."""
        return None if value is None else printable(value)


class UtcTime(TypeDecorator[datetime]):
    """A moment as RFC 3339 text in UTC, always of one width, so that text order is time order."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Write `2026-01-31T09:30:00.000000Z`; a value without a time zone is a defect."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        utc = value.astimezone(UTC).replace(tzinfo=None)
        return utc.isoformat(timespec="microseconds") + "Z"

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Read it back, timezone-aware."""
        return None if value is None else datetime.fromisoformat(value)


class NameList(TypeDecorator[tuple[str, ...]]):
    """Names in their order, as a JSON array that SQLite's json_each understands."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Write the printable form of each name."""
        return None if value is None else json.dumps([printable(name) for name in value])

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[str, ...] | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Read them back."""
        return None if value is None else tuple(json.loads(value))


class SecondsByStage(TypeDecorator[dict[str, float]]):
    """Seconds spent in each stage, as a JSON object that SQLite's json_extract understands."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: dict[str, float] | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Write the object."""
        return None if value is None else json.dumps(value, allow_nan=False)

    def process_result_value(self, value: str | None, dialect: Dialect) -> dict[str, float] | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Read it back."""
        return None if value is None else dict(json.loads(value))
