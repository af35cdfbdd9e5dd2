"""Which view shows a run."""

import sys
from enum import StrEnum, unique
from pathlib import Path

from rich.console import Console

from station.dashboard.json_lines import JsonLinesView
from station.dashboard.live import LiveView, can_show
from station.dashboard.picture import PictureView
from station.dashboard.plain import PlainView
from station.dashboard.view import View
from station.dashboard.views import Views
from station.errors import OperatorError


@unique
class ViewName(StrEnum):
    """The views, as the command line names them."""

    DASHBOARD = "dashboard"
    PLAIN = "plain"
    JSON = "json"


def make_view(name: ViewName | None, picture: Path | None = None) -> View:
    """The view that was asked for; by default the dashboard on a terminal, else plain lines.

    Args:
        name: what was asked for.
        picture: file in which a picture of the dashboard is kept, besides.

    Raises:
        OperatorError: for a dashboard where there is no terminal, or a picture that can't be kept.
    """
    console = Console()
    if name is None:
        name = ViewName.DASHBOARD if can_show(console) else ViewName.PLAIN
    view = _make(name, console)
    if picture is None:
        return view
    if not picture.absolute().parent.is_dir():
        raise OperatorError(f"{picture}: its folder does not exist", "Make it first.")
    return Views([view, PictureView(picture, console.width, console.height)])


def _make(name: ViewName, console: Console) -> View:
    match name:
        case ViewName.DASHBOARD:
            if not can_show(console):
                raise OperatorError(
                    "the dashboard needs a terminal", "Use --view plain or --view json."
                )
            return LiveView(console)
        case ViewName.PLAIN:
            return PlainView(sys.stdout)
        case ViewName.JSON:
            return JsonLinesView(sys.stdout)
