"""Curves and bars as pictures."""

from collections.abc import Mapping, Sequence
from math import ceil
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from scripts.benchmarks.figures import Bar, Curve, Scale

_PANEL_INCHES = (4.2, 3.2)
_COLUMNS = 2
_LEGEND_COLUMNS = 4
_HEADROOM = 1.15


def draw(pictures: Sequence[Curve | Bar], folder: Path) -> None:
    """Draw each plot into `speed-PLOT.svg`, two panels to a row.

    Raises:
        OSError: when one can't be written.
    """
    # The same figures give the same file.
    mpl.rcParams["svg.hashsalt"] = "station"
    for plot in dict.fromkeys(picture.plot for picture in pictures):
        parts = [picture for picture in pictures if picture.plot == plot]
        panels = list(dict.fromkeys(part.panel for part in parts))
        colours = _colours([part for part in parts if isinstance(part, Bar)])
        rows = ceil(len(panels) / _COLUMNS)
        width, height = _PANEL_INCHES
        figure = Figure(figsize=(width * _COLUMNS, height * rows), layout="constrained")
        for index, panel in enumerate(panels, start=1):
            axes = figure.add_subplot(rows, _COLUMNS, index)
            axes.set_title(panel, fontsize="medium")
            _draw_panel(axes, [part for part in parts if part.panel == panel], colours)
        if colours:
            steps = [Patch(color=colour, label=step) for step, colour in colours.items()]
            figure.legend(handles=steps, loc="outside lower center", ncols=_LEGEND_COLUMNS)
        figure.savefig(folder / f"speed-{plot}.svg", metadata={"Date": None})


def _draw_panel(axes: Axes, parts: Sequence[Curve | Bar], colours: Mapping[str, str]) -> None:
    for part in parts:
        match part:
            case Curve():
                _draw_curve(axes, part)
            case Bar():
                _draw_bar(axes, part, colours)
    axes.grid(visible=True, alpha=0.3)


def _draw_curve(axes: Axes, curve: Curve) -> None:
    axes.plot(*zip(*curve.points, strict=True), marker="o")
    axes.set_xlabel(curve.x_label)
    axes.set_ylabel(curve.y_label)
    if curve.scale is not Scale.LINEAR:
        axes.set_xscale("log")
    if curve.scale is Scale.LOG:
        axes.set_yscale("log")
    else:
        axes.set_ylim(0, _HEADROOM * max(y for _, y in curve.points))


def _draw_bar(axes: Axes, bar: Bar, colours: Mapping[str, str]) -> None:
    left_s = 0.0
    for step, step_s in bar.parts_s:
        axes.barh(bar.label, step_s, left=left_s, color=colours[step])
        left_s += step_s
    axes.set_xlabel("s")


def _colours(bars: Sequence[Bar]) -> dict[str, str]:
    """A colour for each step, the same in every bar."""
    steps = dict.fromkeys(step for bar in bars for step, _ in bar.parts_s)
    return {step: f"C{index}" for index, step in enumerate(steps)}
