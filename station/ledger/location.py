"""Where the ledger lies."""

import os
import re
from pathlib import Path

import platformdirs

from station.errors import OperatorError
from station.text import printable

_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>.*)", re.DOTALL)
_HINT = "Name a file, such as /srv/station/ledger.sqlite."


def default_location() -> str:
    """The ledger in the user's data folder."""
    return str(Path(platformdirs.user_data_dir("station"), "ledger.sqlite"))


def virtual_location() -> str:
    """The ledger of simulated sticks: nobody who counts real ones wants them among them."""
    return str(Path(platformdirs.user_data_dir("station"), "virtual-ledger.sqlite"))


def ledger_path(location: str) -> Path:
    """The file that a path or an `sqlite:///` URL names.

    As SQLAlchemy writes them: three slashes and a relative path, or four and an absolute one.

    Raises:
        OperatorError: for another database, one in memory, options behind a question mark, and
            what can't be the name of a file.
    """
    url = _URL.fullmatch(location)
    if url is None:
        if location in ("", ":memory:"):
            raise OperatorError(f"{location!r} is no place for a ledger", _HINT)
        return _home_expanded(_file_path(location))
    # The rest of the URL may hold a password: it is not repeated.
    if url["scheme"].lower() != "sqlite":
        raise OperatorError(
            f"the ledger can't be kept at {url['scheme']}://: only SQLite is supported", _HINT
        )
    path = url["rest"].removeprefix("/")
    if path == url["rest"] or path in ("", ":memory:"):
        raise OperatorError(
            f"the ledger URL {printable(location)} names no file",
            "Write it like sqlite:////srv/station/ledger.sqlite.",
        )
    if "?" in path:
        raise OperatorError(
            f"the ledger URL {printable(location)} has options, which the ledger doesn't take",
            "Leave out the question mark and what follows.",
        )
    return _file_path(path)


def _file_path(name: str) -> Path:
    try:
        encoded = os.fsencode(name)
    except UnicodeEncodeError:
        encoded = b"\0"
    if b"\0" in encoded:
        raise OperatorError(f"{printable(name)} can't be the name of a file", _HINT)
    return Path(name)


def _home_expanded(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise OperatorError(
            f"{printable(str(path))} lies in the home of a user who isn't there", _HINT
        ) from error
