"""Work for the next chunk that runs while the drive is busy with this one."""

from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Generic, Self, TypeVar

T = TypeVar("T")


class Ahead(Generic[T]):
    """One thread beside the job's own, with at most one task under way.

    The job's thread alone talks to the drive, and should do nothing else: a drive that waits for
    its host to hash or to gather files is slower than its flash.

    Tasks and results are handed over through a plain queue each. An executor of the standard
    library takes 10 to 25 µs longer for each, which shows on drives of some GB/s.
    """

    def __init__(self) -> None:
        self._tasks: SimpleQueue[Callable[[], T] | None] = SimpleQueue()
        self._results: SimpleQueue[T | _Raised] = SimpleQueue()
        self._is_busy = False
        # A daemon, as the job's own thread: a drive that never answers must not keep the station
        # from ending.
        self._thread = Thread(target=self._work, name="ahead", daemon=True)

    def start(self, task: Callable[[], T]) -> None:
        """Begin a task; the one before it must have been waited for."""
        if self._is_busy:
            raise AssertionError("the task before this one was not waited for")
        self._is_busy = True
        self._tasks.put(task)

    def wait(self) -> T:
        """The result of the task under way, or its error."""
        if not self._is_busy:
            raise AssertionError("no task is under way")
        result = self._results.get()
        self._is_busy = False
        if isinstance(result, _Raised):
            raise result.error
        return result

    @property
    def is_busy(self) -> bool:
        """Whether there is a task to wait for."""
        return self._is_busy

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # The task under way still uses buffers and files of this pass, so it must end before them.
        self._tasks.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            try:
                result: T | _Raised = task()
            except BaseException as error:  # noqa: BLE001 - raised again by whoever waits for it
                result = _Raised(error)
            self._results.put(result)


class _Raised:
    """What a task raised."""

    def __init__(self, error: BaseException) -> None:
        self.error = error
