"""What the exit code tells the caller."""

from enum import IntEnum, unique


@unique
class ExitCode(IntEnum):
    """The four ends of a command."""

    ALL_PASSED = 0
    NOT_ALL_PASSED = 1
    REFUSED = 2
    STATION_FAILED = 3
