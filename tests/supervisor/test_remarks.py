from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.device.drive import DriveInfo
from station.job.quality import Quality, SpeedProfile
from station.ledger.ledger import Ledger
from station.ledger.records import JobEnd, JobRow, JobStart, PassSpeeds
from station.supervisor.remarks import remarks_on, remarks_on_run
from station.verdict import PASSED, FailReason, failed

MB = 10**6
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
CRUZER = DriveInfo(
    "/dev/sdx",
    8_000 * MB,
    vendor="SanDisk",
    model="Cruzer",
    usb_id="0781:5151",
    link_mbps=480,
)


def even(mb_per_s: float) -> SpeedProfile:
    speed = mb_per_s * MB
    return SpeedProfile(speed, speed, speed, 0)


def passed(load: SpeedProfile | None = None, verify: SpeedProfile | None = None) -> JobRow:
    end = JobEnd(PASSED, quality=Quality(load, verify))
    return JobRow(7, "", NOON, NOON, JobStart(CRUZER, "A3", "films"), end)


def others(*load_mb_per_s: float | None) -> list[PassSpeeds]:
    return [
        PassSpeeds(100 + index, None if speed is None else speed * MB, None)
        for index, speed in enumerate(load_mb_per_s)
    ]


def test_a_stick_slower_than_half_of_its_kind_is_remarked_on() -> None:
    assert remarks_on(passed(even(4.9)), others(2, 10, 11)) == [
        "writes 4.9 MB/s, others of its kind 10 MB/s"
    ]


def test_reading_is_compared_with_reading() -> None:
    kind = [PassSpeeds(index, 10.0 * MB, 40.0 * MB) for index in range(100, 104)]

    assert remarks_on(passed(even(10), even(10)), kind) == [
        "reads 10 MB/s, others of its kind 40 MB/s"
    ]


@pytest.mark.parametrize(
    "kind",
    [
        [],
        others(10, 10),
        others(10, 10, None, None),
        others(9.8, 9.8, 9.8),
        [*others(10, 10), PassSpeeds(7, 10.0 * MB, None)],
    ],
    ids=["unknown kind", "two others", "two known", "half as fast", "two others and itself"],
)
def test_nothing_is_said_of_a_stick_without_three_much_faster_others(
    kind: list[PassSpeeds],
) -> None:
    assert remarks_on(passed(even(4.9)), kind) == []


@given(st.lists(st.floats(1, 100), max_size=20), st.floats(0.1, 200))
def test_never_more_than_half_of_a_kind_is_slower_than_its_kind(
    kind: list[float], speed: float
) -> None:
    speeds = [*kind, speed]
    told = [
        index
        for index, own in enumerate(speeds)
        if remarks_on(passed(even(own)), others(*speeds[:index], *speeds[index + 1 :]))
    ]

    assert len(told) <= len(speeds) / 2


def test_a_dead_region_is_remarked_on_with_its_place() -> None:
    dead = SpeedProfile(0.3 * MB, 11 * MB, 12 * MB, 3_200 * MB)

    assert remarks_on(passed(dead, even(20)), []) == [
        "almost stands still when writing at 3.2 GB: 300 KB/s, elsewhere 11 MB/s"
    ]
    assert remarks_on(passed(even(11), dead), []) == [
        "almost stands still when reading at 3.2 GB: 300 KB/s, elsewhere 11 MB/s"
    ]


def test_a_stick_of_which_nothing_was_measured_gives_no_reason_for_remarks() -> None:
    assert remarks_on(passed(), others(10, 10, 10)) == []


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A ledger in which yesterday three Cruzers wrote at 10 MB/s; today's run has begun."""
    location = str(tmp_path / "ledger.sqlite")
    with Ledger.open(location) as yesterday:
        yesterday.begin_run("films", "yesterday")
        for _ in range(3):
            enter(yesterday, CRUZER, 10)
    with Ledger.open(location) as today:
        today.begin_run("films", "today")
        yield today


def enter(ledger: Ledger, drive: DriveInfo, mb_per_s: float, *, passes: bool = True) -> int:
    job = ledger.start_job(JobStart(drive, "A3", "films"))
    verdict = PASSED if passes else failed(FailReason.REMOVED)
    ledger.end_job(job, JobEnd(verdict, quality=Quality(even(mb_per_s))))
    return job


def test_the_passes_of_this_run_are_held_against_those_of_all_runs(ledger: Ledger) -> None:
    enter(ledger, CRUZER, 9)
    slow = enter(ledger, CRUZER, 2)
    enter(ledger, CRUZER, 2, passes=False)
    enter(ledger, replace(CRUZER, usb_id="", model="image file"), 1)

    assert list(remarks_on_run(ledger)) == [
        f"A3 SanDisk Cruzer 8 GB [job {slow}]: writes 2 MB/s, others of its kind 10 MB/s"
    ]


def test_each_kind_has_its_own_usual_speed(ledger: Ledger) -> None:
    slower_kind = replace(CRUZER, model="Cruzer Mini")
    for _ in range(4):
        enter(ledger, slower_kind, 3)

    assert list(remarks_on_run(ledger)) == []


def test_a_run_without_passes_gives_no_reason_for_remarks(ledger: Ledger) -> None:
    assert list(remarks_on_run(ledger)) == []
