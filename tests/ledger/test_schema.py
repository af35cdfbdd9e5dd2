import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from station.ledger.ledger import Ledger
from station.ledger.records import JobEnd, JobStart
from station.verdict import PASSED, FailReason, RefusalReason

Stick = Callable[..., JobStart]
TABLES = ("run", "job", "sealing", "verdict")


@pytest.fixture
def stranger(ledger: Ledger, location: Path, stick: Stick) -> Iterator[sqlite3.Connection]:
    """Somebody with an SQLite shell; in the ledger are a job that passed and one that runs."""
    job = ledger.start_job(stick())
    ledger.begin_seal(job)
    ledger.end_job(job, JobEnd(PASSED))
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


def insert_verdict(connection: sqlite3.Connection, **changed: object) -> None:
    """Enter a pass of the job that runs, with some columns changed."""
    values: dict[str, object] = {
        "job_id": 2,
        "ended": "2026-01-31T09:30:00.000000Z",
        "outcome": "pass",
        "detail": "",
        "written_bytes": 0,
        "read_bytes": 0,
        "stage_s": "{}",
        "retries": 0,
        "longest_pause_s": 0.0,
        **changed,
    }
    names, places = ", ".join(values), ", ".join("?" * len(values))
    connection.execute(
        f"INSERT INTO verdict ({names}) VALUES ({places})",  # noqa: S608 - our own names
        tuple(values.values()),
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
    insert_verdict(stranger, outcome=outcome, reason=reason)

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
        insert_verdict(stranger, outcome=outcome, reason=reason, written_bytes=written_bytes)


def speeds(slowest: object, median: object, fastest: object, at: object) -> dict[str, object]:
    return {
        "load_slowest_bytes_per_s": slowest,
        "load_median_bytes_per_s": median,
        "load_fastest_bytes_per_s": fastest,
        "load_slowest_at_bytes": at,
    }


@pytest.mark.parametrize(
    "columns", [speeds(1.5, 2, 2, 0), speeds(7, 7, 7, 2**40), speeds(None, None, None, None)]
)
def test_speeds_are_stored_whole_or_not_at_all(
    stranger: sqlite3.Connection, columns: dict[str, object]
) -> None:
    insert_verdict(stranger, **columns)

    names = ", ".join(columns)
    query = f"SELECT {names} FROM verdict WHERE job_id = 2"  # noqa: S608 - our own names
    assert stranger.execute(query).fetchall() == [tuple(columns.values())]


IMPOSSIBLE_FIGURES: list[dict[str, object]] = [
    speeds(None, 2, 3, 0),
    speeds(1, None, 3, 0),
    speeds(1, 2, None, 0),
    speeds(1, 2, 3, None),
    speeds(0, 2, 3, 0),
    speeds(2, 1, 3, 0),
    speeds(1, 3, 2, 0),
    speeds(1, 2, 3, -1),
    speeds(1, 2, "fast", 0),
    {"retries": -1},
    {"longest_pause_s": -0.1},
    {"longest_pause_s": None},
]


def test_figures_that_can_not_be_are_refused(stranger: sqlite3.Connection) -> None:
    for columns in IMPOSSIBLE_FIGURES:
        with pytest.raises(sqlite3.IntegrityError):
            insert_verdict(stranger, **columns)
