"""Sticks that are plugged in and pulled at random moments, again and again, at one port.

STATION_BOX_CYCLES is how often; a hundred times when unset.
"""

import os
import random
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from station.ledger.records import JobRow
from tests.box.hub import Hub
from tests.box.machine import Machine
from tests.box.sockets import sockets
from tests.box.station_run import VERDICTS, StationRun, Told
from tests.box.stick import Speed, blank_stick

pytestmark = pytest.mark.timeout(3600)

MIB = 1 << 20
CAPACITY_BYTES = 64 * MIB
CYCLES = int(os.environ.get("STATION_BOX_CYCLES") or 100)
LONGEST_STAY_S = 2.0
FIRST, LAST, PULLED = "first", "last", "pulled"
# A stick's buffers alone are larger; what a cycle kept of them would show soon.
MEMORY_SLACK_BYTES = 12 * MIB
SETTLING_S = 60.0
USUAL_DELAY_S = 1


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a process takes of the system.

    Attributes:
        threads: how many it has.
        descriptors: how many it has open.
        memory_bytes: what of it is resident.
    """

    threads: int
    descriptors: int
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Cycles:
    """The station before and after all cycles, and what it said in between."""

    before: Footprint
    after: Footprint
    told: list[Told]
    jobs: list[JobRow]


def footprint(machine: Machine, run: StationRun) -> Footprint:
    """Measure a station that has nothing to do. Source: proc_pid_status(5), proc_pid_fd(5)."""
    process = f"/proc/{run.process.pid}"
    status = machine.run("cat", f"{process}/status")
    figures = dict(line.split(":", 1) for line in status.splitlines())
    # Now and then it looks at all disks, and has a file of theirs open for a moment.
    counts = machine.run(
        "sh", "-c", 'for _ in 1 2 3 4 5 6 7 8; do ls "$0" | wc -l; sleep 0.1; done', f"{process}/fd"
    )
    return Footprint(
        threads=int(figures["Threads"]),
        descriptors=min(map(int, counts.split())),
        memory_bytes=int(figures["VmRSS"].split()[0]) * 1024,
    )


def set_delay(machine: Machine, delay_s: int) -> None:
    """Set the kernel's pause before it looks at a new stick, which is most of a cycle."""
    path = "/sys/module/usb_storage/parameters/delay_use"
    machine.run("sh", "-c", 'echo "$0" >"$1"', str(delay_s), path)


def await_rest(machine: Machine, run: StationRun, threads: int) -> Footprint:
    """Measure a station as soon as no more threads are left than this, or after a while."""
    deadline = time.monotonic() + SETTLING_S
    while (measured := footprint(machine, run)).threads > threads and time.monotonic() < deadline:
        time.sleep(0.5)
    return measured


def await_verdicts(run: StationRun) -> None:
    """Wait until every stick that was seen has a verdict, or for a while."""
    deadline = time.monotonic() + SETTLING_S
    while time.monotonic() < deadline:
        seen, judged = (count_sticks(run.told(), *events) for events in (["inserted"], VERDICTS))
        if seen == judged:
            return
        time.sleep(0.5)


def count_sticks(told: Iterable[Told], *events: str) -> Counter[int]:
    """How many of these events there are of each stick, by disk sequence number."""
    return Counter(one.diskseq for one in told if one.event in events)


@pytest.fixture(scope="module")
def cycles(
    machine: Machine, module_hub: Hub, bundle: Path, tmp_path_factory: pytest.TempPathFactory
) -> Cycles:
    assert bundle.is_dir()
    folder = tmp_path_factory.mktemp("cycles")
    (socket,) = sockets(1)
    blank = blank_stick(folder / "memory", CAPACITY_BYTES, fill=b"\xd1")
    run = StationRun.start(machine, "cycles", "--any-port", "--reload")

    def let_pass(serial: str) -> None:
        module_hub.plug(replace(blank, serial=serial), socket)
        run.await_event(serial, *VERDICTS)
        module_hub.pull(socket)
        run.await_event(serial, "removed")

    # The first pass loads what is loaded when it is needed, and fills what is kept on purpose.
    let_pass(FIRST)
    before = footprint(machine, run)
    set_delay(machine, 0)
    seed = random.randrange(1 << 32)
    print(f"sticks stay for the times of seed {seed}")  # noqa: T201 - to try them again
    stay_s = random.Random(seed)
    # Slow enough never to be done before it is pulled.
    stick = replace(blank, speed=Speed(write_bytes_per_s=4 * MIB))
    for number in range(CYCLES):
        serial = f"{PULLED} {number}"
        module_hub.plug(replace(stick, serial=serial), socket)
        # Half of them are pulled when the station knows them, the others at any moment before, too.
        if number % 2 == 0:
            run.await_event(serial, "inserted")
        time.sleep(stay_s.uniform(0, LONGEST_STAY_S))
        module_hub.pull(socket)
    set_delay(machine, USUAL_DELAY_S)
    await_verdicts(run)
    let_pass(LAST)
    after = await_rest(machine, run, before.threads)
    run.stop()
    return Cycles(before, after, list(run.told()), run.jobs())


def test_no_thread_is_left_behind(cycles: Cycles) -> None:
    assert cycles.after.threads == cycles.before.threads


def test_no_descriptor_is_left_open(cycles: Cycles) -> None:
    assert cycles.after.descriptors == cycles.before.descriptors


def test_memory_does_not_grow(cycles: Cycles) -> None:
    assert cycles.after.memory_bytes - cycles.before.memory_bytes < MEMORY_SLACK_BYTES


def test_every_stick_that_was_seen_has_one_verdict_and_left(cycles: Cycles) -> None:
    seen, judged, gone = (
        count_sticks(cycles.told, *events) for events in (["inserted"], VERDICTS, ["removed"])
    )

    assert len(seen) >= CYCLES // 2
    assert set(seen.values()) == {1}
    assert judged == seen
    assert gone == seen


def test_pulled_stick_is_removed_and_nothing_else(cycles: Cycles) -> None:
    verdicts = {
        (told.verdict, told.reason)
        for told in cycles.told
        if told.event in VERDICTS and told.serial.startswith(PULLED)
    }

    # One that left while it was judged was never accepted.
    assert verdicts <= {("fail", "removed"), ("refused", "changed")}


def test_port_still_serves_the_last_stick(cycles: Cycles) -> None:
    verdicts = [told.verdict for told in cycles.told if told.serial == LAST and told.verdict]

    assert verdicts == ["pass"]


def test_ledger_holds_one_job_for_each_verdict(cycles: Cycles) -> None:
    in_ledger = Counter(
        (job.start.drive.diskseq, str(job.end.verdict.outcome) if job.end else None)
        for job in cycles.jobs
    )
    told = Counter((told.diskseq, told.verdict) for told in cycles.told if told.event in VERDICTS)

    assert in_ledger == told
