"""Many sticks side by side: each gets its one verdict, and none costs the others anything."""

from itertools import pairwise
from pathlib import Path

import pytest

from station.dashboard.event import (
    DriveInserted,
    DriveRemoved,
    JobEnded,
    RunEnded,
    StageBegan,
    StageProgressed,
    StationEvent,
)
from station.dashboard.snapshot import Tile, TileState
from station.device.fault import ReadError, Vanish, Wraparound, WriteError
from station.device.pace import DriveSpeed
from station.hotplug.events import Port
from station.hotplug.virtual import VirtualStick
from station.job.state import Stage
from station.ledger.records import Tally
from station.units import MIB
from station.usb.guard import GuardPolicy
from station.verdict import FailReason, RefusalReason
from tests.job.workshop import STICK_BYTES
from tests.supervisor.table import ZEROS, Shift, shift_at, stick_at, wait_until

MIDDLE = STICK_BYTES // 2 // MIB * MIB
GOOD = (stick_at("good-1"), stick_at("good-2"))
SLOW = DriveSpeed(write_bytes_per_s=40 * MIB, read_bytes_per_s=80 * MIB)


def require_good_ones_passed(shift: Shift) -> None:
    for stick in GOOD:
        assert shift.tape.reasons(stick.port) == [None]
        assert shift.table.sector_0(f"{stick.port}.img")[510:] == b"\x55\xaa"


def test_good_sticks_pass_and_the_run_counts_them(tmp_path: Path) -> None:
    with shift_at(tmp_path, *GOOD) as shift:
        tally = shift.end()

    assert tally == Tally(passed=2)
    assert shift.tape.stopped
    ended = shift.tape.events[-1]
    assert isinstance(ended, RunEnded)
    assert (ended.passed, ended.failed, ended.refused) == (2, 0, 0)
    require_good_ones_passed(shift)


BAD = [
    (stick_at("bad", faults=(WriteError(MIDDLE),)), FailReason.IO_ERROR),
    (stick_at("bad", faults=(ReadError(MIDDLE),)), FailReason.IO_ERROR),
    (stick_at("bad", faults=(Vanish(MIDDLE),)), FailReason.REMOVED),
    (stick_at("bad", pull_when=0.5), FailReason.REMOVED),
    (stick_at("bad", faults=(Wraparound(16 * MIB),)), FailReason.FAKE_CAPACITY),
]


@pytest.mark.parametrize(("bad", "reason"), BAD, ids=lambda value: str(value)[:40])
def test_a_bad_stick_fails_alone(tmp_path: Path, bad: VirtualStick, reason: FailReason) -> None:
    with shift_at(tmp_path, bad, *GOOD) as shift:
        tally = shift.end()

    assert tally == Tally(passed=2, failed=1)
    assert shift.tape.reasons("bad") == [reason]
    assert shift.reasons_in_ledger("bad") == [reason]
    assert shift.table.sector_0("bad.img") == ZEROS
    require_good_ones_passed(shift)


def test_a_refused_stick_is_in_the_ledger_and_as_its_donor_left_it(tmp_path: Path) -> None:
    large = stick_at("large", capacity_bytes=80 * MIB)
    policy = GuardPolicy(max_capacity_bytes=40 * MIB)
    with shift_at(tmp_path, large, *GOOD, policy=policy) as shift:
        wait_until(lambda: shift.tape.inserted("large"))
        before = (shift.table.folder / "large.img").read_bytes()
        tally = shift.end()

    assert tally == Tally(passed=2, refused=1)
    assert shift.reasons_in_ledger("large") == [RefusalReason.TOO_LARGE]
    assert (shift.table.folder / "large.img").read_bytes() == before
    require_good_ones_passed(shift)


def test_a_stick_on_which_the_profile_does_not_fit_is_refused(tmp_path: Path) -> None:
    with shift_at(tmp_path, stick_at("small", capacity_bytes=20 * MIB)) as shift:
        tally = shift.end()

    assert tally == Tally(refused=1)
    assert shift.tape.reasons("small") == [RefusalReason.TOO_SMALL]
    assert shift.table.sector_0("small.img")[510:] == b"\x55\xaa"


def test_a_fast_stick_does_not_wait_for_a_slow_one(tmp_path: Path) -> None:
    slow = stick_at("slow", speed=SLOW)
    with shift_at(tmp_path, slow, stick_at("fast")) as shift:
        wait_until(lambda: shift.tape.verdicts("fast"))
        assert not shift.tape.verdicts("slow")
        shift.end()

    assert shift.tape.reasons("slow") == [None]


def test_a_port_takes_the_next_stick_while_the_job_of_the_last_one_still_ends(
    tmp_path: Path,
) -> None:
    # The kernel tells of a failed command a moment before udev tells that the stick left; until
    # that is known, the old job has no verdict, and the new stick is in.
    with shift_at(tmp_path, stick_at("a", speed=SLOW)) as shift:
        wait_until(lambda: shift.tape.is_in("a", Stage.LOAD))
        shift.table.pull("a")
        shift.table.plug(stick_at("a"))
        tally = shift.end()

    assert tally == Tally(passed=1, failed=1)
    assert sorted(map(str, shift.tape.reasons("a"))) == ["None", "removed"]
    assert sorted(map(str, shift.reasons_in_ledger("a"))) == ["None", "removed"]
    assert shift.table.sector_0("a.img") == ZEROS
    assert shift.tile("a").state is TileState.DONE


def test_an_error_that_a_removal_explains_is_a_removal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However busy the machine is on which this is tried.
    monkeypatch.setattr("station.supervisor.workers._REMOVAL_GRACE_S", 30.0)
    with shift_at(tmp_path, stick_at("a", faults=(WriteError(MIDDLE),), speed=SLOW)) as shift:
        wait_until(lambda: shift.tape.is_in("a", Stage.PROBE))
        # Told after the error, within the grace: the stick fails in its first second.
        wait_until(lambda: not any(t.stage for t in shift.supervisor.snapshot().tiles))
        shift.table.stick_left(1)
        shift.end()

    assert shift.tape.reasons("a") == [FailReason.REMOVED]


def test_a_pulled_stick_goes_on_telling_so_and_a_finished_one_frees_its_port(
    tmp_path: Path,
) -> None:
    with shift_at(tmp_path, stick_at("early", speed=SLOW), stick_at("late")) as shift:
        wait_until(lambda: shift.tape.is_in("early", Stage.LOAD))
        shift.table.pull("early")
        wait_until(lambda: shift.tape.verdicts("late") and shift.tape.verdicts("early"))
        shift.table.pull("late")
        shift.end()

    assert shift.tile("late") == Tile("late")
    early = shift.tile("early")
    assert (early.state, early.verdict) == (TileState.DONE, shift.tape.verdicts("early")[0])


def test_a_stick_at_a_joined_sockets_other_half_is_on_the_same_tile(tmp_path: Path) -> None:
    with shift_at(tmp_path, stick_at("usb2"), policy=GuardPolicy(any_port=True)) as shift:
        wait_until(lambda: shift.tape.verdicts("usb2"))
        shift.table.pull("usb2")
        shift.table._ports = (Port("usb2", "A1", ("usb3",)),)
        shift.table.plug(stick_at("usb3", speed=SLOW))
        wait_until(lambda: shift.tape.is_in("A1", Stage.LOAD))
        shift.table.pull("usb3")
        shift.end()

    assert [tile.label for tile in shift.supervisor.snapshot().tiles] == ["A1"]
    assert shift.tape.reasons("A1") == [FailReason.REMOVED]
    assert sum(isinstance(event, DriveRemoved) for event in shift.tape.events) == 2


def test_a_drain_finishes_what_is_under_way_and_touches_nothing_new(tmp_path: Path) -> None:
    with shift_at(tmp_path, stick_at("old", speed=SLOW)) as shift:
        wait_until(lambda: shift.tape.is_in("old", Stage.LOAD))
        shift.supervisor.request_stop()
        shift.table._ports = (*shift.table._ports, Port("new", "new"))
        shift.table.plug(stick_at("new"))
        assert shift.has_ended.wait(30)

    assert shift.tape.reasons("old") == [None]
    assert shift.tape.inserted("new") == 1
    assert shift.tape.verdicts("new") == []
    assert [row.start.port_label for row in shift.rows()] == ["old"]
    (image,) = (path for path in shift.table.folder.iterdir() if path.name.startswith("new"))
    assert image.read_bytes()[510:512] == b"\x55\xaa"


def test_a_stop_at_once_interrupts_and_leaves_nothing_mountable(tmp_path: Path) -> None:
    sticks = [stick_at(f"port-{number}", speed=SLOW) for number in (1, 2)]
    with shift_at(tmp_path, *sticks) as shift:
        wait_until(lambda: all(shift.tape.is_in(stick.port, Stage.LOAD) for stick in sticks))
        shift.supervisor.request_stop()
        shift.supervisor.request_stop()
        assert shift.has_ended.wait(30)

    for stick in sticks:
        assert shift.reasons_in_ledger(stick.port) == [FailReason.INTERRUPTED]
        assert shift.table.sector_0(f"{stick.port}.img") == ZEROS


def order_of(event: StationEvent) -> int:
    match event:
        case DriveInserted():
            return 0
        case StageBegan(stage=stage):
            return 1 + list(Stage).index(stage)
        case JobEnded():
            return 10
        case _:
            return 11


def test_each_stick_is_told_of_in_the_order_in_which_it_happens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Progress is told often and from old samples, so around each border between two stages.
    monkeypatch.setattr("station.supervisor.supervisor._TELL_PROGRESS_EVERY_S", 0.01)
    monkeypatch.setattr("station.supervisor.supervisor._SAMPLE_EVERY_S", 0.4)
    speeds = [DriveSpeed(w * MIB, 2 * w * MIB) for w in (23, 29, 37, 43, 53)]
    sticks = [stick_at(f"port-{n}", speed=speed) for n, speed in enumerate(speeds)]
    with shift_at(tmp_path, *sticks, stick_at("pulled", pull_when=0.5)) as shift:
        shift.end()
    events = shift.tape.events

    for port in [*(stick.port for stick in sticks), "pulled"]:
        of_port = [event for event in events if getattr(event, "port", None) == port]
        milestones = [
            event for event in of_port if not isinstance(event, StageProgressed | DriveRemoved)
        ]
        assert all(order_of(a) < order_of(b) for a, b in pairwise(milestones))
        assert isinstance(milestones[0], DriveInserted)
        assert isinstance(milestones[-1], JobEnded)
        stage = None
        for event in of_port:
            match event:
                case StageBegan():
                    stage = event.stage
                case StageProgressed():
                    assert event.stage is stage
                    assert 0 <= event.done_bytes <= event.total_bytes
                case JobEnded():
                    stage = None
                case _:
                    pass
    assert any(isinstance(event, StageProgressed) for event in events)
    passing = [e.stage for e in events if isinstance(e, StageBegan) and e.port == "port-0"]
    assert passing == [Stage.PROBE, Stage.LOAD, Stage.VERIFY, Stage.SEAL]
