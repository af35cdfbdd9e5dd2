"""The small stick that the tests of simulated drives are about."""

from collections.abc import Callable

import pytest

SECTOR = 512
CAPACITY = 32 * SECTOR


def error_of(use: Callable[[], object]) -> int | None:
    """The error number of what fails."""
    with pytest.raises(OSError, match=r"^\[Errno") as caught:
        use()
    return caught.value.errno
