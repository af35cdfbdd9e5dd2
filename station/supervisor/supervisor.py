"""The station at work: listens for drives, starts a worker for each, and tells the view.

One thread, the caller's, does all that is done here: it alone takes plug events, watches for drives
that hang, and tells the view. Workers never wait for it, and it never waits for a worker.
"""

import queue
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import psutil

from station.content.profile import Profile
from station.dashboard.event import DriveInserted, DriveRemoved
from station.dashboard.snapshot import StationSnapshot, Tile
from station.dashboard.view import View
from station.device.drive import DriveInfo
from station.errors import StationError
from station.hotplug.events import Hub, Inserted, Removed
from station.job.order import OrderBook
from station.job.patience import Patience
from station.ledger.ledger import Ledger
from station.ledger.records import Tally
from station.supervisor.remarks import remarks_on_run
from station.supervisor.seat import Seat
from station.supervisor.telling import Teller
from station.supervisor.throughput import Throughput
from station.supervisor.workers import Workers
from station.usb.hubs import hubs_on_table
from station.verdict import FailReason, Verdict, failed

_POLL_S = 0.1
_SAMPLE_EVERY_S = 0.25
_TELL_PROGRESS_EVERY_S = 1.0
# How long a stop waits for drives to answer the request that is under way.
_STOP_GRACE_S = 5.0


@dataclass(frozen=True, slots=True)
class RunName:
    """What a run is called.

    Attributes:
        profile: what drives are to become.
        batch: name of the batch; empty when none was given.
    """

    profile: Profile
    batch: str


class Supervisor:
    """One run of the station.

    Args:
        name: what the run is called.
        hub: where drives come from; the caller closes it.
        book: what is to become of them; the caller closes it.
        ledger: where their verdicts go; its run has begun.
        view: who is told.
        reloads: whether to load drives anew that passed under this profile before.
        patience: when a drive counts as hung.
        clock: seconds, monotonic.
    """

    def __init__(  # noqa: PLR0913 - the parts of the station, each once, wired together here
        self,
        name: RunName,
        *,
        hub: Hub,
        book: OrderBook,
        ledger: Ledger,
        view: View,
        reloads: bool = False,
        patience: Patience | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._hub = hub
        self._ledger = ledger
        self._view = view
        self._teller = Teller(view, ledger, clock)
        self._patience = patience or Patience()
        self._clock = clock
        self._faults: queue.SimpleQueue[StationError] = queue.SimpleQueue()
        self._workers = Workers(
            hub=hub,
            book=book,
            ledger=ledger,
            profile=name.profile,
            tell=self._teller.put,
            report=self._faults.put,
            reloads=reloads,
        )
        self._seats: dict[str, Seat] = {}  # by port: who sits there, or sat there last
        self._working: list[Seat] = []  # those without a verdict
        self._left_bytes = [0, 0]  # written and read by those that have one
        self._throughput = Throughput(clock)
        self._stops = 0
        self._fault: StationError | None = None
        self._told_progress_s = self._sampled_s = float("-inf")
        self._stopped_s: float | None = None
        self._bytes_per_s = (0.0, 0.0)

    def request_stop(self) -> None:
        """Ask for the end, from any thread or signal handler.

        Once: accept no more drives and finish those under way. Twice: stop now; those under way
        become `interrupted`.
        """
        self._stops += 1

    def run(self) -> Tally:
        """Work until the hub is exhausted or a stop was asked for.

        Returns:
            The verdicts of this run.

        Raises:
            StationError: when the station failed; drives under way were finished, where possible.
        """
        self._view.start(self.snapshot)
        try:
            while not self._is_done():
                self._take_plug_events()
                self._watch()
            self._tell_events()
            self._teller.tell_end(self._remarks())
        finally:
            self._view.stop()
        if self._fault is not None:
            raise self._fault
        return self._teller.tally

    def snapshot(self) -> StationSnapshot:
        """The station at this moment; from any thread."""
        seats, ports = dict(self._seats), self._hub.ports
        write_bytes_per_s, read_bytes_per_s = self._bytes_per_s
        today = self._teller.today
        return StationSnapshot(
            profile=self._name.profile.name,
            batch=self._name.batch,
            passed=today.passed,
            failed=today.failed,
            refused=today.refused,
            write_bytes_per_s=write_bytes_per_s,
            read_bytes_per_s=read_bytes_per_s,
            cpu_percent=psutil.cpu_percent(),
            memory_percent=psutil.virtual_memory().percent,
            draining=self._stops > 0,
            elapsed_s=self._teller.elapsed_s,
            tiles=tuple(
                seats[port.name].tile() if port.name in seats else Tile(port.label)
                for port in ports
            ),
            hubs=hubs_on_table(ports),
        )

    def _remarks(self) -> tuple[str, ...]:
        try:
            return tuple(remarks_on_run(self._ledger))
        except StationError as error:
            # The verdicts can be told without them, and are.
            self._fault = self._fault or error
            return ()

    def _is_done(self) -> bool:
        return not self._working and (self._stops > 0 or self._hub.exhausted)

    def _take_plug_events(self) -> None:
        try:
            events = self._hub.poll(_POLL_S)
        except StationError as error:
            self._note_fault(error)
            time.sleep(_POLL_S)
            return
        for event in events:
            match event:
                case Inserted(drive):
                    self._insert(drive)
                case Removed(port_name, diskseq):
                    self._remove(port_name, diskseq)

    def _insert(self, drive: DriveInfo) -> None:
        port = next(port for port in self._hub.ports if drive.port in port.names)
        self._teller.tell(DriveInserted(datetime.now(UTC), port.label, drive))
        if self._stops > 0:
            # The run is ending: a drive that comes now is not touched.
            return
        seat = self._workers.seat(port, drive)
        self._seats[port.name] = seat
        self._working.append(seat)
        self._workers.attend(seat)

    def _remove(self, port_name: str, diskseq: int) -> None:
        # By the drive, not by the port alone: the next one may sit there already, while the job of
        # the one that left still ends.
        for seat in {id(seat): seat for seat in (*self._working, *self._seats.values())}.values():
            if (seat.drive.port, seat.drive.diskseq) == (port_name, diskseq):
                if seat.verdict is None:
                    seat.progress.cancel(FailReason.REMOVED, "pulled out of its port")
                seat.removed.set()
                self._teller.tell(DriveRemoved(datetime.now(UTC), seat.port.label, seat.drive))

    def _watch(self) -> None:
        """Do what is due besides plug events."""
        now_s = self._clock()
        if now_s - self._sampled_s >= _SAMPLE_EVERY_S:
            self._sampled_s = now_s
            self._sample()
        if now_s - self._told_progress_s >= _TELL_PROGRESS_EVERY_S:
            self._told_progress_s = now_s
            places = [port.name for port in self._hub.ports]
            by_place = sorted(self._working, key=lambda seat: places.index(seat.port.name))
            self._teller.tell_progress(by_place)
        self._give_up_hung(now_s)
        if self._stops > 1:
            self._stop_now(now_s)
        self._dismiss()
        self._tell_events()
        while not self._faults.empty():
            self._note_fault(self._faults.get())

    def _sample(self) -> None:
        written_bytes, read_bytes = self._left_bytes
        for seat in self._working:
            if seat.meter is not None:
                reading = seat.meter.sample()
                written_bytes += reading.written_bytes
                read_bytes += reading.read_bytes
                # Until its verdict is durable, a job at its end goes on showing its last stage.
                if reading.stage is not None:
                    seat.reading = reading
        self._bytes_per_s = self._throughput.sample(written_bytes, read_bytes)

    def _give_up_hung(self, now_s: float) -> None:
        for seat in self._working:
            pending = seat.progress.pending
            longest_s = seat.progress.longest_operation_s
            if pending is None or not self._patience.is_exhausted(pending, longest_s, now_s):
                continue
            detail = f"no answer to a {pending.kind} for {now_s - pending.since_s:.0f} s"
            seat.progress.cancel(FailReason.STALLED, detail)
            self._give_up(seat, failed(FailReason.STALLED, detail))

    def _stop_now(self, now_s: float) -> None:
        if self._stopped_s is None:
            self._stopped_s = now_s
        for seat in self._working:
            seat.progress.cancel(FailReason.INTERRUPTED, "stopped by the operator")
            if now_s - self._stopped_s <= _STOP_GRACE_S:
                continue
            if seat.job is None:
                # Never accepted, and nothing was written to it.
                seat.given_up = True
            else:
                detail = "stopped by the operator; the drive did not answer any more"
                self._give_up(seat, failed(FailReason.INTERRUPTED, detail))

    def _give_up(self, seat: Seat, verdict: Verdict) -> None:
        """Enter the verdict on a drive whose thread is waited for no more."""
        seat.given_up = True
        try:
            self._workers.settle(seat, verdict)
        except StationError as error:
            self._note_fault(error)

    def _note_fault(self, fault: StationError) -> None:
        """Take note that the station failed; the first fault is what the run ends with."""
        self._fault = self._fault or fault
        # Those under way are finished, if they can be; no more are accepted.
        self._stops = max(self._stops, 1)

    def _dismiss(self) -> None:
        """Strike those off that need no watching any more."""
        for seat in list(self._working):
            if seat.finished.is_set() or seat.given_up:
                self._working.remove(seat)
                self._left_bytes[0] += seat.progress.written_bytes
                self._left_bytes[1] += seat.progress.read_bytes

    def _tell_events(self) -> None:
        try:
            self._teller.pass_on(self._working)
        except StationError as error:
            self._note_fault(error)
