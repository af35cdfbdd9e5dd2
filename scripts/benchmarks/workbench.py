"""Where benchmarks are run, and how often."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


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

    def paired(
        self, first: Callable[[], float], second: Callable[[], float]
    ) -> list[tuple[float, float]]:
        """Measure two things in turn, so that what disturbs the machine disturbs both.

        Every other round begins with the second.

        Returns:
            The two figures of each round.
        """
        pairs = []
        for index in range(self.rounds):
            if index % 2 == 0:
                one = first()
                pairs.append((one, second()))
            else:
                other = second()
                pairs.append((first(), other))
        return pairs


def ratios(pairs: list[tuple[float, float]]) -> tuple[float, ...]:
    """The first figure of each pair over the second."""
    return tuple(one / other for one, other in pairs)


def in_new_process(act: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function of a module in a process of its own, whose memory and time are its own."""
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        return pool.submit(act, *args, **kwargs).result()
