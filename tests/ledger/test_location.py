from pathlib import Path

import pytest

from station.errors import OperatorError
from station.ledger.location import default_location, ledger_path


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("ledger.sqlite", "ledger.sqlite"),
        ("/srv/a b?c#d%20.sqlite", "/srv/a b?c#d%20.sqlite"),
        ("sqlite:///ledger.sqlite", "ledger.sqlite"),
        ("sqlite:////srv/ledger.sqlite", "/srv/ledger.sqlite"),
    ],
)
def test_a_ledger_is_named_by_path_or_url(location: str, path: str) -> None:
    assert ledger_path(location) == Path(path)


def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/lead")

    assert ledger_path("~/ledger.sqlite") == Path("/home/lead/ledger.sqlite")


def test_the_default_lies_in_the_users_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/home/lead/data")

    assert default_location() == "/home/lead/data/station/ledger.sqlite"


@pytest.mark.parametrize(
    ("location", "complaint"),
    [
        ("postgresql://lead:secret@db/ledger", "only SQLite is supported"),
        ("sqlite+aiosqlite:///ledger.sqlite", "only SQLite is supported"),
        ("sqlite://", "names no file"),
        ("sqlite:///", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite:///ledger.sqlite?mode=memory", "has options"),
        (":memory:", "no place for a ledger"),
        ("", "no place for a ledger"),
    ],
)
def test_what_is_no_file_is_refused(location: str, complaint: str) -> None:
    with pytest.raises(OperatorError, match=complaint):
        ledger_path(location)


def test_the_password_of_a_url_is_not_repeated() -> None:
    with pytest.raises(OperatorError) as caught:
        ledger_path("postgresql://lead:secret@db/ledger")

    assert "secret" not in str(caught.value)
