"""The guard in the box: what must not be touched keeps every byte, and is told why.

Two stations run, started when all sticks are in: one with a map of taught ports and a list of
protected drives, one without any map.
"""

import hashlib
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from station.ledger.records import JobRow
from station.verdict import Outcome
from tests.box.hub import Hub
from tests.box.machine import GUEST_EXCHANGE, Machine
from tests.box.sockets import map_of, sockets
from tests.box.station_run import VERDICTS, StationRun, Told
from tests.box.stick import Stick, blank_stick

pytestmark = pytest.mark.timeout(1200)

MIB = 1 << 20
GB = 10**9
CAPACITY_BYTES = 64 * MIB
# Beyond this nothing is hashed: the memory is a sparse file, and has room wherever it was written.
LARGEST_HASHED_BYTES = GB

Preparation = Callable[[Machine, Path], None]
"""Puts a stick, by its node on the guest, to some use."""


def mount(machine: Machine, node: Path) -> None:
    machine.run("mkfs.vfat", "-I", node)
    machine.run("mkdir", "--parents", "/srv/mounted")
    machine.run("mount", "-t", "vfat", node, "/srv/mounted")
    machine.run("sh", "-c", "echo family >/srv/mounted/photos; sync")


def use_as_swap(machine: Machine, node: Path) -> None:
    machine.run("mkswap", node)
    machine.run("swapon", node)


def put_into_array(machine: Machine, node: Path) -> None:
    # A linear array: the others write their own notes again when they please.
    machine.run("modprobe", "linear")
    machine.run(
        *("mdadm", "--create", "/dev/md7", "--run", "--force", "--level=linear"),
        *("--raid-devices=1", node),
    )


def put_into_volume_group(machine: Machine, node: Path) -> None:
    machine.run("pvcreate", "--yes", "--zero=y", node)
    machine.run("vgcreate", "family", node)
    machine.run("lvcreate", "--yes", "--size=16M", "--name=photos", "family")


def open_exclusively(machine: Machine, node: Path) -> None:
    program = (
        "import os, sys, time;"
        "fd = os.open(sys.argv[1], os.O_RDWR | os.O_EXCL);"
        "open(sys.argv[2], 'w').close();"
        "time.sleep(100_000)"
    )
    is_open = GUEST_EXCHANGE / "exclusive"
    machine.start("python3", "-c", program, node, is_open)
    machine.run("sh", "-c", 'until [ -e "$0" ]; do sleep 0.1; done', is_open)


def leave_alone(machine: Machine, node: Path) -> None:
    del machine, node


@dataclass(frozen=True, slots=True)
class Row:
    """A stick that must not be touched.

    Attributes:
        name: its serial number.
        prepare: what happens to it before the stations start.
        reason: the reason of its refusal.
        detail: words that the detail of the refusal must hold.
        capacity_bytes: its size.
        locked: whether its switch is on.
    """

    name: str
    prepare: Preparation
    reason: str
    detail: str
    capacity_bytes: int = CAPACITY_BYTES
    locked: bool = False


ROWS = (
    Row("mounted", mount, "in_use", "mounted at /srv/mounted"),
    Row("swap", use_as_swap, "in_use", "used as swap"),
    Row("array", put_into_array, "in_use", "held by md7"),
    Row("volume group", put_into_volume_group, "in_use", "held by dm-0"),
    Row("exclusive", open_exclusively, "in_use", "busy"),
    Row("protected", leave_alone, "protected", "serial:protected"),
    Row("locked", leave_alone, "write_protected", "lock switch", locked=True),
    Row("too large", leave_alone, "too_large", "400 GB", capacity_bytes=400 * GB),
    Row("too small", leave_alone, "too_small", "60 MB", capacity_bytes=32 * MIB),
)
NAMES = [row.name for row in ROWS]
# Plugged in where nobody taught anything, and where somebody did.
ELSEWHERE, TAUGHT = "elsewhere", "taught"


@dataclass(frozen=True, slots=True)
class Bench:
    """The sticks that are in, and what both stations said of them until they ended.

    Attributes:
        before: digest of each stick's memory by serial number, as the stations found it.
        after: the same, when they had ended.
        with_map: verdicts of the station that has a map.
        without_map: verdicts of the one that has none.
        inserted: the nodes that a station gave a tile.
        nodes: the sticks' own.
        jobs: what stands in the ledger of the station that has a map.
    """

    before: dict[str, str]
    after: dict[str, str]
    with_map: dict[str, Told]
    without_map: dict[str, Told]
    inserted: frozenset[str]
    nodes: frozenset[str]
    jobs: list[JobRow]


def digest(memory: Path) -> str:
    """What tells whether a single byte of a stick was written, or written anew."""
    if memory.stat().st_size > LARGEST_HASHED_BYTES:
        return f"{memory.stat().st_blocks} blocks"
    with memory.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@pytest.fixture(scope="module")
def bench(
    machine: Machine,
    module_hub: Hub,
    bundle: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Bench:
    assert bundle.is_dir()
    folder = tmp_path_factory.mktemp("guarded")
    names = [*NAMES, ELSEWHERE, TAUGHT]
    places = dict(zip(names, sockets(len(names)), strict=True))
    rows = {row.name: row for row in ROWS}
    memories = {name: folder / name for name in names}
    nodes: dict[str, Path] = {}
    for name, socket in places.items():
        row = rows.get(name)
        module_hub.plug(_stick(name, row, memories[name]), socket)
        nodes[name] = machine.disk(socket)
        if row is not None:
            row.prepare(machine, nodes[name])
    machine.run("sync")
    before = {name: digest(memory) for name, memory in memories.items()}

    port_map = map_of({name: socket for name, socket in places.items() if name != ELSEWHERE})
    (machine.exchange / "ports.toml").write_text(port_map)
    with_map = StationRun.start(
        *(machine, "guard", "--ports", GUEST_EXCHANGE / "ports.toml"),
        *("--protect", "serial:protected", "--protect", "/dev/vda"),
    )
    without_map = StationRun.start(machine, "guard-without-map")
    verdicts = {name: with_map.await_event(name, *VERDICTS) for name in names}
    verdicts_without_map = {name: without_map.await_event(name, *VERDICTS) for name in names}
    with_map.stop()
    without_map.stop()
    after = {name: digest(memory) for name, memory in memories.items()}
    _release(machine)
    for socket in places.values():
        module_hub.pull(socket)
    return Bench(
        before=before,
        after=after,
        with_map=verdicts,
        without_map=verdicts_without_map,
        inserted=frozenset(told.node for run in (with_map, without_map) for told in run.told()),
        nodes=frozenset(map(str, nodes.values())),
        jobs=with_map.jobs(),
    )


def _stick(name: str, row: Row | None, memory: Path) -> Stick:
    if row is None:
        return replace(blank_stick(memory, CAPACITY_BYTES), serial=name)
    # Zeros over zeros would leave no trace.
    fill = b"\xd1" if row.capacity_bytes <= LARGEST_HASHED_BYTES else b""
    stick = blank_stick(memory, row.capacity_bytes, fill=fill)
    return replace(stick, serial=name, locked=row.locked)


def _release(machine: Machine) -> None:
    """Put the sticks out of use again, so that they can be pulled without a fuss."""
    machine.run("umount", "/srv/mounted")
    machine.run("swapoff", "--all")
    machine.run("mdadm", "--stop", "/dev/md7")
    machine.run("vgchange", "--activate=n", "family")


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
def test_refused_stick_keeps_every_byte_and_is_told_why(bench: Bench, row: Row) -> None:
    told = bench.with_map[row.name]

    assert (told.verdict, told.reason) == ("refused", row.reason)
    assert told.detail is not None
    assert row.detail in told.detail
    assert bench.after[row.name] == bench.before[row.name]


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
def test_refusal_is_in_the_ledger_once_with_its_reason(bench: Bench, row: Row) -> None:
    ends = [job.end for job in bench.jobs if job.start.drive.serial == row.name]

    assert [end and end.verdict.reason for end in ends] == [row.reason]
    assert [end and end.written_bytes for end in ends] == [0]


def test_stick_on_a_taught_port_passes(bench: Bench) -> None:
    assert bench.with_map[TAUGHT].verdict == "pass"
    assert bench.with_map[TAUGHT].port == TAUGHT


def test_stick_on_a_port_that_was_not_taught_is_refused(bench: Bench) -> None:
    told = bench.with_map[ELSEWHERE]

    assert (told.verdict, told.reason) == ("refused", "port_not_taught")
    assert bench.after[ELSEWHERE] == bench.before[ELSEWHERE]


def test_without_a_map_no_port_is_taught(bench: Bench) -> None:
    verdicts = {name: bench.without_map[name].verdict for name in bench.without_map}
    free = ("protected", "locked", "too large", "too small", ELSEWHERE)
    reasons = {bench.without_map[name].reason for name in free}

    assert set(verdicts.values()) == {"refused"}
    assert reasons == {"port_not_taught"}


def test_every_accepted_stick_has_exactly_one_verdict(bench: Bench) -> None:
    verdicts = {job.start.drive.serial: job.end and job.end.verdict.outcome for job in bench.jobs}

    assert verdicts == {
        **dict.fromkeys([*NAMES, ELSEWHERE], Outcome.REFUSED),
        TAUGHT: Outcome.PASS,
    }
    assert len(bench.jobs) == len(verdicts)


def test_nothing_but_usb_sticks_ever_gets_a_tile(bench: Bench, machine: Machine) -> None:
    assert bench.inserted == bench.nodes
    assert machine.internal_written_bytes() == 0


def test_stick_swapped_between_judgement_and_opening_is_refused(
    machine: Machine, hub: Hub, tmp_path: Path
) -> None:
    (socket,) = sockets(1)
    # The guard as the station calls it, but for a wait at the worst moment.
    program = """
        import sys, time
        from pathlib import Path

        from station.device.direct import DirectDrive
        from station.usb.admission import admit
        from station.usb.guard import GuardPolicy
        from station.verdict import DriveRefusedError

        name, judged, swapped = sys.argv[1:]

        def open_later(node, diskseq):
            Path(judged).touch()
            while not Path(swapped).exists():
                time.sleep(0.05)
            return DirectDrive.open_device(node, diskseq)

        try:
            admit(name, None, GuardPolicy(any_port=True), open_device=open_later)
        except DriveRefusedError as error:
            print(error.verdict.reason)
    """
    judged, swapped = ("judged", "swapped")
    hub.plug(replace(blank_stick(tmp_path / "first", CAPACITY_BYTES), serial="first"), socket)
    node = machine.disk(socket)
    guard = machine.start(
        *("python3", "-c", textwrap.dedent(program), node.name),
        *(GUEST_EXCHANGE / judged, GUEST_EXCHANGE / swapped),
    )
    machine.run("sh", "-c", 'until [ -e "$0" ]; do sleep 0.1; done', GUEST_EXCHANGE / judged)
    hub.pull(socket)
    second = replace(
        blank_stick(tmp_path / "second", CAPACITY_BYTES, fill=b"\xd1"), serial="second"
    )
    hub.plug(second, socket)
    before = digest(second.memory)
    # Udev's own work on the first one may take a moment to end, and with it its node.
    assert machine.disk(socket) == node
    (machine.exchange / swapped).touch()

    assert guard.wait(300) == 0, guard.stderr.read_text()
    assert guard.stdout.read_text().split() == ["changed"]
    assert digest(second.memory) == before
