"""`station plan`: what a drive would hold, before there is one."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from station.units import MIB
from tests.cli.small_station import SmallStation, call, manifest_json
from tests.job.workshop import CONTENT, plant

LAYOUTS = ("mbr", "superfloppy")


@pytest.fixture
def station(tmp_path: Path) -> SmallStation:
    """A station with a second bundle that only a larger drive has room for."""
    made = SmallStation.make(tmp_path / "station")
    extras = {"extras/long.bin": b"x" * (30 * MIB)}
    manifest = manifest_json("extras", extras)
    (made.root / "content_manifests/extras.json").write_text(manifest)
    profile = made.root / "profiles/films.toml"
    profile.write_text(profile.read_text() + '[[bundle]]\nmanifest = "extras"\nrequired = false\n')
    return made


def planned(station: SmallStation, capsys: pytest.CaptureFixture[str], *options: str | int) -> Any:
    code = call("plan", *station.common(ledger=False), *options, "--json")
    told = capsys.readouterr()

    assert code == 0, told.err
    return json.loads(told.out)


@pytest.mark.parametrize("policy", ["overwrite", "two-pass", "quick"])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("capacity", "sector"), [("40MB", 512), ("2TB", 512), ("900MB", 4096)])
def test_the_map_is_the_whole_drive_without_gap_or_overlap(  # noqa: PLR0913 - each a table of its own
    station: SmallStation,
    capsys: pytest.CaptureFixture[str],
    *,
    policy: str,
    layout: str,
    capacity: str,
    sector: int,
) -> None:
    (station.root / "profiles/films.toml").write_text(
        f'[volume]\nlayout = "{layout}"\n[erase]\npolicy = "{policy}"\n'
        '[[bundle]]\nmanifest = "films"\n'
    )
    plan = planned(station, capsys, "--capacity", capacity, "--sector-size", sector)

    end_bytes = 0
    for region in plan["map"]:
        assert region["start_bytes"] == end_bytes
        end_bytes += region["bytes"]
    assert end_bytes == plan["capacity_bytes"]
    wipe = {"wipe"} if policy == "two-pass" else set()
    assert set(plan["seconds"]) == {"load", "verify"} | wipe


def test_table_and_json_tell_the_same_map(
    station: SmallStation, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    plan = planned(station, capsys, "--capacity", "64MB")
    assert call("plan", *station.common(ledger=False), "--capacity", "64MB") == 0
    table = capsys.readouterr().out
    rows = re.findall(r"^ *([\d,]+) +([\d,]+) +[\d.]+ % +(.+?) *$", table, re.MULTILINE)

    assert [(int(a.replace(",", "")), int(b.replace(",", "")), name) for a, b, name in rows] == [
        (region["start_bytes"], region["bytes"], region["name"]) for region in plan["map"]
    ]
    assert f"{plan['volume']['cluster_count']:,} of" in table


def test_an_optional_bundle_is_taken_where_there_is_room_and_else_left_out(
    station: SmallStation, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = {
        capacity: [
            each["taken"] for each in planned(station, capsys, "--capacity", capacity)["bundles"]
        ]
        for capacity in ("40MB", "100MB")
    }

    assert taken == {"40MB": [True, False], "100MB": [True, True]}


def test_the_times_follow_from_the_speeds(
    station: SmallStation, capsys: pytest.CaptureFixture[str]
) -> None:
    speeds = ["--write-speed", "4MB", "--read-speed", "8MB"]
    plan = planned(station, capsys, "--capacity", "40MB", *speeds)

    assert plan["seconds"]["load"] == pytest.approx(10, rel=0.01)
    assert plan["seconds"]["verify"] == pytest.approx(5, rel=0.01)


def test_a_plan_needs_no_files_only_their_list(
    station: SmallStation, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = manifest_json("films", {"only on paper": b"x"})
    (station.root / "content_manifests/films.json").write_text(listed)

    assert planned(station, capsys, "--capacity", "40MB")["bundles"][0]["files"] == 1


@pytest.mark.parametrize(
    ("capacity", "told"),
    [
        ("x", "is no size"),
        ("", "is no size"),
        ("-8GB", "is no size"),
        ("8XB", "is no size"),
        ("0.3", "no whole number"),
        ("0", "too small"),
        ("1", "too small"),
        ("10MB", "too small"),
        ("3TB", "2.2 TB"),
        ("999999999999999999TB", "2.2 TB"),
    ],
)
def test_a_capacity_that_is_none_or_does_not_fit_is_refused_with_one_line(
    station: SmallStation, capsys: pytest.CaptureFixture[str], capacity: str, told: str
) -> None:
    code = call("plan", *station.common(ledger=False), f"--capacity={capacity}")
    streams = capsys.readouterr()

    assert (code, streams.out, streams.err.count("\n")) == (2, "", 1)
    assert told in streams.err


def test_a_required_bundle_without_room_is_named(
    station: SmallStation, capsys: pytest.CaptureFixture[str]
) -> None:
    large = {**CONTENT, "long.bin": b"x" * (40 * MIB)}
    plant(station.root / "content_manifests/files/films", large)
    (station.root / "content_manifests/films.json").write_text(
        manifest_json("films", large), encoding="utf-8"
    )
    code = call("plan", *station.common(ledger=False), "--capacity", "40MB")
    errors = capsys.readouterr().err

    assert (code, errors.count("\n")) == (2, 1)
    assert "films" in errors
