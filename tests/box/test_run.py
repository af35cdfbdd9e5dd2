"""The real station in the box: what comes of real sticks of the kernel's."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.box.bundle import mounted_sums, sums_of
from tests.box.hub import Hub
from tests.box.machine import Machine
from tests.box.sockets import sockets
from tests.box.station_run import VERDICTS, StationRun
from tests.box.stick import Speed, Transport, blank_stick
from tests.box.udev import without_udev

pytestmark = pytest.mark.timeout(1200)

MIB = 1 << 20
CAPACITY_BYTES = 64 * MIB


@pytest.fixture(scope="module")
def run(machine: Machine, bundle: Path) -> Iterator[StationRun]:
    """The station, waiting for sticks."""
    assert bundle.is_dir()
    run = StationRun.start(machine, "run", "--any-port")
    yield run
    run.stop()


@pytest.mark.parametrize(
    ("serial", "sector_bytes", "transport"),
    [
        ("bulk-only", 512, Transport.BULK_ONLY),
        ("4096-byte", 4096, Transport.BULK_ONLY),
        ("uas", 512, Transport.UAS),
    ],
)
def test_stick_that_passed_mounts_and_holds_every_file_of_the_bundle(  # noqa: PLR0913, PLR0917 - fixtures, and a row of the table
    machine: Machine,
    hub: Hub,
    memory: Path,
    bundle: Path,
    run: StationRun,
    serial: str,
    sector_bytes: int,
    transport: Transport,
) -> None:
    (socket,) = sockets(1)
    capacity_bytes = CAPACITY_BYTES * sector_bytes // 512
    blank = blank_stick(memory, capacity_bytes, fill=b"\xd1")
    stick = replace(blank, serial=serial, sector_bytes=sector_bytes, transport=transport)
    hub.plug(stick, socket)
    verdict = run.await_event(serial, *VERDICTS)

    assert (verdict.verdict, verdict.reason) == ("pass", None)

    assert mounted_sums(machine, socket) == sums_of(bundle)

    hub.pull(socket)
    run.await_event(serial, "removed")

    assert b"\xd1" * 512 not in memory.read_bytes()


def test_partition_of_a_stick_that_passed_shows_up_though_udev_missed_its_closing(
    machine: Machine, hub: Hub, memory: Path, run: StationRun
) -> None:
    (socket,) = sockets(1)
    stick = replace(blank_stick(memory, CAPACITY_BYTES), serial="missed")
    hub.plug(replace(stick, speed=Speed(read_bytes_per_s=8 * MIB)), socket)
    run.await_event("missed", "stage")
    with without_udev(machine):
        verdict = run.await_event("missed", *VERDICTS)
        missed = not machine.succeeds("test", "-e", f"/sys/class/block/{Path(verdict.node).name}1")

    assert verdict.verdict == "pass"
    assert missed
    machine.run("udevadm", "wait", "--timeout=60", f"{socket.disk}-part1")


def test_stick_that_is_pulled_while_it_is_loaded_is_removed(
    machine: Machine, hub: Hub, memory: Path, run: StationRun
) -> None:
    (socket,) = sockets(1)
    stick = blank_stick(memory, CAPACITY_BYTES, fill=b"\xd1")
    hub.plug(replace(stick, serial="pulled", speed=Speed(write_bytes_per_s=MIB)), socket)
    machine.disk(socket)
    run.await_event("pulled", "progress")
    hub.pull(socket)
    verdict = run.await_event("pulled", *VERDICTS)

    assert (verdict.verdict, verdict.reason) == ("fail", "removed")
    assert memory.read_bytes()[:512] == bytes(512)
