"""Runs that are stopped: by Ctrl-C, by a signal, and without any warning."""

import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from station.ledger.ledger import Ledger
from station.ledger.records import JobRow
from station.verdict import FailReason, Outcome
from tests.cli.small_station import SmallStation, call, events_of, sector_0

ZEROS = bytes(512)
DONORS = b"Holiday photos"
KILLS = 6
STICKS = 4


@pytest.fixture
def station(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallStation:
    monkeypatch.setenv("FAST_STATION_MB_PER_S", "40")
    return SmallStation.make(tmp_path / "station")


def start(station: SmallStation, keep: Path) -> "subprocess.Popen[str]":
    options = ("--virtual", str(STICKS), "--view", "json", "--keep", keep)
    return station.start("run", *station.common(), *options, fast=True)


def read_until(process: "subprocess.Popen[str]", holds: Callable[[str], bool]) -> list[str]:
    """Lines of the process, up to the first for which something holds."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if holds(line):
            return lines
    raise AssertionError(f"the run ended before that: {lines}")


def loading_at(port: str) -> Callable[[str], bool]:
    return lambda line: f'"port": "{port}"' in line and '"stage": "load"' in line


def finish(process: "subprocess.Popen[str]") -> tuple[int, list[dict[str, object]], str]:
    output, errors = process.communicate(timeout=60)
    return process.returncode, events_of(output), errors


def verdicts(events: list[dict[str, object]]) -> dict[object, object]:
    return {event["port"]: event["reason"] for event in events if event["event"] == "verdict"}


def test_ctrl_c_once_finishes_what_is_under_way_and_touches_nothing_new(
    station: SmallStation,
) -> None:
    keep = station.root / "kept"
    process = start(station, keep)
    before = read_until(process, loading_at("port-1"))
    process.send_signal(signal.SIGINT)
    code, events, errors = finish(process)
    # A counterfeit may be found before another stick is loaded.
    ends = verdicts(events_of("".join(before)) + events)

    assert code in (0, 1)
    assert errors == ""
    assert ends["port-1"] is None
    assert events[-1]["event"] == "summary"
    for image in keep.iterdir():
        port = image.stem.removesuffix("-again")
        assert port in ends or sector_0(image).startswith(DONORS)
    assert call("verify", keep / "port-1.img", *station.common(ledger=False)) == 0


@pytest.mark.parametrize("signals", [(signal.SIGINT, signal.SIGINT), (signal.SIGTERM,)])
def test_a_stop_at_once_interrupts_and_every_stick_is_in_the_ledger(
    station: SmallStation, signals: tuple[signal.Signals, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAST_STATION_MB_PER_S", "12")
    keep = station.root / "kept"
    process = start(station, keep)
    read_until(process, loading_at("port-4"))
    for number in signals:
        process.send_signal(number)
        # Two of a kind that come at once are one to the kernel; nobody presses keys that fast.
        time.sleep(0.3)
    code, events, errors = finish(process)

    assert (code, errors) == (1, "")
    assert verdicts(events)["port-4"] == "interrupted"
    assert events[-1]["event"] == "summary"
    rows = station.rows()
    assert all(row.end for row in rows)
    for row in rows:
        assert row.end is not None
        if row.end.verdict.outcome is not Outcome.PASS:
            assert sector_0(keep / row.start.drive.node) == ZEROS


def is_borne_out(station: SmallStation, image: Path) -> bool:
    return call("verify", image, *station.common(ledger=False), "--json") == 0


@pytest.mark.parametrize("seed", range(KILLS))
def test_a_kill_at_any_moment_leaves_no_stick_that_mounts_without_having_passed(
    station: SmallStation, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    keep = station.root / "kept"
    process = start(station, keep)
    random = Random(seed)
    # Moments are counted in events, and so spread over the run on a machine of any speed.
    left = 1 + seed * 5 + random.randrange(5)

    def is_due(line: str) -> bool:
        nonlocal left
        left -= '"progress"' not in line
        return left <= 0 or '"summary"' in line

    read_until(process, is_due)
    time.sleep(random.random() * 0.2)
    process.kill()
    process.communicate(timeout=30)
    images = sorted(keep.iterdir())
    with closing(sqlite3.connect(station.ledger)) as connection:
        (integrity,) = connection.execute("PRAGMA integrity_check").fetchone()
    rows = station.rows()
    running = [row for row in rows if row.end is None]

    assert process.returncode in (-signal.SIGKILL, 1)
    assert integrity == "ok"
    for image in images:
        start_of_image = sector_0(image)
        if start_of_image != ZEROS and not start_of_image.startswith(DONORS):
            assert is_borne_out(station, image)
    for row in rows:
        if row.end is not None and row.end.verdict.outcome is Outcome.PASS:
            assert is_borne_out(station, keep / row.start.drive.node)

    ended = begin_next_run(station)
    assert ended == [len(running), 0]
    assert {reason_of(row) for row in station.rows() if row.job in {r.job for r in running}} <= {
        FailReason.INTERRUPTED
    }
    assert [row for row in station.rows() if row.end is None] == []
    capsys.readouterr()


def begin_next_run(station: SmallStation) -> list[int]:
    """How many jobs the next two runs found cut off."""
    ended = []
    for _ in range(2):
        with Ledger.open(os.fspath(station.ledger)) as ledger:
            ended.append(ledger.begin_run("films", ""))
    return ended


def reason_of(row: JobRow) -> object:
    return row.end.verdict.reason if row.end else "running"
