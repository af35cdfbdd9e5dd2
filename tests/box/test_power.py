"""The machine loses its power while sticks are loaded, and boots again with the same disks.

Sticks and the ledger's disk have caches of their own: what the guest did not flush is gone, with
all that it kept in its own memory. STATION_BOX_RESETS is how often; once when unset, which is what
CI takes, and then as soon as a stick is being sealed. Each further time is at random after that.
"""

import os
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from station.ledger.records import JobRow
from station.units import MIB
from station.verdict import FailReason, Outcome, RefusalReason
from tests.box.build import build_box
from tests.box.bundle import GUEST_ROOT, copy_bundle, make_bundle, mounted_sums, sums_of
from tests.box.hub import Hub, cut_power, serve_cached
from tests.box.machine import Machine
from tests.box.sockets import sockets
from tests.box.station_run import VERDICTS, StationRun, Told
from tests.box.stick import Speed, Stick, Transport, blank_stick

pytestmark = pytest.mark.timeout(3600)

RESETS = int(os.environ.get("STATION_BOX_RESETS") or 1)
LATEST_S = 4.0
PATIENCE_S = 600.0
CAPACITY_BYTES = 64 * MIB
DISK_BYTES = 64 * MIB
DISK = "/dev/disk/by-id/ata-QEMU_HARDDISK_internal"
KEPT = GUEST_ROOT / "kept"
ZEROS = bytes(512)
ANY_MEMORY = Path()
STICKS = ("passed", "loaded", "read back", "sealed")
# In which stage each of these stays, for minutes, once it is there.
STAYS = {"loaded": "load", "read back": "verify"}
STAYING = Speed(256 * 1024, 256 * 1024)
STEADY = Speed(8 * MIB, 8 * MIB)
PLACES = dict(zip(STICKS, sockets(len(STICKS)), strict=True))


@dataclass(frozen=True, slots=True)
class Outage:
    """One power cut and what came after it.

    Attributes:
        stages: what each stick was at when power was cut; `verdict` when it had been told.
        sectors_0: sector 0 of each stick then.
        mounted: the sums of the files on each stick that could be mounted after the next boot.
        wanted: the sums of the bundle's files.
        jobs: what the ledger holds in the end.
        jobs_before: how many of them were begun before the power was cut.
    """

    stages: dict[str, str]
    sectors_0: dict[str, bytes]
    mounted: dict[str, list[str]]
    wanted: list[str]
    jobs: list[JobRow]
    jobs_before: int


class Shop:
    """What stays when the power goes: disks, sticks, the bundle.

    Args:
        folder: where they lie.
        control: where the sockets of nbdkit go; its path must be short.
    """

    def __init__(self, folder: Path, control: Path) -> None:
        self.folder = folder
        self.root = folder / "root"
        self.root.mkdir()
        self.films = make_bundle(self.root)
        self.disk = folder / "disk"
        with self.disk.open("xb") as disk:
            disk.truncate(DISK_BYTES)
        self.memories = {name: folder / name for name in STICKS}
        for memory in self.memories.values():
            blank_stick(memory, CAPACITY_BYTES, fill=b"\xd1")
        self._control = control
        self._boots = 0

    @contextmanager
    def machine(self) -> Iterator[tuple[Machine, Hub]]:
        """Switch on; leaving the context cuts the power."""
        path = self._control / "disk.nbd"
        serve_cached(self.disk, path)
        self._boots += 1
        folder = self.folder / f"boot-{self._boots}"
        folder.mkdir()
        with Machine.boot(build_box(), folder, f"nbd:unix:{path}") as machine:
            copy_bundle(machine, self.root)
            machine.run("udevadm", "wait", "--timeout=60", DISK)
            if self._boots == 1:
                machine.run("mkfs.ext4", "-q", DISK)
            machine.run("mkdir", KEPT)
            machine.run("mount", DISK, KEPT)
            try:
                yield machine, Hub(machine.protocol, self._control)
            finally:
                machine.freeze()
                cut_power(self._control)

    def plug(self, hub: Hub, name: str, speed: Speed) -> None:
        """Plug a stick in; half of them are of each transport."""
        transport = list(Transport)[STICKS.index(name) % 2]
        memory = self.memories[name]
        stick = Stick(memory, serial=name, speed=speed, transport=transport, cached=True)
        hub.plug(stick, PLACES[name])

    def sector_0(self, name: str) -> bytes:
        with self.memories[name].open("rb") as memory:
            return memory.read(512)


def load_until_dark(shop: Shop, delay_s: float) -> dict[str, Told]:
    """Cut the power so long after a seal begins; returns what was told last of each stick."""
    with shop.machine() as (machine, hub):
        run = StationRun.start(machine, "kept/power", "--any-port")
        shop.plug(hub, "passed", Speed())
        run.await_event("passed", *VERDICTS)
        for name, stage in STAYS.items():
            shop.plug(hub, name, STEADY)
            await_stage(run, name, stage)
            hub.set_speed(PLACES[name], STAYING)
        shop.plug(hub, "sealed", Speed())
        await_stage(run, "sealed", "seal")
        time.sleep(delay_s)
    return {name: run.of(name, "stage", *VERDICTS)[-1] for name in STICKS}


def await_stage(run: StationRun, name: str, stage: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not any(told.stage == stage for told in run.of(name, "stage")):
        assert time.monotonic() < deadline, f"{name} does not get to its {stage}"
        time.sleep(0.01)


def outage(shop: Shop, delay_s: float) -> Outage:
    told = load_until_dark(shop, delay_s)
    stages = {name: last.stage or last.event for name, last in told.items()}
    sectors_0 = {name: shop.sector_0(name) for name in STICKS}
    with shop.machine() as (machine, hub):
        for name in STICKS:
            shop.plug(hub, name, Speed())
            machine.disk(PLACES[name])
        machine.run("udevadm", "settle")
        mounted = {
            name: mounted_sums(machine, PLACES[name])
            for name in STICKS
            if machine.succeeds("mount", "-o", "ro", f"{PLACES[name].disk}-part1", "/mnt")
            and machine.succeeds("umount", "/mnt")
        }
        run = StationRun.start(machine, "kept/power", "--any-port")
        for name in STICKS:
            run.await_event(name, *VERDICTS)
        run.stop()
        jobs = run.jobs()
    return Outage(stages, sectors_0, mounted, sums_of(shop.films), jobs, len(STICKS))


@pytest.fixture(scope="module", params=range(RESETS))
def dark(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Outage:
    seed = random.randrange(1 << 32)
    delay_s = random.Random(seed).uniform(0, LATEST_S) if request.param else 0.0
    print(f"power is cut {delay_s:.2f} s after a seal begins")  # noqa: T201 - to try it again
    # Of its own: what serves the sticks of other machines has its power from elsewhere.
    with tempfile.TemporaryDirectory(prefix="box-") as control:
        return outage(Shop(tmp_path_factory.mktemp("power"), Path(control)), delay_s)


def before(outage: Outage) -> dict[str, JobRow]:
    """The jobs that were under way, or at their end, when the power was cut."""
    return {row.start.drive.serial: row for row in outage.jobs[: outage.jobs_before]}


def test_power_is_cut_in_the_load_the_read_back_and_after_a_pass(dark: Outage) -> None:
    stages = {name: stage for name, stage in dark.stages.items() if name != "sealed"}

    assert stages == {"passed": "verdict", "loaded": "load", "read back": "verify"}


def test_every_job_under_way_becomes_interrupted_and_every_pass_that_was_told_stands(
    dark: Outage,
) -> None:
    ends = {name: row.end and row.end.verdict.reason for name, row in before(dark).items()}

    assert ends.keys() == dark.stages.keys()
    for name, stage in dark.stages.items():
        if stage == "verdict":
            assert ends[name] is None, name
        elif stage != "seal":
            assert ends[name] is FailReason.INTERRUPTED, name


def test_only_a_stick_that_was_read_back_can_be_mounted_and_it_holds_every_file(
    dark: Outage,
) -> None:
    assert {"passed"} <= dark.mounted.keys() <= {"passed", "sealed"}
    for name, sums in dark.mounted.items():
        assert sums == dark.wanted, name
    for name in STICKS:
        assert (dark.sectors_0[name] == ZEROS) == (name not in dark.mounted), name


def test_no_pass_stands_in_the_ledger_of_a_stick_that_can_not_be_mounted(dark: Outage) -> None:
    passed = {
        name
        for name, row in before(dark).items()
        if row.end and row.end.verdict.outcome is Outcome.PASS
    }

    assert passed <= dark.mounted.keys()
    for name in dark.mounted.keys() - passed:
        end = before(dark)[name].end
        assert end is not None
        assert "may be mountable" in end.verdict.detail


def test_sticks_that_did_not_pass_are_loaded_again_and_pass(dark: Outage) -> None:
    first = before(dark)
    again = {
        row.start.drive.serial: row.end and (row.end.verdict.outcome, row.end.verdict.reason)
        for row in dark.jobs[dark.jobs_before :]
    }
    already = (Outcome.REFUSED, RefusalReason.ALREADY_LOADED)
    expected = {
        name: already if row.end and row.end.verdict.outcome is Outcome.PASS else ("pass", None)
        for name, row in first.items()
    }

    assert again == expected
