"""SQLite as the ledger meets it, of which the n-th call fails."""

import shutil
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

    def commit(self, connection: "_Connection") -> None:
        """Count a commit, before it is carried out."""
        del connection
        self.count("COMMIT")

    def count(self, statement: str) -> None:
        with self._lock:
            self.made.append(statement)
            number = len(self.made)
        if number == self._nth or (self._lasts and number > self._nth > 0):
            raise self._error.make()


class FlushErrors(Calls):
    """Lets the n-th commit and all after it fail, though what they wrote is on the disk.

    So SQLite fails when the disk takes a commit's bytes and not its flush: it goes on as if they
    were not there, and the next start finds them. Each commit writes over the one that failed
    before it, so only one of them is found.

    Args:
        nth: which commit is the first.
        found: the number, counted from there, of the failed commit that is found.
        ledger: the database.
    """

    def __init__(self, nth: int, found: int, ledger: Path) -> None:
        super().__init__(nth)
        self._found = nth + found
        self._ledger = ledger
        self._aside = ledger.with_name("as-found")

    @property
    def is_any_found(self) -> bool:
        """Whether so many commits failed."""
        return self._aside.exists()

    def count(self, statement: str) -> None:
        """Statements don't fail."""

    def commit(self, connection: "_Connection") -> None:
        # Reading leaves nothing to be flushed.
        if not any(sql.startswith(("INSERT", "CREATE")) for sql, _ in connection.transaction):
            return
        with self._lock:
            self.made.append("COMMIT")
            number = len(self.made)
        if number == self._found:
            self._set_aside(connection.transaction)
        if number >= self._nth:
            raise DatabaseError.IO_ERROR.make()

    def cut_power(self) -> None:
        """Leave what the disk holds, and nothing of what SQLite kept in memory."""
        log, index = (
            self._ledger.with_name(f"{self._ledger.name}-{end}") for end in ("wal", "shm")
        )
        log.unlink(missing_ok=True)
        index.unlink(missing_ok=True)
        self._aside.rename(self._ledger)

    def _set_aside(self, transaction: Iterable[tuple[str, Any]]) -> None:
        shutil.copy(self._ledger, self._aside)
        log, copied_log = (
            path.with_name(f"{path.name}-wal") for path in (self._ledger, self._aside)
        )
        if log.exists():
            shutil.copy(log, copied_log)
        copy = _CONNECT(self._aside)
        for sql, parameters in transaction:
            copy.execute(sql, parameters)
        copy.commit()
        copy.close()


class _Cursor(sqlite3.Cursor):
    connection: "_Connection"

    def execute(self, sql: str, parameters: Any = ()) -> Self:
        self.connection.calls.count(sql)
        if sql.startswith("BEGIN"):
            self.connection.transaction = []
        else:
            self.connection.transaction.append((sql, parameters))
        return super().execute(sql, parameters)

    def executemany(self, sql: str, parameters: Iterable[Any]) -> Self:
        self.connection.calls.count(sql)
        return super().executemany(sql, parameters)


class _Connection(sqlite3.Connection):
    calls: Calls
    transaction: list[tuple[str, Any]]

    def cursor(self, factory: Any = _Cursor) -> Any:
        return super().cursor(factory)

    def commit(self) -> None:
        if self.in_transaction:
            self.calls.commit(self)
        super().commit()


@contextmanager
def counted(calls: Calls) -> Iterator[None]:
    """Let every connection that is made meanwhile count its calls."""

    def connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection: _Connection = _CONNECT(*arguments, **options, factory=_Connection)
        connection.calls, connection.transaction = calls, []
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


def knows_of_seal(path: Path, job: int) -> bool:
    """Whether any other program reads that a job was about to seal its drive."""
    judge = _CONNECT(path)
    try:
        query = "SELECT count(*) FROM sealing WHERE job_id = ?"
        return bool(judge.execute(query, (job,)).fetchone() == (1,))
    finally:
        judge.close()


def is_whole(path: Path) -> bool:
    """Whether SQLite itself finds nothing wrong with a database."""
    judge = _CONNECT(path)
    try:
        checked = judge.execute("PRAGMA integrity_check").fetchall()
        strays = judge.execute("PRAGMA foreign_key_check").fetchall()
    finally:
        judge.close()
    return (checked, strays) == ([("ok",)], [])
