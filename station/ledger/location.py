"""Where the ledger lies."""

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
        OperatorError: for another database, one in memory, and options behind a question mark.
    """
    url = _URL.fullmatch(location)
    if url is None:
        if location in ("", ":memory:"):
            raise OperatorError(f"{location!r} is no place for a ledger", _HINT)
        return Path(location).expanduser()
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
    return Path(path)
