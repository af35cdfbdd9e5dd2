"""One table of faults: a stick of QEMU's under a real kernel ends as the simulated one does.

What the sweeps of `tests/faults` find out about simulated sticks holds for real ones as far as the
two agree. A stick that hangs for good is in `test_table.py`: it takes its own minute there.
"""

import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from station.content.profile import ErasePolicy
from station.device.fault import (
    CorruptReads,
    CorruptWrites,
    Fault,
    FlushError,
    Hang,
    Limbo,
    LostWrites,
    Operation,
    ReadError,
    ReadOnly,
    Vanish,
    Wraparound,
    WriteError,
)
from station.hotplug.virtual import VirtualStick
from station.ledger.records import JobRow
from station.units import MIB
from tests.box.hub import Hub
from tests.box.machine import Machine
from tests.box.sockets import Socket, sockets
from tests.box.station_run import VERDICTS, StationRun
from tests.box.stick import (
    BadFlash,
    BadSector,
    Counterfeit,
    Lie,
    Misdeed,
    Speed,
    Stick,
    Transport,
    blank_stick,
)
from tests.faults.one_run import Station
from tests.job.workshop import profile_of

# Flash that is tidied up pauses on honest sticks; the kernel gives up a command after 30 s.
PAUSE_S = 20.0
pytestmark = pytest.mark.timeout(1800)

CAPACITY_BYTES = 64 * MIB
REAL_BYTES = 16 * MIB
# In the part that is erased, and no place at which the kernel looks for partitions.
AT = 40 * MIB
# Less than a block of the probe: what it hits is damage, and never looks like a missing end.
END = AT + 512
# In the largest file, where what was there before is never what belongs there.
IN_FILM = 3 * MIB
READS, WRITES = frozenset({Operation.READ}), frozenset({Operation.WRITE})
ANY_MEMORY = Path()


@dataclass(frozen=True, slots=True)
class Row:
    """A fault, twice, and what becomes of its stick.

    Attributes:
        reason: why it does not pass; None when it passes.
        simulated: the fault of the simulated stick.
        stick: the stick in the box.
        pulled_in: the stage in which the stick in the box is pulled.
        capacity_bytes: of the stick in the box.
    """

    reason: str | None
    simulated: tuple[Fault, ...]
    stick: Stick
    pulled_in: str | None = None
    capacity_bytes: int = CAPACITY_BYTES


def stick(**traits: object) -> Stick:
    return Stick(ANY_MEMORY, **traits)  # type: ignore[arg-type]


def bad_flash(does: Misdeed, start_bytes: int = AT, end_bytes: int = END) -> Stick:
    return stick(bad_flash=BadFlash(does, start_bytes, end_bytes, PAUSE_S))


TABLE = {
    "sound": Row(None, (), stick()),
    "write error": Row(
        "io_error", (WriteError(AT, END),), stick(bad_sectors=(BadSector(AT, "write"),))
    ),
    "read error": Row(
        "io_error", (ReadError(AT, END),), stick(bad_sectors=(BadSector(AT, "read"),))
    ),
    "write error once": Row(
        None, (WriteError(AT, END, 1),), stick(bad_sectors=(BadSector(AT, "write", once=True),))
    ),
    "read error once": Row(
        None, (ReadError(AT, END, 1),), stick(bad_sectors=(BadSector(AT, "read", once=True),))
    ),
    # The kernel sends a flush to a UAS stick; to a bulk-only one the station alone does.
    "flush error of a UAS stick": Row(
        "io_error", (FlushError(),), stick(fails_flush=True, transport=Transport.UAS)
    ),
    "flush error of a bulk-only stick": Row("io_error", (FlushError(),), stick(fails_flush=True)),
    "wraparound": Row(
        "fake_capacity",
        (Wraparound(REAL_BYTES),),
        stick(counterfeit=Counterfeit(Lie.WRAPAROUND, REAL_BYTES)),
    ),
    "limbo": Row(
        "fake_capacity", (Limbo(REAL_BYTES),), stick(counterfeit=Counterfeit(Lie.LIMBO, REAL_BYTES))
    ),
    "bit stored wrong": Row(
        "verify_mismatch", (CorruptWrites(AT, END),), bad_flash(Misdeed.FLIP_WRITTEN)
    ),
    "bit read wrong": Row(
        "verify_mismatch", (CorruptReads(AT, END),), bad_flash(Misdeed.FLIP_READ)
    ),
    "write lost": Row(
        "verify_mismatch",
        (LostWrites(IN_FILM, IN_FILM + 512),),
        bad_flash(Misdeed.LOSE, IN_FILM, IN_FILM + 512),
    ),
    "all writes lost": Row(
        "write_protected", (LostWrites(),), bad_flash(Misdeed.LOSE, 0, CAPACITY_BYTES)
    ),
    "locked": Row("write_protected", (ReadOnly(),), stick(locked=True)),
    "pulled in the load": Row(
        "removed",
        (Vanish(AT, END, WRITES),),
        # As slow throughout as old sticks are in small writes, and large: how long is its probe?
        stick(speed=Speed(400_000, 18_000_000)),
        pulled_in="load",
        capacity_bytes=64 * 10**9,
    ),
    "pulled in the read-back": Row(
        "removed",
        (Vanish(AT, END, READS),),
        stick(speed=Speed(read_bytes_per_s=2 * MIB)),
        pulled_in="verify",
    ),
    "pause": Row(None, (Hang(AT, END, WRITES, PAUSE_S),), bad_flash(Misdeed.PAUSE)),
}

Fate = tuple[str, str | None]


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Fate]:
    """What becomes of the simulated sticks, by the ledger."""
    station = Station(tmp_path_factory.mktemp("simulated"), profile_of(ErasePolicy.OVERWRITE))
    station.run(
        *(VirtualStick(name, CAPACITY_BYTES, faults=row.simulated) for name, row in TABLE.items())
    )
    return {row.start.drive.port: fate_of(row) for row in station.rows()}


def fate_of(row: JobRow) -> Fate:
    assert row.end is not None
    return row.end.verdict.outcome, row.end.verdict.reason


@pytest.fixture(scope="module")
def memories(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The memories of the sticks in the box."""
    folder = tmp_path_factory.mktemp("memories")
    return {name: folder / name for name in TABLE}


@pytest.fixture(scope="module")
def in_box(
    machine: Machine, module_hub: Hub, bundle: Path, memories: dict[str, Path]
) -> dict[str, JobRow]:
    """What became of the sticks in the box, by the ledger."""
    assert bundle.is_dir()
    run = StationRun.start(machine, "faults", "--any-port")
    places = dict(zip(TABLE, sockets(len(TABLE)), strict=True))
    with module_hub.at_once():
        for name, row in TABLE.items():
            fill = b"\xd1" if row.capacity_bytes == CAPACITY_BYTES else b""
            blank = blank_stick(memories[name], row.capacity_bytes, fill)
            module_hub.plug(replace(row.stick, memory=blank.memory, serial=name), places[name])
    pull_in_their_stages(module_hub, run, places)
    for name in TABLE:
        run.await_event(name, *VERDICTS)
    run.stop()
    return {row.start.drive.serial: row for row in run.jobs()}


def pull_in_their_stages(hub: Hub, run: StationRun, places: dict[str, Socket]) -> None:
    waiting = {name: row.pulled_in for name, row in TABLE.items() if row.pulled_in}
    while waiting:
        for name, stage in list(waiting.items()):
            assert not run.of(name, *VERDICTS), name
            if any(told.stage == stage and told.done_bytes for told in run.of(name, "progress")):
                hub.pull(places[name])
                del waiting[name]
        time.sleep(0.1)


@pytest.mark.parametrize("name", TABLE)
def test_stick_in_the_box_ends_as_the_simulated_one_does(
    simulated: dict[str, Fate], in_box: dict[str, JobRow], name: str
) -> None:
    reason = TABLE[name].reason
    expected = ("refused" if name == "locked" else "fail" if reason else "pass", reason)

    assert (simulated[name], fate_of(in_box[name])) == (expected, expected), in_box[name].end


def test_stick_in_the_box_can_be_mounted_only_when_it_passed(
    in_box: dict[str, JobRow], memories: dict[str, Path]
) -> None:
    for name, memory in memories.items():
        with memory.open("rb") as file:
            sector_0 = file.read(512)
        is_sealed = sector_0[510:] == b"\x55\xaa"

        assert is_sealed == (fate_of(in_box[name])[0] == "pass"), name


def test_honest_pause_is_in_the_record_of_its_stick(in_box: dict[str, JobRow]) -> None:
    end = in_box["pause"].end

    assert end is not None
    assert end.quality.longest_pause_s >= PAUSE_S


@pytest.mark.parametrize("name", ["write error once", "read error once"])
def test_command_that_fails_once_is_repeated_before_the_station_hears_of_it(
    in_box: dict[str, JobRow], name: str
) -> None:
    """That is where the box differs: the kernel's SCSI layer is one more who tries again."""
    end = in_box[name].end

    assert end is not None
    assert end.quality.retries == 0


def test_large_and_slow_stick_is_probed_before_it_is_loaded(
    in_box: dict[str, JobRow], capsys: pytest.CaptureFixture[str]
) -> None:
    end = in_box["pulled in the load"].end
    assert end is not None
    # A figure and no promise: an emulated machine on a busy host is no stop watch.
    with capsys.disabled():
        print(f"\na 64 GB stick of 0.4 MB/s was probed in {end.stage_s['probe']:.1f} s")  # noqa: T201 - for the log of CI

    assert list(end.stage_s) == ["probe", "load"]
