import io
import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.dashboard.event import (
    DriveInserted,
    DriveRemoved,
    JobEnded,
    LinksMeasured,
    RunEnded,
    StageBegan,
    StageProgressed,
    StationEvent,
)
from station.dashboard.json_lines import JsonLinesView, json_object
from station.dashboard.plain import PlainEvent, PlainView, line_of
from station.dashboard.view import View
from station.device.drive import DriveInfo
from station.errors import StationFaultError
from station.job.state import Stage
from station.usb.bus import Link, LinkLoad
from station.usb.link_watch import LinkUse
from station.verdict import PASSED, FailReason, RefusalReason, failed, refused
from tests.dashboard.samples import CRUZER, NOON, hostile_text


def progressed(after_s: float, percent: int) -> StageProgressed:
    return StageProgressed(
        time=NOON + timedelta(seconds=after_s),
        port="A3",
        drive=CRUZER,
        job=7,
        stage=Stage.LOAD,
        done_bytes=percent * 10**7,
        total_bytes=10**9,
        speed_bytes_per_s=23.4e6,
        left_s=252.0,
    )


FAKE = failed(FailReason.FAKE_CAPACITY, "block at 4 GB\x1b[31m is \u202e lost")
EVERY_EVENT: tuple[PlainEvent, ...] = (
    DriveInserted(NOON, "A3", CRUZER),
    StageBegan(NOON, "A3", CRUZER, 7, Stage.LOAD, 10**9),
    progressed(0, 30),
    JobEnded(NOON, "A3", CRUZER, 7, PASSED),
    JobEnded(NOON, "A3", CRUZER, 7, FAKE),
    JobEnded(NOON, "A3", CRUZER, 7, refused(RefusalReason.TOO_LARGE)),
    DriveRemoved(NOON, "A3", CRUZER),
    RunEnded(NOON, 12, 1, 2, 432.0),
)
LINK = Link("0000:00:14.0", 1, 480)


def measured(after_s: float, *megabytes_per_s: float) -> LinksMeasured:
    """The load of the link of A1 and A2 at a time; nothing when it is idle."""
    loads = (LinkLoad(LINK, ("A1", "A2"), each * 1e6) for each in megabytes_per_s)
    return LinksMeasured(NOON + timedelta(seconds=after_s), tuple(loads))


def plain(*events: StationEvent) -> list[str]:
    stream = io.StringIO()
    view = PlainView(stream)
    for event in events:
        view.tell(event)
    view.stop()
    return stream.getvalue().splitlines()


FAKE_LINE = (
    "A3   SanDisk Cruzer 8 GB  FAIL fake_capacity -> BIN: counterfeit: not the size it claims"
    " (block at 4 GB\\x1b[31m is \\u202e lost) [job 7]"
)
REFUSED_LINE = (
    "A3   SanDisk Cruzer 8 GB  REFUSED too_large -> BACK: too big for this profile: take it back"
    " [job 7]"
)


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (EVERY_EVENT[0], "A3   SanDisk Cruzer 8 GB  inserted"),
        (EVERY_EVENT[1], "A3   SanDisk Cruzer 8 GB  load 1 GB"),
        (EVERY_EVENT[2], "A3   SanDisk Cruzer 8 GB  load 30 %  23.4 MB/s  4:12 left"),
        (EVERY_EVENT[3], "A3   SanDisk Cruzer 8 GB  PASS -> PULL: ready: pull it out [job 7]"),
        (EVERY_EVENT[4], FAKE_LINE),
        (EVERY_EVENT[5], REFUSED_LINE),
        (EVERY_EVENT[6], "A3   SanDisk Cruzer 8 GB  removed"),
        (EVERY_EVENT[7], "12 passed, 1 failed, 2 refused in 7:12"),
    ],
)
def test_every_event_has_its_line_with_the_local_time(event: PlainEvent, line: str) -> None:
    assert line_of(event) == f"{NOON.astimezone():%H:%M:%S} {line}"


NOTED = RunEnded(NOON, 12, 1, 2, 432.0, ("A3 Cruzer [job 7]: slow", "A4 \x1b[31m\n [job 8]: dead"))


def test_the_notes_of_a_run_stand_above_its_counts_one_to_a_line_and_safe_to_show() -> None:
    lines = [line.split(" ", 1)[1] for line in plain(NOTED)]

    assert lines == [
        "note: A3 Cruzer [job 7]: slow",
        "note: A4 \\x1b[31m\\x0a [job 8]: dead",
        "12 passed, 1 failed, 2 refused in 7:12",
    ]


def test_json_has_the_notes_of_a_run_as_a_list() -> None:
    assert json_object(NOTED)["notes"] == list(NOTED.notes)


def test_a_link_that_stays_full_is_told_once_and_once_more_when_it_has_room() -> None:
    lines = plain(
        *(measured(second, 38) for second in range(60)),
        *(measured(second, 12) for second in range(60, 90)),
        *(measured(second) for second in range(90, 120)),
    )

    assert [line.split(" ", 1)[1] for line in lines] == [
        "A1…A2: USB 2 link full, 38 of ~40 MB/s: plug the next one elsewhere",
        "A1…A2: USB 2 link has room again",
    ]


def test_a_link_whose_sticks_have_ended_has_room_again() -> None:
    lines = plain(*(measured(second, 38) for second in range(20)), measured(20), measured(31))

    assert [line.split("link ")[1].split(",")[0] for line in lines] == ["full", "has room again"]


@given(st.lists(st.sampled_from([None, 5.0, 33.0, 35.0, 45.0]), max_size=120))
def test_however_a_links_load_jumps_the_log_is_not_flooded(loads: list[float | None]) -> None:
    lines = plain(
        *(
            measured(second) if load is None else measured(second, load)
            for second, load in enumerate(loads)
        )
    )

    assert len(lines) <= len(loads) / 10
    said = ["full," in line for line in lines]
    assert said == [number % 2 == 0 for number in range(len(said))]


BUSY = replace(NOTED, full_links=(LinkUse(LINK, ("A1", "A2"), 301.0), LinkUse(LINK, ("B1",), 2.0)))


def test_the_end_of_a_run_says_how_long_a_link_was_full() -> None:
    lines = [line.split(" ", 1)[1] for line in plain(BUSY)]

    assert lines[0] == "A1…A2: USB 2 link full for 5:01 of 7:12"
    assert not any("B1" in line for line in lines)


def test_json_has_every_link_with_its_ports_and_what_it_carries() -> None:
    assert json_object(measured(0, 38))["links"] == [
        {
            "controller": "0000:00:14.0",
            "root_port": 1,
            "mbps": 480,
            "ports": ["A1", "A2"],
            "bytes_per_s": 38e6,
            "capacity_bytes_per_s": 40e6,
            "full": True,
        }
    ]
    assert json_object(BUSY)["full_links"] == [
        {
            "controller": "0000:00:14.0",
            "root_port": 1,
            "mbps": 480,
            "ports": ports,
            "full_s": full_s,
        }
        for ports, full_s in ((["A1", "A2"], 301.0), (["B1"], 2.0))
    ]


def test_progress_is_told_at_each_tenth_but_not_more_often_than_every_ten_seconds() -> None:
    began = StageBegan(NOON, "A3", CRUZER, 7, Stage.LOAD, 10**9)
    slow = plain(began, *(progressed(2 * percent, percent) for percent in range(1, 100)))
    fast = plain(began, *(progressed(percent / 10, percent) for percent in range(1, 100)))

    assert [line.split("load ")[1].split(" %")[0] for line in slow[1:]] == [
        str(tenth) for tenth in range(10, 100, 10)
    ]
    assert len(fast) == 1


def test_a_stick_at_rest_has_no_time_left_to_tell() -> None:
    line = line_of(replace(progressed(0, 30), speed_bytes_per_s=0.0, left_s=float("inf")))

    assert line.endswith("load 30 %  0 B/s")


def test_a_crawling_stick_is_told_of_every_minute() -> None:
    began = StageBegan(NOON, "A3", CRUZER, 7, Stage.LOAD, 10**9)
    lines = plain(began, *(progressed(after_s, 1) for after_s in range(1, 181)))

    assert len(lines) == 1 + 3


@given(hostile_text, hostile_text, hostile_text)
def test_no_stick_can_break_a_line_or_drive_the_terminal_of_a_log(
    vendor: str, port: str, detail: str
) -> None:
    drive = DriveInfo("/dev/sdq", 10**9, vendor=vendor)
    line = line_of(JobEnded(NOON, port, drive, 1, failed(FailReason.IO_ERROR, detail)))

    assert line.isprintable()


def test_a_stream_that_cannot_encode_a_name_gets_it_escaped() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    PlainView(stream).tell(DriveInserted(NOON, "가", CRUZER))

    assert b"\\uac00" in raw.getvalue()


def test_json_has_the_same_four_keys_first_for_every_event() -> None:
    for event in (*EVERY_EVENT, measured(0, 38)):
        assert list(json_object(event))[:4] == ["event", "time", "port", "drive"]


def test_json_describes_a_drive_as_the_contract_says() -> None:
    assert json_object(EVERY_EVENT[0]) == {
        "event": "inserted",
        "time": NOON.astimezone().isoformat(),
        "port": "A3",
        "drive": {
            "node": "/dev/sdq",
            "serial": "4C53",
            "vendor": "SanDisk",
            "model": "Cruzer",
            "capacity_bytes": 8_000_000_000,
            "diskseq": 41,
        },
    }


@pytest.mark.parametrize(
    ("event", "fields"),
    [
        (EVERY_EVENT[1], {"event": "stage", "stage": "load", "job": 7, "total_bytes": 10**9}),
        (
            EVERY_EVENT[2],
            {
                "event": "progress",
                "stage": "load",
                "job": 7,
                "done_bytes": 3 * 10**8,
                "total_bytes": 10**9,
                "speed_bytes_per_s": 23.4e6,
                "left_s": 252.0,
            },
        ),
        (EVERY_EVENT[3], {"event": "verdict", "verdict": "pass", "reason": None, "job": 7}),
        (EVERY_EVENT[4], {"event": "verdict", "verdict": "fail", "reason": "fake_capacity"}),
        (
            EVERY_EVENT[5],
            {"event": "refused", "verdict": "refused", "reason": "too_large", "job": 7},
        ),
        (EVERY_EVENT[6], {"event": "removed"}),
        (
            EVERY_EVENT[7],
            {
                "event": "summary",
                "passed": 12,
                "failed": 1,
                "refused": 2,
                "elapsed_s": 432.0,
                "notes": [],
                "full_links": [],
            },
        ),
    ],
)
def test_json_tells_each_event(event: StationEvent, fields: dict[str, object]) -> None:
    assert json_object(event).items() >= fields.items()


def test_json_times_name_their_offset() -> None:
    here = timezone(timedelta(hours=9))
    event = DriveInserted(datetime(2025, 11, 20, 21, 3, 7, tzinfo=here), "A3", CRUZER)
    time = datetime.fromisoformat(str(json_object(event)["time"]))

    assert time.tzinfo is not None
    assert time.astimezone(UTC) == NOON


@given(hostile_text, st.floats(), st.floats())
def test_json_is_ascii_on_one_line_and_reads_back_whatever_a_stick_says(
    vendor: str, speed: float, left_s: float
) -> None:
    stream = io.StringIO()
    drive = DriveInfo("/dev/sdq", 10**9, vendor=vendor)
    JsonLinesView(stream).tell(
        StageProgressed(NOON, "A3", drive, 1, Stage.LOAD, 1, 2, speed, left_s)
    )
    line = stream.getvalue()

    assert line.isascii()
    assert line.endswith("}\n")
    assert line[:-1].isprintable()
    assert json.loads(line)["drive"]["vendor"] == vendor


@pytest.mark.parametrize("make", [PlainView, JsonLinesView])
def test_each_line_is_there_at_once(make: type[PlainView | JsonLinesView], tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("w") as stream:
        make(stream).tell(EVERY_EVENT[0])

        assert path.read_text().count("\n") == 1


@pytest.mark.parametrize("make", [PlainView, JsonLinesView])
def test_a_reader_who_leaves_does_not_end_the_run(
    make: type[PlainView | JsonLinesView],
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream:
        view: View = make(stream)
        for event in EVERY_EVENT:
            view.tell(event)
        view.stop()
        # What the interpreter does at exit.
        stream.flush()


@pytest.mark.parametrize("make", [PlainView, JsonLinesView])
def test_a_full_disk_does_not_end_the_run_but_is_told_at_its_end(
    make: type[PlainView | JsonLinesView],
) -> None:
    with Path("/dev/full").open("w") as stream:
        view: View = make(stream)
        view.tell(EVERY_EVENT[0])
        with pytest.raises(StationFaultError, match="No space left on device"):
            view.stop()
