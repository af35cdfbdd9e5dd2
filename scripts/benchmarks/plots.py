"""Curves and bars as pictures."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scripts.benchmarks.figures import Bar, Curve, Scale

_PANEL_INCHES = (4.2, 3.2)
_HEADROOM = 1.15


def draw(pictures: Sequence[Curve | Bar], folder: Path) -> None:
    """Draw each plot into `speed-PLOT.svg`, its panels side by side.

    Raises:
        OSError: when one can't be written.
    """
    # The same figures give the same file.
    mpl.rcParams["svg.hashsalt"] = "station"
    for plot in dict.fromkeys(picture.plot for picture in pictures):
        parts = [picture for picture in pictures if picture.plot == plot]
        panels = list(dict.fromkeys(part.panel for part in parts))
        width, height = _PANEL_INCHES
        figure = Figure(figsize=(width * len(panels), height), layout="constrained")
        for index, panel in enumerate(panels, start=1):
            axes = figure.add_subplot(1, len(panels), index)
            axes.set_title(panel, fontsize="medium")
            _draw_panel(axes, [part for part in parts if part.panel == panel])
        figure.savefig(folder / f"speed-{plot}.svg", metadata={"Date": None})


def _draw_panel(axes: Axes, parts: Sequence[Curve | Bar]) -> None:
    for part in parts:
        match part:
            case Curve():
                _draw_curve(axes, part)
            case Bar():
                _draw_bar(axes, part)
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


def _draw_bar(axes: Axes, bar: Bar) -> None:
    left_s = 0.0
    for index, (step, step_s) in enumerate(bar.parts_s):
        drawn = axes.barh(bar.label, step_s, left=left_s, color=f"C{index}")
        axes.bar_label(drawn, [step], label_type="center", fontsize="x-small", rotation=90)
        left_s += step_s
    axes.set_xlabel("s")
