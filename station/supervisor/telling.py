"""What the view is told of a run. All of it happens in the supervisor's own thread."""

import queue
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from station.dashboard.event import (
    JobEnded,
    LinksMeasured,
    RunEnded,
    StageBegan,
    StageProgressed,
    StationEvent,
)
from station.dashboard.view import View
from station.ledger.ledger import Ledger
from station.ledger.records import Tally
from station.supervisor.seat import Seat
from station.usb.bus import Transfer, link_loads
from station.usb.link_watch import LinkWatch
from station.verdict import Outcome


class Teller:
    """Tells the view, and counts what it tells.

    Args:
        view: who is told.
        ledger: counts the verdicts of the day, those of other runs included.
        clock: seconds, monotonic.
    """

    def __init__(self, view: View, ledger: Ledger, clock: Callable[[], float]) -> None:
        self._view = view
        self._ledger = ledger
        self._clock = clock
        self._began_s = clock()
        self._events: queue.SimpleQueue[StationEvent] = queue.SimpleQueue()
        self._links = LinkWatch()
        self._told_links = False
        self._verdicts: dict[Outcome, int] = dict.fromkeys(Outcome, 0)
        self._midnight = _midnight()
        self.today = ledger.tally(self._midnight)

    @property
    def elapsed_s(self) -> float:
        """Seconds since the run began."""
        return self._clock() - self._began_s

    @property
    def tally(self) -> Tally:
        """The verdicts that were told."""
        return Tally(*(self._verdicts[outcome] for outcome in Outcome))

    def put(self, event: StationEvent) -> None:
        """Take an event from any thread; `pass_on` tells it."""
        self._events.put(event)

    def tell(self, event: StationEvent) -> None:
        """Tell an event at once."""
        self._view.tell(event)

    def pass_on(self, working: Sequence[Seat]) -> None:
        """Tell what the workers put.

        Args:
            working: the seats without a verdict; each learns which stage was told.

        Raises:
            StationError: when the ledger fails; all was told.
        """
        counts_anew = self._midnight != _midnight()
        while not self._events.empty():
            event = self._events.get()
            match event:
                case StageBegan(job=job, stage=stage):
                    for seat in working:
                        if seat.job == job:
                            seat.told_stage = stage
                case JobEnded(verdict=verdict):
                    self._verdicts[verdict.outcome] += 1
                    counts_anew = True
                case _:
                    pass
            self._view.tell(event)
        if counts_anew:
            self._midnight = _midnight()
            self.today = self._ledger.tally(self._midnight)

    def tell_progress(self, working: Sequence[Seat]) -> None:
        """Tell how far each drive has come, and how busy the links are that they share.

        Args:
            working: the seats without a verdict, in the order of the table.
        """
        transfers: list[Transfer] = []
        for seat in working:
            reading = seat.reading
            if reading.stage is None or seat.job is None or seat.verdict is not None:
                continue
            if reading.speed_bytes_per_s is not None:
                transfers.append(Transfer(seat.port.label, seat.drive, reading.speed_bytes_per_s))
            # The sample may be of a stage whose beginning was not told yet, or of the one before.
            if reading.stage is seat.told_stage:
                self._view.tell(
                    StageProgressed(
                        datetime.now(UTC),
                        seat.port.label,
                        seat.drive,
                        seat.job,
                        reading.stage,
                        reading.done_bytes,
                        reading.total_bytes,
                        reading.speed_bytes_per_s,
                        reading.left_s,
                    )
                )
        loads = link_loads(transfers)
        self._links.see(loads, self._clock())
        # Once more when the last one is idle, so that nobody takes it for busy.
        if loads or self._told_links:
            self._view.tell(LinksMeasured(datetime.now(UTC), loads))
        self._told_links = bool(loads)

    def tell_end(self, notes: tuple[str, ...]) -> None:
        """Tell the sums of the run."""
        tally = self.tally
        self._view.tell(
            RunEnded(
                datetime.now(UTC),
                tally.passed,
                tally.failed,
                tally.refused,
                self.elapsed_s,
                notes,
                self._links.uses,
            )
        )


def _midnight() -> datetime:
    """The beginning of this day, where the station stands."""
    return datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
