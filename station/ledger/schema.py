"""The ledger's tables: what may be said in them, and that nothing said is ever taken back.

A job is one row in `job`, written when its drive is accepted, one in `sealing`, written before its
drive becomes mountable, and one in `verdict`, written when it ends. Rows are only ever added:
triggers abort every update, delete and replacing insert, so that neither a defect of the station
nor a hasty hand with the sqlite3 shell rewrites what happened.
"""

from enum import StrEnum

from sqlalchemy import (
    REAL,
    CheckConstraint,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
)

from station.job.state import Stage
from station.ledger.columns import NameList, PrintableText, SecondsByStage, UtcTime
from station.ledger.speeds import speed_columns, speeds_are_whole
from station.verdict import FailReason, Outcome, RefusalReason

# Says whose file this is, in the header of the SQLite file ("STLG"); see PRAGMA application_id.
APPLICATION_ID = 0x53544C47
# Format of the tables; see PRAGMA user_version.
SCHEMA_VERSION = 2

metadata = MetaData()


def _words(words: type[StrEnum]) -> str:
    return ", ".join(f"'{word}'" for word in words)


run = Table(
    "run",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("started", UtcTime, nullable=False),
    Column("profile", PrintableText, nullable=False),
    Column("batch", PrintableText, nullable=False),
    # Which process this was: see `station.ledger.process`.
    Column("host", PrintableText, nullable=False),
    Column("boot_id", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("start_ticks", Integer, nullable=False),
    sqlite_strict=True,
)

job = Table(
    "job",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run_id", ForeignKey(run.c.id), nullable=False),
    Column("started", UtcTime, nullable=False),
    Column("node", PrintableText, nullable=False),
    Column("capacity_bytes", Integer, nullable=False),
    Column("sector_bytes", Integer, nullable=False),
    Column("diskseq", Integer),
    Column("port", PrintableText, nullable=False),
    Column("port_label", PrintableText, nullable=False),
    Column("vendor", PrintableText, nullable=False),
    Column("model", PrintableText, nullable=False),
    Column("serial", PrintableText, nullable=False),
    Column("usb_id", PrintableText, nullable=False),
    Column("link_mbps", Integer),
    Column("profile", PrintableText, nullable=False),
    Column("bundles", NameList, nullable=False),
    Column("erase", PrintableText, nullable=False),
    Column("content_bytes", Integer, nullable=False),
    Index("job_started", "started"),
    # What is one kind of stick: see `station.ledger.query.read_kind_speeds`.
    Index("job_kind", "usb_id", "model", "link_mbps"),
    sqlite_strict=True,
)

sealing = Table(
    "sealing",
    metadata,
    # All but sector 0 was read back and found right; sector 0 is written next.
    Column("job_id", ForeignKey(job.c.id), primary_key=True),
    Column("began", UtcTime, nullable=False),
    sqlite_strict=True,
)

verdict = Table(
    "verdict",
    metadata,
    # The key is what makes a second verdict on one job impossible.
    Column("job_id", ForeignKey(job.c.id), primary_key=True),
    Column("ended", UtcTime, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason", Text),
    Column("detail", PrintableText, nullable=False),
    Column("volume_id", Integer),
    Column("written_bytes", Integer, nullable=False),
    Column("read_bytes", Integer, nullable=False),
    Column("stage_s", SecondsByStage, nullable=False),
    Column("retries", Integer, nullable=False),
    Column("longest_pause_s", REAL, nullable=False),
    *speed_columns(Stage.LOAD),
    *speed_columns(Stage.VERIFY),
    # SQLite takes a CHECK that is NULL for kept, hence each IS NOT NULL.
    CheckConstraint(
        f"(outcome = '{Outcome.PASS}' AND reason IS NULL)"
        f" OR (outcome = '{Outcome.FAIL}' AND reason IS NOT NULL"
        f" AND reason IN ({_words(FailReason)}))"
        f" OR (outcome = '{Outcome.REFUSED}' AND reason IS NOT NULL"
        f" AND reason IN ({_words(RefusalReason)}))",
        name="reason_fits_outcome",
    ),
    CheckConstraint(
        f"outcome <> '{Outcome.REFUSED}' OR written_bytes = 0", name="refused_is_unwritten"
    ),
    CheckConstraint("retries >= 0 AND longest_pause_s >= 0", name="counts_are_counts"),
    speeds_are_whole(Stage.LOAD),
    speeds_are_whole(Stage.VERIFY),
    Index("verdict_ended", "ended"),
    sqlite_strict=True,
)


def create(connection: Connection) -> None:
    """Lay the tables into an empty database, in the transaction that is open."""
    metadata.create_all(connection, checkfirst=False)
    for table in metadata.sorted_tables:
        _guard(connection, table)
    connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION}")


def migrate(connection: Connection) -> None:
    """Bring a ledger of format 1, which has no `sealing`, to this one; no row is touched."""
    sealing.create(connection)
    _guard(connection, sealing)
    connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _guard(connection: Connection, table: Table) -> None:
    for statement in _append_only(table):
        connection.exec_driver_sql(statement)


def _append_only(table: Table) -> list[str]:
    name = table.name
    (key,) = table.primary_key.columns.keys()
    # INSERT OR REPLACE deletes the older row without firing a delete trigger.
    stands = f"EXISTS (SELECT 1 FROM {name} WHERE {key} = NEW.{key})"  # noqa: S608 - our own names
    abort = f"BEGIN SELECT RAISE(ABORT, 'the table {name} is append-only'); END"
    return [
        f"CREATE TRIGGER {name}_no_update BEFORE UPDATE ON {name} {abort}",
        f"CREATE TRIGGER {name}_no_delete BEFORE DELETE ON {name} {abort}",
        f"CREATE TRIGGER {name}_no_replace BEFORE INSERT ON {name} WHEN {stands} {abort}",
    ]
