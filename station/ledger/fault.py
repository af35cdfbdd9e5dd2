"""What a fault of the database means, and what a person can do about it."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from station.errors import OperatorError, StationFaultError
from station.text import printable

# Primary result codes of SQLite: https://sqlite.org/rescode.html
_MEANINGS: dict[int, tuple[str, str]] = {
    sqlite3.SQLITE_FULL: (
        "can't be written: its disk is full",
        "Free some space and start again.",
    ),
    sqlite3.SQLITE_BUSY: (
        "is locked by another program",
        "Close what else has it open and start again.",
    ),
    sqlite3.SQLITE_LOCKED: (
        "is locked by another program",
        "Close what else has it open and start again.",
    ),
    sqlite3.SQLITE_CORRUPT: (
        "is damaged",
        "Keep the file, restore a copy or name a new ledger, and check the disk it lies on.",
    ),
    sqlite3.SQLITE_NOTADB: (
        "is no ledger but some other file",
        "Name a ledger, or a file that doesn't exist yet.",
    ),
    sqlite3.SQLITE_READONLY: (
        "is read-only",
        "Make the file and its folder writable, or name another ledger.",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "can't be opened",
        "See that its folder exists and that you may read and write it.",
    ),
    sqlite3.SQLITE_PERM: (
        "can't be opened: permission denied",
        "Make the file and its folder writable, or name another ledger.",
    ),
    sqlite3.SQLITE_IOERR: (
        "can't be read or written",
        "Check the disk it lies on and start again.",
    ),
}
# When a ledger is being opened, these say that the location was a bad one.
_OF_THE_LOCATION = frozenset(
    {
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PERM,
    }
)
_PRIMARY_CODE = 0xFF


class DamagedValueError(Exception):
    """A value that no station wrote, in a file whose structure SQLite finds nothing wrong with."""


class JobEndedError(StationFaultError):
    """A second verdict on a job that has one; the first stands."""


@contextmanager
def values_as_written() -> Iterator[None]:
    """Around the conversion of what was read: nothing but a damaged file makes it fail.

    Raises:
        DamagedValueError: when it fails.
    """
    try:
        yield
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise DamagedValueError(str(error)) from error


@contextmanager
def explained(path: Path, *, opening: bool = False) -> Iterator[None]:
    """Turn a fault of the database into a line that names the file and the remedy.

    Raises:
        OperatorError: while opening, when the location is at fault.
        StationFaultError: for every other fault of the database.
    """
    try:
        yield
    except (DamagedValueError, UnicodeDecodeError) as error:
        # The second is of the sqlite3 module: what it quotes from a damaged file may be no text.
        meaning, remedy = _MEANINGS[sqlite3.SQLITE_CORRUPT]
        raise StationFaultError(f"the ledger {printable(str(path))} {meaning}", remedy) from error
    except (DBAPIError, sqlite3.Error) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        code = getattr(cause, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & _PRIMARY_CODE
        meaning, remedy = _MEANINGS.get(
            code, (f"refused an operation: {printable(str(cause))}", "")
        )
        kind = OperatorError if opening and code in _OF_THE_LOCATION else StationFaultError
        raise kind(f"the ledger {printable(str(path))} {meaning}", remedy) from error
