"""Transactions that several threads ask for at the same moment, put on the disk together.

Sticks that are as fast as each other end together. Were each row flushed to the disk by itself, the
last of sixty-four would wait for all others. Databases know it as group commit (DeWitt et al.,
"Implementation techniques for main memory database systems", SIGMOD 1984).
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar, cast

from sqlalchemy import Connection

from station.errors import StationError, StationFaultError

T = TypeVar("T")


@dataclass(slots=True)
class _Request(Generic[T]):
    """What one thread asks for.

    Attributes:
        act: does it, within a transaction.
        is_done: whether it is durable, or has failed.
        result: what came of it.
        error: why it failed; None when it did not.
    """

    act: Callable[[Connection], T]
    is_done: bool = False
    result: T | None = None
    error: Exception | None = None

    def outcome(self) -> T:
        """What came of it, in the thread that asked."""
        match self.error:
            case None:
                return cast("T", self.result)
            case StationFaultError() as fault:
                # Each thread gets an error of its own: they may be raised at the same moment.
                raise type(fault)(fault.problem, fault.remedy) from fault
            case error:
                raise error


class GroupCommit:
    """Carries out what threads ask for, one transaction at a time, all that waits in one.

    Args:
        begin: a transaction that is durable when its block is left, or has left no trace.
    """

    def __init__(self, begin: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._begin = begin
        # SQLite has one writer at a time. Waiting for one's turn here is fair; in SQLite's own
        # waiting loop the unluckiest of many threads can starve.
        self._turn = Lock()
        self._waiting: deque[_Request[object]] = deque()

    def run(self, act: Callable[[Connection], T]) -> T:
        """Do something in a transaction, and return when it is durable.

        Args:
            act: what to do; on the connection of whichever thread comes first. When it raises a
                StationError, it must have left nothing in the transaction: others go on in it.

        Raises:
            StationError: what `act` raised.
            Exception: why the transaction failed; nothing of it was done, for nobody in it.
        """
        request = _Request(act)
        self._waiting.append(cast("_Request[object]", request))
        with self._turn:
            # Whoever had the turn before may have taken this one along.
            if not request.is_done:
                self._run_waiting()
        return request.outcome()

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """Keep transactions from being begun, after the one under way."""
        with self._turn:
            yield

    def _run_waiting(self) -> None:
        requests = [self._waiting.popleft() for _ in range(len(self._waiting))]
        failure: Exception = StationFaultError("the ledger was interrupted while it was written")
        is_durable = False
        try:
            with self._begin() as connection:
                for request in requests:
                    try:
                        request.result = request.act(connection)
                    except StationError as error:
                        request.error = error
            is_durable = True
        except Exception as error:  # noqa: BLE001 - raised again in each thread that asked
            failure = error
        finally:
            for request in requests:
                if not is_durable:
                    request.error = failure
                request.is_done = True
