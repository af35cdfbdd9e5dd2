"""Sticks that come faster than anybody can look, and notices of them that are lost, in the box."""

import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import pytest

from tests.box.hub import Hub
from tests.box.machine import Machine
from tests.box.sockets import sockets
from tests.box.station_run import VERDICTS, StationRun
from tests.box.stick import Speed, Stick, blank_stick

pytestmark = pytest.mark.timeout(1200)

MIB = 1 << 20
CAPACITY_BYTES = 64 * MIB
# Below the profile's limit: what is refused shows every byte that was written by mistake.
SMALL_CAPACITY_BYTES = 32 * MIB
SLOW = Speed(write_bytes_per_s=2 * MIB)
DONOR = b"\xd1"
ROUNDS = 4
RAM_DISKS = 128
# For hangs; the figure itself is printed.
LONGEST_WAIT_S = 60.0


@pytest.fixture(scope="module")
def run(machine: Machine, bundle: Path) -> Iterator[StationRun]:
    """The station, waiting for sticks.

    Like an installed one it lacks the capability by which it would get a queue of 128 MiB for
    notices (systemd, sd-device-monitor): it has the system's default, some hundred of them.
    """
    assert bundle.is_dir()
    through = ("setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin")
    run = StationRun.start(machine, "hotplug", "--any-port", through=through)
    run.await_start()
    yield run
    run.stop()


def donated(folder: Path, name: str, capacity_bytes: int = CAPACITY_BYTES) -> Stick:
    """A stick with a donor's data on it; its name is its serial number."""
    return replace(blank_stick(folder / name, capacity_bytes, fill=DONOR), serial=name)


def appearances(machine: Machine, said: str, source: str) -> dict[str, datetime]:
    """When disks appeared, by their nodes.

    Args:
        machine: whose disks they are.
        said: what `udevadm monitor` said.
        source: `KERNEL` for the moment when the node was made, `UDEV` for the one when all rules
            had run for it.
    """
    # The monitor tells the time since the machine was switched on.
    program = "import time; print(time.time() - time.monotonic())"
    switched_on_s = float(machine.run("python3", "-c", program))
    found = re.findall(
        rf"^{source} *\[([\d.]+)\] add .*/block/(\w+) \(block\)$", said, re.MULTILINE
    )
    return {
        f"/dev/{name}": datetime.fromtimestamp(switched_on_s + float(at_s), UTC)
        for at_s, name in found
    }


@pytest.mark.parametrize("count", [1, 16])
def test_sticks_get_their_tiles_right_after_their_nodes(  # noqa: PLR0913 - fixtures and a count
    machine: Machine,
    hub: Hub,
    run: StationRun,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    *,
    count: int,
) -> None:
    # The very first stick waits for the drivers to be loaded.
    first = donated(tmp_path, f"before {count}", SMALL_CAPACITY_BYTES)
    (socket, *_) = sockets(1)
    hub.plug(first, socket)
    run.await_event(first.serial, *VERDICTS)
    hub.pull(socket)
    run.await_event(first.serial, "removed")

    sticks = [donated(tmp_path, f"{n} of {count}", SMALL_CAPACITY_BYTES) for n in range(count)]
    monitor = machine.start("udevadm", "monitor", "--kernel", "--udev", "-s", "block/disk")
    while "KERNEL" not in monitor.stdout.read_text():
        time.sleep(0.1)
    with hub.at_once():
        for stick, socket in zip(sticks, sockets(count), strict=True):
            hub.plug(stick, socket)
    told = [run.await_event(stick.serial, "inserted") for stick in sticks]
    machine.signal(monitor, "TERM")
    said = monitor.stdout.read_text()
    for source, event in (("KERNEL", "its node was made"), ("UDEV", "udev was done with it")):
        since = appearances(machine, said, source)
        waits_s = [(one.time - since[one.node]).total_seconds() for one in told]
        with capsys.disabled():
            print(  # noqa: T201 - for the log of CI
                f"\na tile came {median(waits_s):.2f} s after {event},"
                f" the last one of {count} at once {max(waits_s):.2f} s"
            )

        assert max(waits_s) < LONGEST_WAIT_S


def lost_notices(machine: Machine, run: StationRun) -> int:
    """How many messages the kernel dropped because a station's queue was full.

    Source: net/netlink/af_netlink.c, netlink_native_seq_show: the last two columns.
    """
    sockets_of_station = machine.run("sh", "-c", 'ls -l "$0"', f"/proc/{run.process.pid}/fd")
    rows = [line.split() for line in machine.run("cat", "/proc/net/netlink").splitlines()[1:]]
    return sum(int(row[8]) for row in rows if f"socket:[{row[9]}]" in sockets_of_station)


def test_no_stick_is_lost_when_notices_are(
    machine: Machine, hub: Hub, run: StationRun, tmp_path: Path
) -> None:
    sticks = [donated(tmp_path, f"unheard {n}") for n in range(16)]
    machine.signal(run.process, "STOP")
    try:
        machine.run("modprobe", "brd", f"rd_nr={RAM_DISKS}", "rd_size=1")
        deadline = time.monotonic() + LONGEST_WAIT_S * 5
        while lost_notices(machine, run) == 0:
            assert time.monotonic() < deadline
            machine.run("udevadm", "trigger", "--sysname-match=ram*", "--settle")
        lost_before = lost_notices(machine, run)
        # Nobody takes anything from the queue any more: it stays full.
        with hub.at_once():
            for stick, socket in zip(sticks, sockets(16), strict=True):
                hub.plug(stick, socket)
        for socket in sockets(16):
            machine.disk(socket)
        lost = lost_notices(machine, run) - lost_before
        assert run.of(sticks[0].serial, "inserted") == []
    finally:
        machine.signal(run.process, "CONT")
        machine.run("modprobe", "--remove", "brd")
    verdicts = [run.await_event(stick.serial, *VERDICTS).verdict for stick in sticks]
    counts = Counter(told.serial for told in run.told() if told.event == "inserted")

    assert lost >= len(sticks)
    assert verdicts == ["pass"] * len(sticks)
    assert {counts[stick.serial] for stick in sticks} == {1}


def test_stick_that_takes_a_pulled_ones_place_at_once_gets_nothing_of_its_job(
    hub: Hub, run: StationRun, tmp_path: Path
) -> None:
    (socket,) = sockets(1)
    nodes = []
    for number in range(ROUNDS):
        old = donated(tmp_path, f"old {number}")
        new = donated(tmp_path, f"new {number}", SMALL_CAPACITY_BYTES)
        hub.plug(replace(old, speed=SLOW), socket)
        run.await_event(old.serial, "progress")
        # Between the two no time passes in the guest.
        with hub.at_once():
            hub.pull(socket)
            hub.plug(new, socket)
        ends = [run.await_event(stick.serial, *VERDICTS) for stick in (old, new)]

        assert [end.reason for end in ends] == ["removed", "too_small"]
        assert new.memory.read_bytes() == DONOR * SMALL_CAPACITY_BYTES
        nodes.append([end.node for end in ends])
        hub.pull(socket)
        run.await_event(new.serial, "removed")

    # The kernel gives a name anew as soon as the old job has let go of it.
    assert any(before == after for before, after in nodes), nodes


def test_good_stick_that_takes_a_pulled_ones_place_at_once_passes(
    hub: Hub, run: StationRun, tmp_path: Path
) -> None:
    (socket,) = sockets(1)
    old, new = donated(tmp_path, "old"), donated(tmp_path, "new")
    hub.plug(replace(old, speed=SLOW), socket)
    run.await_event(old.serial, "progress")
    with hub.at_once():
        hub.pull(socket)
        hub.plug(new, socket)
    ends = [run.await_event(stick.serial, *VERDICTS) for stick in (old, new)]

    assert [(end.verdict, end.reason) for end in ends] == [("fail", "removed"), ("pass", None)]
    assert DONOR * 512 not in new.memory.read_bytes()


def test_ledger_holds_one_job_for_each_stick(run: StationRun) -> None:
    run.stop()
    inserted = Counter(told.diskseq for told in run.told() if told.event == "inserted")
    in_ledger = Counter(job.start.drive.diskseq for job in run.jobs() if job.end is not None)

    assert in_ledger == inserted
    assert set(in_ledger.values()) == {1}
