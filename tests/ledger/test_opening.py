"""Opening a ledger, and what is refused as one."""

import multiprocessing
import os
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack, closing
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from station.errors import OperatorError, StationFaultError
from station.ledger.ledger import Ledger
from station.ledger.location import default_location, virtual_location
from station.ledger.records import JobEnd, JobFilter, JobStart
from station.ledger.schema import SCHEMA_VERSION
from station.verdict import PASSED

Stick = Callable[..., JobStart]
fork = multiprocessing.get_context("fork")
NOBODY = 65534
both_ways = pytest.mark.parametrize("read_only", [False, True])


def test_a_ledger_that_was_closed_is_one_file(location: Path, stick: Stick) -> None:
    with Ledger.open(str(location)) as ledger:
        ledger.begin_run("films", "")
        ledger.start_job(stick())

    assert os.listdir(location.parent) == ["ledger.sqlite"]  # noqa: PTH208 - names are what counts


@pytest.mark.parametrize(
    ("location_of", "name"),
    [(default_location, "ledger.sqlite"), (virtual_location, "virtual-ledger.sqlite")],
)
def test_a_ledger_in_the_users_data_folder_makes_that_folder(
    location_of: Callable[[], str], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    with Ledger.open(location_of()) as ledger:
        path = ledger.path

    assert path == tmp_path / "data/station" / name
    assert path.is_file()


def test_a_url_and_a_path_name_one_ledger(location: Path, stick: Stick) -> None:
    with Ledger.open(f"sqlite:///{location}") as ledger:
        ledger.begin_run("films", "")
        ledger.start_job(stick())
    with Ledger.open(str(location), read_only=True) as ledger:
        assert len(list(ledger.jobs(JobFilter()))) == 1


def test_a_name_with_signs_that_mean_something_in_a_url_is_a_name(tmp_path: Path) -> None:
    location = tmp_path / "원장 100%?mode=memory#1.sqlite"
    Ledger.open(str(location)).close()

    assert location.is_file()


def test_an_empty_file_becomes_a_ledger(location: Path, stick: Stick) -> None:
    location.touch()
    with Ledger.open(str(location)) as ledger:
        ledger.begin_run("films", "")

        assert ledger.start_job(stick()) == 1


def test_what_is_only_to_be_read_is_not_created(location: Path) -> None:
    with pytest.raises(OperatorError, match="there is no ledger"):
        Ledger.open(str(location), read_only=True)

    assert not location.exists()


def test_a_reader_changes_nothing(location: Path, stick: Stick) -> None:
    with Ledger.open(str(location)) as ledger:
        ledger.begin_run("films", "")
        ledger.end_job(ledger.start_job(stick()), JobEnd(PASSED))
    before = location.read_bytes()
    with Ledger.open(str(location), read_only=True) as reader:
        assert len(list(reader.jobs(JobFilter()))) == 1
        with pytest.raises(StationFaultError, match="is read-only"):
            reader.begin_run("films", "")

    assert location.read_bytes() == before


def test_a_reader_sees_what_a_live_station_has_written(
    ledger: Ledger, location: Path, stick: Stick
) -> None:
    ledger.start_job(stick())
    with Ledger.open(str(location), read_only=True) as reader:
        before = len(list(reader.jobs(JobFilter())))
        ledger.start_job(stick())

        assert (before, len(list(reader.jobs(JobFilter())))) == (1, 2)


def count_jobs_as_nobody(location: Path, answer: Connection) -> None:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    with Ledger.open(str(location), read_only=True) as reader:
        answer.send(len(list(reader.jobs(JobFilter()))))


@pytest.mark.parametrize("station_lives", [True, False])
def test_whoever_may_only_read_can_read(stick: Stick, *, station_lives: bool) -> None:
    # Not below pytest's own folder, which is closed to others.
    with TemporaryDirectory() as folder, ExitStack() as living:
        location = Path(folder, "ledger.sqlite")
        ledger = living.enter_context(Ledger.open(str(location)))
        ledger.begin_run("films", "")
        ledger.start_job(stick())
        if not station_lives:
            ledger.close()
        Path(folder).chmod(0o555)
        receiver, sender = fork.Pipe(duplex=False)
        child = fork.Process(target=count_jobs_as_nobody, args=(location, sender))
        child.start()
        sender.close()
        child.join()

        assert receiver.recv() == 1
        Path(folder).chmod(0o755)


@both_ways
def test_another_programs_database_is_refused_and_left_as_it_is(
    location: Path, *, read_only: bool
) -> None:
    with closing(sqlite3.connect(location)) as theirs:
        theirs.execute("CREATE TABLE bookmark (url TEXT)")
    before = location.read_bytes()
    with pytest.raises(OperatorError, match="another program's database"):
        Ledger.open(str(location), read_only=read_only)

    assert location.read_bytes() == before


@both_ways
def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(
    location: Path, *, read_only: bool
) -> None:
    location.write_bytes(b"Dear donor, " * 1000)
    with pytest.raises(OperatorError, match="no ledger but some other file"):
        Ledger.open(str(location), read_only=read_only)

    assert location.read_bytes() == b"Dear donor, " * 1000


@both_ways
def test_a_ledger_of_a_newer_station_is_refused(location: Path, *, read_only: bool) -> None:
    Ledger.open(str(location)).close()
    with closing(sqlite3.connect(location)) as newer:
        newer.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with pytest.raises(OperatorError, match=r"has format 3, this station knows 2\. Update"):
        Ledger.open(str(location), read_only=read_only)


def as_format_1(location: Path) -> None:
    """Take away what stations of format 1 did not have."""
    with closing(sqlite3.connect(location)) as older:
        older.execute("DROP TABLE sealing")
        older.execute("PRAGMA user_version = 1")


def test_a_ledger_of_format_1_is_read_as_it_is_and_written_in_todays_format(
    location: Path, stick: Stick
) -> None:
    with Ledger.open(str(location)) as ledger:
        ledger.begin_run("films", "")
        ledger.end_job(ledger.start_job(stick()), JobEnd(PASSED))
    as_format_1(location)
    before = location.read_bytes()
    with Ledger.open(str(location), read_only=True) as reader:
        told = list(reader.jobs(JobFilter()))

    assert location.read_bytes() == before

    with Ledger.open(str(location)) as ledger:
        ledger.begin_run("films", "")
        ledger.begin_seal(ledger.start_job(stick()))
        rows = list(ledger.jobs(JobFilter()))

    assert [row.job for row in told] == [1]
    assert rows[:1] == told
    assert len(rows) == 2
    with closing(sqlite3.connect(location)) as newer:
        assert newer.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            newer.execute("DELETE FROM sealing")


@both_ways
@pytest.mark.parametrize("location", ["/dev/null", "/tmp"])  # noqa: S108 - never written to
def test_what_is_no_plain_file_is_refused(location: str, *, read_only: bool) -> None:
    with pytest.raises(OperatorError, match="is no file"):
        Ledger.open(location, read_only=read_only)


def test_a_folder_that_was_mistyped_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match=r"folder .* doesn't exist"):
        Ledger.open(str(tmp_path / "typo/ledger.sqlite"))

    assert list(tmp_path.iterdir()) == []
