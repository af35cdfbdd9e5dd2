"""Shows everything that is wrong with content, one line each."""

from collections.abc import Iterator
from contextlib import contextmanager

from station.cli.console import err
from station.content.rules import ContentRefusedError
from station.errors import OperatorError
from station.text import printable


@contextmanager
def every_problem_told() -> Iterator[None]:
    """Print each problem of refused content on a line of its own, then refuse with their number.

    Raises:
        OperatorError: in place of the refusal.
    """
    try:
        yield
    except ContentRefusedError as error:
        if len(error.problems) == 1:
            raise
        for problem in error.problems:
            err.print(printable(str(problem)))
        raise OperatorError(
            f"{error.where}: {len(error.problems):,} problems, named above", error.remedy
        ) from None
