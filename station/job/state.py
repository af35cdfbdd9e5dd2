"""The states of a job and every transition between them, in one table."""

from enum import StrEnum, unique


@unique
class Stage(StrEnum):
    """What a job does to its drive, in the words of the command line contract."""

    PROBE = "probe"
    WIPE = "wipe"
    LOAD = "load"
    VERIFY = "verify"
    SEAL = "seal"
