"""SQLite as the ledger meets it, of which the n-th call fails."""

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import Enum, unique
from pathlib import Path
from typing import Any, Self

import pytest

# Taken before a test puts another in its place: what judges the ledger must not fail itself.
_CONNECT = sqlite3.connect


@unique
class DatabaseError(Enum):
    """What SQLite says, by its result code: https://sqlite.org/rescode.html."""

    FULL = (sqlite3.SQLITE_FULL, "database or disk is full")
    BUSY = (sqlite3.SQLITE_BUSY, "database is locked")
    IO_ERROR = (sqlite3.SQLITE_IOERR_WRITE, "disk I/O error")

    def make(self) -> sqlite3.OperationalError:
        """The error as the module raises it."""
        code, text = self.value
        error = sqlite3.OperationalError(text)
        error.sqlite_errorcode, error.sqlite_errorname = code, self.name
        return error


class Calls:
    """Counts statements and commits of all connections, and fails the n-th, counted from 1.

    Args:
        nth: which one; 0 none.
        error: what it fails with.
        lasts: whether all after it fail, too.
    """

    def __init__(
        self, nth: int = 0, error: DatabaseError = DatabaseError.FULL, *, lasts: bool = False
    ) -> None:
        self.made: list[str] = []
        self._nth = nth
        self._error = error
        self._lasts = lasts
        self._lock = threading.Lock()

    @property
    def has_struck(self) -> bool:
        """Whether there were so many calls."""
        return len(self.made) >= self._nth > 0

    def count(self, statement: str) -> None:
        with self._lock:
            self.made.append(statement)
            number = len(self.made)
        if number == self._nth or (self._lasts and number > self._nth > 0):
            raise self._error.make()


class _Cursor(sqlite3.Cursor):
    connection: "_Connection"

    def execute(self, sql: str, parameters: Any = ()) -> Self:
        self.connection.calls.count(sql)
        return super().execute(sql, parameters)

    def executemany(self, sql: str, parameters: Iterable[Any]) -> Self:
        self.connection.calls.count(sql)
        return super().executemany(sql, parameters)


class _Connection(sqlite3.Connection):
    calls: Calls

    def cursor(self, factory: Any = _Cursor) -> Any:
        return super().cursor(factory)

    def commit(self) -> None:
        if self.in_transaction:
            self.calls.count("COMMIT")
        super().commit()


@contextmanager
def counted(calls: Calls) -> Iterator[None]:
    """Let every connection that is made meanwhile count its calls."""

    def connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection: _Connection = _CONNECT(*arguments, **options, factory=_Connection)
        connection.calls = calls
        return connection

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite3, "connect", connect)
        yield


def outcome_in_ledger(path: Path, job: int) -> str | None:
    """The outcome of a job as any other program reads it; None when it has no verdict."""
    judge = _CONNECT(path)
    try:
        row = judge.execute("SELECT outcome FROM verdict WHERE job_id = ?", (job,)).fetchone()
    finally:
        judge.close()
    return None if row is None else str(row[0])


def is_whole(path: Path) -> bool:
    """Whether SQLite itself finds nothing wrong with a database."""
    judge = _CONNECT(path)
    try:
        checked = judge.execute("PRAGMA integrity_check").fetchall()
        strays = judge.execute("PRAGMA foreign_key_check").fetchall()
    finally:
        judge.close()
    return (checked, strays) == ([("ok",)], [])
