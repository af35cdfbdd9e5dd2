"""The one interface behind which the dashboard, the plain lines and the JSON lines stand."""

from collections.abc import Callable
from typing import Protocol

from station.dashboard.event import StationEvent
from station.dashboard.snapshot import StationSnapshot


class View(Protocol):
    """Shows a run to somebody; it looks, and nothing in a run ever waits for it.

    `start`, `tell` and `stop` are called from the supervisor's own thread, in this order.
    """

    def start(self, sample: Callable[[], StationSnapshot]) -> None:
        """Begin to show.

        Args:
            sample: takes a snapshot; a view may call it from a thread of its own, at any time until
                `stop` has returned.
        """

    def tell(self, event: StationEvent) -> None:
        """Show an event. What goes wrong in showing it never reaches the caller: see `stop`."""

    def stop(self) -> None:
        """End showing and give the terminal back; a second call does nothing.

        Raises:
            StationFaultError: when the run could not be shown up to its end. It is raised as late
                as this because no stick may suffer from a broken screen: the jobs went on, and
                their verdicts are in the ledger.
        """
