"""Several views as one: each sees all."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack

from station.dashboard.event import StationEvent
from station.dashboard.snapshot import StationSnapshot
from station.dashboard.view import View


class Views:
    """Passes everything on to each of its views.

    Args:
        views: who is told, in this order.
    """

    def __init__(self, views: Sequence[View]) -> None:
        self._views = views

    def start(self, sample: Callable[[], StationSnapshot]) -> None:
        """Begin to show."""
        for view in self._views:
            view.start(sample)

    def tell(self, event: StationEvent) -> None:
        """Show an event."""
        for view in self._views:
            view.tell(event)

    def stop(self) -> None:
        """End showing; every view is stopped, also when one of them raises."""
        with ExitStack() as stack:
            for view in reversed(self._views):
                stack.callback(view.stop)
