"""`station run --virtual N`: the whole way, from a volunteer's hand to a summary."""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from blake3 import blake3

from station.verdict import FailReason
from tests.cli.small_station import REPOSITORY, SmallStation, call, events_of, sector_0
from tests.image.judges import mtools, require_clean
from tests.image.sparse_image import copy_out
from tests.job.workshop import CONTENT

PARTITION_ENTRY = 446
ORDER = ["inserted", "probe", "wipe", "load", "verify", "seal", "refused", "verdict"]


@dataclass(frozen=True, slots=True)
class Run:
    """A run that has ended."""

    station: SmallStation
    keep: Path
    code: int
    events: list[dict[str, object]]
    errors: str

    def of(self, *kinds: str, port: str | None = None) -> list[dict[str, object]]:
        return [
            event
            for event in self.events
            if event["event"] in kinds and port in (None, event["port"])
        ]


@pytest.fixture(scope="module")
def run_of_three(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A good stick, a counterfeit, and one that is pulled and plugged in again."""
    station = SmallStation.make(tmp_path_factory.mktemp("run") / "station")
    keep = station.root / "kept"
    options = ("--virtual", "3", "--view", "json", "--keep", keep, "--batch", "monday")
    process = station.start("run", *station.common(), *options, fast=True)
    output, errors = process.communicate(timeout=60)
    return Run(station, keep, process.returncode, events_of(output), errors)


def test_the_exit_code_tells_that_not_all_passed(run_of_three: Run) -> None:
    assert (run_of_three.code, run_of_three.errors) == (1, "")


def test_every_stick_ends_as_the_script_has_it(run_of_three: Run) -> None:
    ends = [(end["port"], end["verdict"], end["reason"]) for end in run_of_three.of("verdict")]

    assert sorted(ends, key=str) == [
        ("port-1", "pass", None),
        ("port-2", "fail", "fake_capacity"),
        ("port-3", "fail", "removed"),
        ("port-3", "pass", None),
    ]


def test_the_summary_comes_last_and_counts_the_verdicts(run_of_three: Run) -> None:
    summary = run_of_three.events[-1]

    assert summary["event"] == "summary"
    assert (summary["passed"], summary["failed"], summary["refused"]) == (2, 2, 0)


def test_each_stick_goes_through_the_stages_in_the_order_of_the_contract(
    run_of_three: Run,
) -> None:
    by_stick: dict[tuple[object, object], list[str]] = {}
    for event in run_of_three.of("inserted", "stage", "verdict", "refused"):
        drive = event["drive"]
        assert isinstance(drive, dict)
        steps = by_stick.setdefault((event["port"], drive["diskseq"]), [])
        steps.append(str(event["stage"] if event["event"] == "stage" else event["event"]))

    assert len(by_stick) == 4
    for steps in by_stick.values():
        assert all(ORDER.index(a) < ORDER.index(b) for a, b in pairwise(steps))
        assert (steps[0], steps[-1]) == ("inserted", "verdict")
    assert ["inserted", "probe", "load", "verify", "seal", "verdict"] in by_stick.values()


def test_progress_belongs_to_the_stage_that_was_told_last(run_of_three: Run) -> None:
    stages: dict[object, object] = {}
    for event in run_of_three.of("stage", "progress"):
        if event["event"] == "stage":
            stages[event["job"]] = event["stage"]
        else:
            assert event["stage"] == stages[event["job"]]


def test_the_ledger_holds_the_same_verdicts_under_the_batch(run_of_three: Run) -> None:
    rows = run_of_three.station.rows()
    told = {(end["job"], end["verdict"], end["reason"]) for end in run_of_three.of("verdict")}

    assert {row.batch for row in rows} == {"monday"}
    assert told == {
        (row.job, str(row.end.verdict.outcome), row.end.verdict.reason) for row in rows if row.end
    }


def test_kept_images_of_sticks_that_did_not_pass_can_not_be_mounted(run_of_three: Run) -> None:
    for name in ("port-2.img", "port-3.img"):
        assert sector_0(run_of_three.keep / name) == bytes(512)


@pytest.mark.parametrize("name", ["port-1.img", "port-3-again.img"])
def test_kept_images_of_sticks_that_passed_hold_every_file_by_foreign_judges(
    run_of_three: Run, tmp_path: Path, name: str
) -> None:
    image = run_of_three.keep / name
    with image.open("rb") as file:
        file.seek(PARTITION_ENTRY + 8)
        start_bytes = 512 * int.from_bytes(file.read(4), "little")
        length_bytes = 512 * int.from_bytes(file.read(4), "little")
    copy_out(image, start_bytes, length_bytes, tmp_path / "volume")

    require_clean(tmp_path / "volume")
    for path, content in CONTENT.items():
        found = mtools("mtype", image, start_bytes, f"::/{path}")
        assert blake3(found).digest() == blake3(content).digest()
    assert b"Holiday photos" not in image.read_bytes()


def test_kept_images_that_are_there_already_are_left_alone(
    run_of_three: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    station = run_of_three.station
    before = station.fingerprint()
    code = call("run", *station.common(), "--virtual", 3, "--keep", run_of_three.keep)

    assert code == 2
    assert "already holds" in capsys.readouterr().err
    assert {name: before[name] for name in before if name.endswith(".img")} == {
        name: digest for name, digest in station.fingerprint().items() if name.endswith(".img")
    }


def test_a_run_in_which_all_pass_exits_with_0_and_says_where_to_look(tmp_path: Path) -> None:
    station = SmallStation.make(tmp_path / "station")
    picture = tmp_path / "dashboard.svg"
    options = ("--virtual", "1", "--picture", picture)
    process = station.start("run", *station.common(), *options, fast=True)
    output, errors = process.communicate(timeout=60)

    assert process.returncode == 0
    lines = output.splitlines()
    assert lines[0].endswith("inserted")
    assert "PASS -> PULL" in lines[-2]
    assert "1 passed, 0 failed, 0 refused" in lines[-1]
    assert errors == f"Every stick is in the ledger: station log --ledger {station.ledger}\n"
    assert "PASS" in picture.read_text(encoding="utf-8")


def test_a_reader_that_leaves_does_not_stop_the_run(tmp_path: Path) -> None:
    station = SmallStation.make(tmp_path / "station")
    command = [sys.executable, "-m", "tests.cli.fast_station", "run", *station.common()]
    line = f"{shlex.join([*command, '--virtual', '2', '--view', 'json'])} | head -n 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (done.returncode, done.stderr) == (1, "")
    reasons = {row.end.verdict.reason for row in station.rows() if row.end}
    assert reasons == {None, FailReason.FAKE_CAPACITY}


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """A terminal emulator of others."""
    server = ["tmux", "-f", "/dev/null", "-u", "-S", str(tmp_path / "tmux")]

    def run(*arguments: str) -> str:
        return subprocess.run(
            [*server, *arguments], check=True, capture_output=True, encoding="utf-8", timeout=30
        ).stdout

    yield run
    subprocess.run([*server, "kill-server"], check=False, capture_output=True)


@pytest.mark.parametrize(
    ("width", "height", "environment"),
    [(80, 24, ""), (120, 40, ""), (220, 60, ""), (80, 24, "NO_COLOR=1")],
)
def test_the_dashboard_shows_every_port_and_what_to_do_on_a_terminal_of_any_size(
    tmp_path: Path, tmux: Callable[..., str], width: int, height: int, environment: str
) -> None:
    station = SmallStation.make(tmp_path / "station")
    command = [sys.executable, "-m", "tests.cli.fast_station", "run", *station.common()]
    line = shlex.join([*command, "--virtual", "8", "--picture", str(tmp_path / "dashboard.svg")])
    # Slow enough that somebody can look; the end is waited for, never a time.
    shell = f"{environment} FAST_STATION_MB_PER_S=30 {line}; echo exit $?; exec sleep 60"
    tmux("new-session", "-d", "-c", str(REPOSITORY), "-x", str(width), "-y", str(height), shell)
    ports = [f"port-{number}" for number in range(1, 9)]
    seen: list[str] = []
    deadline_s = time.monotonic() + 60
    while "exit " not in (screen := tmux("capture-pane", "-p")):
        assert time.monotonic() < deadline_s, screen
        seen.append(screen)
        time.sleep(0.05)
    whole = [screen for screen in seen if all(port in screen for port in ports)]

    assert any("FAIL" in screen and "left" in screen for screen in whole)
    assert any("✔ PASS" in screen for screen in whole)
    assert all(len(screen.splitlines()) <= height for screen in seen)
    assert "exit 1" in screen
    assert "7 passed, 2 failed, 0 refused" in screen.replace("\n", "")
    assert not any("Traceback" in screen for screen in [*seen, screen])
    assert os.fspath(station.ledger) in screen.replace("\n", "")


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40), (220, 60)])
def test_the_tiles_of_two_hubs_stand_apart_on_a_terminal_of_any_size(
    tmp_path: Path, tmux: Callable[..., str], width: int, height: int
) -> None:
    station = SmallStation.make(tmp_path / "station")
    command = [sys.executable, "-m", "tests.cli.fast_station", "run", *station.common()]
    shell = f"FAST_STATION_MB_PER_S=10 {shlex.join(command)} --virtual 16; exec sleep 60"
    tmux("new-session", "-d", "-c", str(REPOSITORY), "-x", str(width), "-y", str(height), shell)
    deadline_s = time.monotonic() + 60
    while any(f" port-{n} " not in (screen := tmux("capture-pane", "-p")) for n in range(1, 17)):
        assert time.monotonic() < deadline_s, screen
        time.sleep(0.05)
    rows = screen.splitlines()
    places = []
    for port in range(1, 17):
        y = next(y for y, row in enumerate(rows) if f" port-{port} " in row)
        places.append((y, rows[y].index(f" port-{port} ")))
    left, right = places[:8], places[8:]

    # Side by side, each in its order, with a gap from top to bottom between them.
    assert left == sorted(left)
    assert right == sorted(right)
    edge = min(x for _, x in right) - 2
    assert max(x for _, x in left) < edge
    assert all(rows[y][edge - 2 : edge].isspace() for y, _ in right)
