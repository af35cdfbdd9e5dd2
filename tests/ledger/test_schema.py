import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from station.ledger.ledger import Ledger
from station.ledger.records import JobEnd, JobStart
from station.verdict import PASSED, FailReason, RefusalReason

Stick = Callable[..., JobStart]
TABLES = ("run", "job", "verdict")


@pytest.fixture
def stranger(ledger: Ledger, location: Path, stick: Stick) -> Iterator[sqlite3.Connection]:
    """Somebody with an SQLite shell; in the ledger are a job that passed and one that runs."""
    ledger.end_job(ledger.start_job(stick()), JobEnd(PASSED))
    ledger.start_job(stick())
    with closing(sqlite3.connect(location)) as connection:
        yield connection


def contents(connection: sqlite3.Connection) -> list[list[object]]:
    return [
        connection.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 - our own names
        for table in TABLES
    ]


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM {table}",
        "UPDATE {table} SET rowid = rowid",
        "INSERT OR REPLACE INTO {table} SELECT * FROM {table}",
        "REPLACE INTO {table} SELECT * FROM {table} LIMIT 1",
    ],
)
def test_no_row_is_ever_changed(stranger: sqlite3.Connection, table: str, statement: str) -> None:
    before = contents(stranger)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        stranger.execute(statement.format(table=table))

    assert contents(stranger) == before


def insert_verdict(
    connection: sqlite3.Connection, outcome: str, reason: str | None, written_bytes: object = 0
) -> None:
    connection.execute(
        "INSERT INTO verdict VALUES (2, '2026-01-31T09:30:00.000000Z', ?, ?, '', NULL, ?, 0, '{}')",
        (outcome, reason, written_bytes),
    )


ALLOWED = [
    ("pass", None),
    *(("fail", str(reason)) for reason in FailReason),
    *(("refused", str(reason)) for reason in RefusalReason),
]


@pytest.mark.parametrize(("outcome", "reason"), ALLOWED)
def test_every_verdict_of_the_station_can_be_stored(
    stranger: sqlite3.Connection, outcome: str, reason: str | None
) -> None:
    insert_verdict(stranger, outcome, reason)

    assert stranger.execute("SELECT outcome, reason FROM verdict WHERE job_id = 2").fetchall() == [
        (outcome, reason)
    ]


@pytest.mark.parametrize(
    ("outcome", "reason", "written_bytes"),
    [
        ("pass", "removed", 0),
        ("fail", None, 0),
        ("fail", "not_usb", 0),
        ("refused", None, 0),
        ("refused", "removed", 0),
        ("refused", "not_usb", 512),
        ("PASS", None, 0),
        ("", None, 0),
        ("pass", None, "many"),
        ("pass", None, None),
    ],
)
def test_no_other_verdict_can(
    stranger: sqlite3.Connection, outcome: str, reason: str | None, written_bytes: object
) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        insert_verdict(stranger, outcome, reason, written_bytes)
