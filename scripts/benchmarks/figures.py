"""What a benchmark gives: lines of a table, curves and bars of a plot."""

from dataclasses import dataclass
from enum import Enum, auto, unique
from statistics import median

RATIO = "ratio"
"""The unit of one measured thing over another, both from the same round."""


@dataclass(frozen=True, slots=True)
class Bound:
    """What a figure is asked to reach.

    Attributes:
        limit: the figure that is just good enough.
        is_most: whether larger ones are worse.
    """

    limit: float
    is_most: bool

    def holds_for(self, value: float) -> bool:
        """Whether a figure is good enough."""
        return value <= self.limit if self.is_most else value >= self.limit

    def __str__(self) -> str:
        return f"{'≤' if self.is_most else '≥'} {self.limit:g}"


def at_most(limit: float) -> Bound:
    """The bound of a cost."""
    return Bound(limit, is_most=True)


def at_least(limit: float) -> Bound:
    """The bound of a gain."""
    return Bound(limit, is_most=False)


@dataclass(frozen=True, slots=True)
class Line:
    """One figure, measured several times.

    Attributes:
        name: what was measured.
        unit: of the values.
        values: one for each round, at least one.
        bound: what the median is asked to reach; None for what is only reported.
    """

    name: str
    unit: str
    values: tuple[float, ...]
    bound: Bound | None = None

    @property
    def median(self) -> float:
        """The value in the middle."""
        return median(self.values)

    @property
    def is_met(self) -> bool | None:
        """Whether the median reaches its bound; None without one."""
        return None if self.bound is None else self.bound.holds_for(self.median)


@unique
class Scale(Enum):
    """Which axes of a panel are logarithmic."""

    LINEAR = auto()
    LOG_X = auto()
    LOG = auto()


@dataclass(frozen=True, slots=True)
class Curve:
    """One curve of a plot.

    Attributes:
        plot: which plot it belongs to; part of the picture's file name.
        panel: title of the panel in that plot.
        label: what the curve shows.
        x_label: what is varied.
        y_label: what comes of it, with its unit.
        points: as (x, y), ascending in x.
        scale: which axes are logarithmic.
    """

    plot: str
    panel: str
    label: str
    x_label: str
    y_label: str
    points: tuple[tuple[float, float], ...]
    scale: Scale = Scale.LINEAR


@dataclass(frozen=True, slots=True)
class Bar:
    """Where the time of one thing goes.

    Attributes:
        plot: as of a curve.
        panel: as of a curve.
        label: what takes the time.
        parts_s: seconds by step, in the order of the steps.
    """

    plot: str
    panel: str
    label: str
    parts_s: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """What could not be measured here.

    Attributes:
        name: what was to be measured.
        reason: why it was not, and what to do about it.
    """

    name: str
    reason: str


Result = Line | Curve | Bar | Missing
