"""The station at work in the box: `station run`, what it tells, and what its ledger holds."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from station.ledger.ledger import Ledger
from station.ledger.records import JobFilter, JobRow
from tests.box.bundle import GUEST_ROOT, PROFILE
from tests.box.machine import GUEST_EXCHANGE, GuestProcess, Machine

VERDICTS = ("verdict", "refused")
"""The events that end a drive's stay, whatever came of it."""

_PATIENCE_S = 900.0
_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Told:
    """One event of `--view json` about a drive; what an event does not have is None.

    Attributes:
        time: when, by the guest's clock.
        event: `inserted`, `stage`, `progress`, `verdict`, `refused` or `removed`.
        port: label of the port.
        serial: the stick's serial number.
        node: the stick's device node.
        diskseq: disk sequence number of the stick.
        stage: what the job is at.
        done_bytes: how much of the stage is done.
        verdict: `pass`, `fail` or `refused`.
        reason: why it did not pass.
        detail: what was found, in words.
    """

    time: datetime
    event: str
    port: str
    serial: str
    node: str
    diskseq: int
    stage: str | None
    done_bytes: int | None
    verdict: str | None
    reason: str | None
    detail: str | None


class StationRun:
    """One `station run` in the guest.

    Args:
        machine: where it runs.
        process: the command.
        ledger: its ledger, on the guest.
    """

    def __init__(self, machine: Machine, process: GuestProcess, ledger: Path) -> None:
        self._machine = machine
        self._ledger = ledger
        self._told: list[Told] = []
        self._read_bytes = 0
        self.process = process

    @classmethod
    def start(
        cls, machine: Machine, name: str, *options: str | Path, through: Sequence[str] = ()
    ) -> Self:
        """Start it; it is ready some time later, and tells of what is plugged in by then, too.

        Args:
            machine: where, with the bundle installed.
            name: a name for its ledger, which no other run has.
            options: of `station run`.
            through: a command that starts the command which follows it.
        """
        ledger = GUEST_ROOT / f"{name}.sqlite"
        process = machine.start(
            *through,
            *("station", "run", "--root", GUEST_ROOT, "--profile", PROFILE),
            *("--ledger", ledger, "--view", "json", *options),
        )
        return cls(machine, process, ledger)

    def told(self) -> Sequence[Told]:
        """All that it told of drives so far."""
        with self.process.stdout.open("rb") as file:
            file.seek(self._read_bytes)
            # A last line without an end is still being written.
            whole, newline, _ = file.read().rpartition(b"\n")
        self._read_bytes += len(whole) + len(newline)
        events = [json.loads(line) for line in whole.splitlines()]
        self._told += [_read(event) for event in events if event["drive"] is not None]
        return self._told

    def of(self, serial: str, *events: str) -> list[Told]:
        """The events of these kinds about sticks with this serial number."""
        return [told for told in self.told() if told.serial == serial and told.event in events]

    def at(self, port: str, *events: str) -> list[Told]:
        """The events of these kinds at the port of this label."""
        return [told for told in self.told() if told.port == port and told.event in events]

    def await_event(self, serial: str, *events: str) -> Told:
        """Wait for the first event of these kinds about a stick with this serial number.

        Raises:
            TimeoutError: when none comes.
        """
        return self.await_events(serial, 1, *events)[0]

    def await_events(self, serial: str, count: int, *events: str) -> list[Told]:
        """Wait for the first `count` events of these kinds; see `await_event`."""
        return self._await(lambda: self.of(serial, *events), count, f"{events} of {serial}")

    def await_at(self, port: str, count: int, *events: str) -> list[Told]:
        """Wait for the first `count` events of these kinds at a port; see `await_event`."""
        return self._await(lambda: self.at(port, *events), count, f"{events} at {port}")

    def await_start(self) -> None:
        """Wait until it listens for drives."""
        deadline = time.monotonic() + _PATIENCE_S
        # The last thing that is made ready, but for the thread that listens.
        while not self._machine.succeeds("test", "-e", self._ledger):
            assert self.process.poll() is None, self._said()
            if time.monotonic() > deadline:
                raise TimeoutError(f"the station does not start: {self._said()}")
            time.sleep(_POLL_S)

    def stop(self) -> int:
        """Let it finish what is under way, and return its exit code."""
        if self.process.poll() is None:
            self._machine.signal(self.process, "INT")
        return self.process.wait(_PATIENCE_S)

    def jobs(self) -> list[JobRow]:
        """The jobs in the ledger of a run that has ended, in the order of their start."""
        assert self.process.poll() is not None, "a ledger at work is not one file"
        return read_ledger(self._machine, self._ledger)

    def _await(self, find: Callable[[], list[Told]], count: int, what: str) -> list[Told]:
        deadline = time.monotonic() + _PATIENCE_S
        while len(found := find()) < count:
            assert self.process.poll() is None, self._said()
            if time.monotonic() > deadline:
                raise TimeoutError(f"no {what}: {self._said()}")
            time.sleep(_POLL_S)
        return found[:count]

    def _said(self) -> str:
        return f"{self.process.stdout.read_text()[-4000:]}\n{self.process.stderr.read_text()}"


def read_ledger(machine: Machine, ledger: Path) -> list[JobRow]:
    """The jobs in a ledger of the guest that nobody writes to, in the order of their start."""
    machine.run("cp", ledger, GUEST_EXCHANGE / ledger.name)
    with Ledger.open(str(machine.exchange / ledger.name), read_only=True) as opened:
        return list(opened.jobs(JobFilter()))


def _read(event: dict[str, Any]) -> Told:
    drive = event["drive"]
    return Told(
        time=datetime.fromisoformat(event["time"]),
        event=event["event"],
        port=event["port"],
        serial=drive["serial"],
        node=drive["node"],
        diskseq=drive["diskseq"],
        stage=event.get("stage"),
        done_bytes=event.get("done_bytes"),
        verdict=event.get("verdict"),
        reason=event.get("reason"),
        detail=event.get("detail"),
    )
