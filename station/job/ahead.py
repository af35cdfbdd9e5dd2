"""Work for the next chunk that runs while the drive is busy with this one."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Generic, Self, TypeVar

T = TypeVar("T")


class Ahead(Generic[T]):
    """One thread beside the job's own, with at most one task under way.

    The job's thread alone talks to the drive, and should do nothing else: a drive that waits for
    its host to hash or to gather files is slower than its flash.
    """

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ahead")
        self._future: Future[T] | None = None

    def start(self, task: Callable[[], T]) -> None:
        """Begin a task; the one before it must have been waited for."""
        if self._future is not None:
            raise AssertionError("the task before this one was not waited for")
        self._future = self._executor.submit(task)

    def wait(self) -> T:
        """The result of the task under way, or its error."""
        if self._future is None:
            raise AssertionError("no task is under way")
        future, self._future = self._future, None
        return future.result()

    @property
    def is_busy(self) -> bool:
        """Whether there is a task to wait for."""
        return self._future is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # The task under way still uses buffers and files of this pass, so it must end before them.
        self._executor.shutdown(wait=True, cancel_futures=True)
