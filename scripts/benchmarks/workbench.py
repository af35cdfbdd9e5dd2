"""Where benchmarks are run, and how often."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import active_children, get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from signal import SIG_DFL, SIGINT, signal
from typing import ParamSpec, TypeVar

import psutil

from scripts.benchmarks.host import have_memory

P = ParamSpec("P")
T = TypeVar("T")
U = TypeVar("U")

# What waits for a drive of 10 MB/s ends when its request of some MiB is through.
_END_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Workbench:
    """What every benchmark is given.

    Attributes:
        memory: an empty folder in memory (tmpfs), for sticks that nothing shall slow down.
        disk: an empty folder on a disk, for bundles and ledgers.
        rounds: how often everything is measured.
    """

    memory: Path
    disk: Path
    rounds: int

    def paired(self, first: Callable[[], T], second: Callable[[], U]) -> list[tuple[T, U]]:
        """Measure two things in turn, so that what disturbs the machine disturbs both.

        Every other round begins with the second.

        Returns:
            What both gave in each round.
        """
        pairs = []
        for index in range(self.rounds):
            if index % 2 == 0:
                one = _measured(first)
                pairs.append((one, _measured(second)))
            else:
                other = _measured(second)
                pairs.append((_measured(first), other))
        return pairs


def _measured(act: Callable[[], T]) -> T:
    have_memory()
    return act()


def ratios(pairs: list[tuple[float, float]]) -> tuple[float, ...]:
    """The first figure of each pair over the second."""
    return tuple(one / other for one, other in pairs)


def in_new_process(act: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function of a module in a process of its own, whose memory and time are its own.

    When the call is broken off, that process and the programs that it started are ended first.
    """
    with ProcessPoolExecutor(
        max_workers=1,
        mp_context=get_context("spawn"),
        # Ctrl-C at a terminal reaches it as well, which is no reason to print where it was.
        initializer=signal,
        initargs=(SIGINT, SIG_DFL),
    ) as pool:
        try:
            return pool.submit(act, *args, **kwargs).result()
        except BaseException:
            for worker in active_children():
                _kill(worker)
            raise


def _kill(worker: BaseProcess) -> None:
    """End a process and all that it started."""
    with suppress(psutil.NoSuchProcess):
        root = psutil.Process(worker.pid)
        family = [*root.children(recursive=True), root]
        for member in family:
            with suppress(psutil.NoSuchProcess):
                member.kill()
        psutil.wait_procs(family, timeout=_END_TIMEOUT_S)
