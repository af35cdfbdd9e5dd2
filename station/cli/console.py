"""Where plain text leaves the program: results to standard output, complaints to standard error."""

import json
import sys
from collections.abc import Mapping

from rich.console import Console

from station.errors import StationError
from station.text import printable

# Results are for people and pipes: no markup is read in them, and nothing is highlighted.
out = Console(markup=False, highlight=False, emoji=False, soft_wrap=True)
err = Console(stderr=True, markup=False, highlight=False, emoji=False, soft_wrap=True)


def print_error(error: StationError) -> None:
    """Say in one line what is wrong and what to do."""
    err.print(f"station: {printable(str(error))}")


def print_json(value: Mapping[str, object] | list[object]) -> None:
    """Print one JSON value, in ASCII: no terminal can be driven by it."""
    sys.stdout.write(json.dumps(value, indent=2) + "\n")
