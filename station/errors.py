"""Errors by whose fault they are: the operator's or the station's own.

A fault of a drive is no exception to the run but its result: see `station.verdict`.
Libraries raise these; only the command line turns them into an exit code.
"""


class StationError(Exception):
    """A fault that a person is told of in one line.

    Attributes:
        problem: what is wrong and where, without a full stop.
        remedy: what to do now, or an empty string.
    """

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.problem}. {self.remedy}" if self.remedy else self.problem


class OperatorError(StationError):
    """Usage, a profile, a manifest or a target that can't be accepted; nothing was written."""


class DriveTooSmallError(OperatorError):
    """A profile that does not fit on drives of some capacity."""


class DriveTooLargeError(OperatorError):
    """A capacity that the file system or the partition table can't address."""


class StationFaultError(StationError):
    """The station itself failed: its disk, its ledger, its environment."""
