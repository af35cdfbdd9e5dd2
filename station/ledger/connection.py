"""Opening the ledger's file: as ours, durable, and in WAL mode, or not at all."""

import os
import sqlite3
import stat
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, QueuePool, create_engine, event

from station.errors import OperatorError, StationFaultError
from station.ledger import schema
from station.ledger.fault import explained
from station.ledger.location import default_location, virtual_location
from station.text import printable

# How long a writer waits for a writer in another process. One transaction takes milliseconds, on a
# busy disk a second or two; the dashboard shows nothing durable meanwhile, so it may be patient.
_BUSY_TIMEOUT_S = 30
_IMMEDIATE = "ledger_immediate"


def open_engine(path: Path, *, read_only: bool) -> Engine:
    """Open a ledger, and create it first unless it is only to be read.

    Raises:
        OperatorError: when there is none to read, or the file isn't a ledger of this format.
        StationFaultError: when the database fails.
    """
    if not _exists(path):
        if read_only:
            raise OperatorError(
                f"there is no ledger at {printable(str(path))}",
                "It is made by the first `station run` or `station load`; --ledger names another.",
            )
        _require_folder(path)
    engine = _engine(path, read_only=read_only)
    try:
        with explained(path, opening=True):
            if read_only:
                with engine.connect() as connection:
                    # What a reader asks for stands in the tables of every format so far.
                    _require_ours(connection, path)
            else:
                _create_unless_ours(engine, path)
    except BaseException:
        engine.dispose()
        raise
    return engine


def for_writing(engine: Engine) -> Engine:
    """The same engine, whose transactions take SQLite's one write lock from their beginning.

    A transaction that starts as a reader can't wait for the lock when it goes on to write: SQLite
    fails it at once, see https://sqlite.org/lang_transaction.html#immediate.
    """
    return engine.execution_options(**{_IMMEDIATE: True})


def _exists(path: Path) -> bool:
    """Whether there is a file; SQLite itself would as soon fill a blank drive with tables."""
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise OperatorError(
            f"the ledger {printable(str(path))} can't be reached: {error.strerror}",
            "Name another ledger with --ledger.",
        ) from error
    if not stat.S_ISREG(mode):
        raise OperatorError(f"{printable(str(path))} is no file", "Name a file for the ledger.")
    return True


def _require_folder(path: Path) -> None:
    if str(path) in (default_location(), virtual_location()):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StationFaultError(
                f"can't make the folder {printable(str(path.parent))}: {error.strerror}",
                "Name a place for the ledger with --ledger.",
            ) from error
    elif not path.parent.is_dir():
        raise OperatorError(
            f"the ledger's folder {printable(str(path.parent))} doesn't exist",
            "Create it, or name another ledger.",
        )


def _engine(path: Path, *, read_only: bool) -> Engine:
    uri = f"file:{quote(os.fsencode(path.absolute()))}?mode={'ro' if read_only else 'rwc'}"
    if read_only and _is_at_rest(path):
        uri += "&immutable=1"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(
            uri,
            uri=True,
            timeout=_BUSY_TIMEOUT_S,
            isolation_level=None,  # transactions are begun below, not guessed by the module
            check_same_thread=False,  # the pool lends a connection to one thread at a time
        )
        # FULL: a commit returns when the log has reached the disk, https://sqlite.org/pragma.html
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        return connection

    engine = create_engine("sqlite://", creator=connect, poolclass=QueuePool)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get(_IMMEDIATE, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def _is_at_rest(path: Path) -> bool:
    """Whether no log is left to read and none can be made.

    In a folder that it can't write to, SQLite reads a ledger without its log only as an immutable
    file.
    """
    log = path.with_name(f"{path.name}-wal")
    return not log.exists() and not os.access(path.parent, os.W_OK)


def _create_unless_ours(engine: Engine, path: Path) -> None:
    with for_writing(engine).begin() as connection:
        if _is_empty(connection):
            schema.create(connection)
        elif _require_ours(connection, path) < schema.SCHEMA_VERSION:
            schema.migrate(connection)
    # Only now: the mode is written into the file, and a foreign file is to stay as it is.
    mode = _set_write_ahead_log(engine)
    if mode != "wal":
        raise OperatorError(
            f"the ledger {printable(str(path))} can't have a write-ahead log there",
            "Name a file on a disk of this machine.",
        )


def _set_write_ahead_log(engine: Engine) -> str:
    """Ask for the mode, outside of any transaction as SQLite demands, and return what it took."""
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        (mode,) = cursor.fetchall()[0]
    finally:
        connection.close()
    return str(mode)


def _is_empty(connection: Connection) -> bool:
    tables: int = connection.exec_driver_sql("SELECT count(*) FROM sqlite_schema").scalar_one()
    return tables == 0 and _pragma(connection, "application_id") == 0


def _require_ours(connection: Connection, path: Path) -> int:
    """Refuse what is no ledger, or one of a newer station; returns its format."""
    if _pragma(connection, "application_id") != schema.APPLICATION_ID:
        raise OperatorError(
            f"{printable(str(path))} is no ledger but another program's database",
            "Name a ledger, or a file that doesn't exist yet.",
        )
    version = _pragma(connection, "user_version")
    if not 1 <= version <= schema.SCHEMA_VERSION:
        raise OperatorError(
            f"the ledger {printable(str(path))} has format {version},"
            f" this station knows {schema.SCHEMA_VERSION}",
            "Update the station, or name another ledger.",
        )
    return version


def _pragma(connection: Connection, name: str) -> int:
    value: int = connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
    return value
