import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from station.cli.log_export import CSV_COLUMNS, defused, write_csv, write_json
from station.device.drive import DriveInfo
from station.job.quality import Quality, SpeedProfile
from station.job.state import Stage
from station.ledger.records import JobEnd, JobRow, JobStart
from station.text import printable
from station.verdict import PASSED, FailReason, failed

FORMULA_STARTS = "=+-@\t\r\n＝＋－＠"  # noqa: RUF001 - the full-width forms are what is meant
texts = st.text(st.characters(exclude_categories=()), max_size=12) | st.builds(
    str.__add__, st.sampled_from(FORMULA_STARTS), st.text(max_size=12)
)
moments = st.datetimes(timezones=st.just(UTC))
drives = st.builds(
    DriveInfo,
    node=texts,
    capacity_bytes=st.integers(0, 2**62),
    port=texts,
    vendor=texts,
    model=texts,
    serial=texts,
)
starts = st.builds(JobStart, drives, texts, texts, st.lists(texts, max_size=3).map(tuple), texts)
speeds = st.floats(1e-3, 1e12)
profiles = st.builds(SpeedProfile, speeds, speeds, speeds, st.integers(0, 2**62))
ends = st.builds(
    JobEnd,
    st.just(PASSED) | st.builds(failed, st.sampled_from(FailReason), texts),
    st.none() | st.integers(0, 2**32 - 1),
    stage_s=st.dictionaries(st.sampled_from(Stage), st.floats(0, 1e9)),
    quality=st.builds(
        Quality, st.none() | profiles, st.none() | profiles, st.integers(0, 16), st.floats(0, 1e9)
    ),
)
rows = st.builds(JobRow, st.integers(1), texts, moments, moments, starts, st.none() | ends)

PASSED_ROW = JobRow(
    job=7,
    batch="monday",
    started=datetime(2026, 1, 31, 9, 30, tzinfo=UTC),
    ended=datetime(2026, 1, 31, 9, 45, 0, 500, tzinfo=UTC),
    start=JobStart(
        DriveInfo("/dev/sdx", 8_000_000_000, diskseq=12, port="1-2", serial='0"1', link_mbps=480),
        "A1",
        "films",
        ("films", "books"),
        "overwrite",
        123,
    ),
    end=JobEnd(
        PASSED,
        0x1A2B003C,
        8_000_000_000,
        8_000_000_000,
        {"load": 600.0, "verify": 290.5},
        Quality(SpeedProfile(0.5e6, 13e6, 15e6, 67_108_864), None, 2, 20.5),
    ),
)


def as_csv(jobs: list[JobRow]) -> str:
    to = io.StringIO(newline="")
    write_csv(jobs, to)
    return to.getvalue()


def as_json(jobs: list[JobRow]) -> str:
    to = io.StringIO(newline="")
    write_json(jobs, to)
    return to.getvalue()


def test_json_names_fields_as_the_events_of_a_run_do() -> None:
    assert json.loads(as_json([PASSED_ROW])) == [
        {
            "job": 7,
            "batch": "monday",
            "started": "2026-01-31T09:30:00.000000Z",
            "ended": "2026-01-31T09:45:00.000500Z",
            "port": "1-2",
            "port_label": "A1",
            "drive": {
                "node": "/dev/sdx",
                "serial": '0"1',
                "vendor": "",
                "model": "",
                "capacity_bytes": 8_000_000_000,
                "diskseq": 12,
                "sector_bytes": 512,
                "usb_id": "",
                "link_mbps": 480,
            },
            "profile": "films",
            "bundles": ["films", "books"],
            "erase": "overwrite",
            "content_bytes": 123,
            "verdict": "pass",
            "reason": None,
            "detail": "",
            "volume_id": "1A2B-003C",
            "written_bytes": 8_000_000_000,
            "read_bytes": 8_000_000_000,
            "stage_s": {"load": 600.0, "verify": 290.5},
            "retries": 2,
            "longest_pause_s": 20.5,
            "load_speed": {
                "slowest_bytes_per_s": 500_000.0,
                "median_bytes_per_s": 13_000_000.0,
                "fastest_bytes_per_s": 15_000_000.0,
                "slowest_at_bytes": 67_108_864,
            },
            "verify_speed": None,
        }
    ]


def test_of_a_job_that_runs_json_tells_no_figures() -> None:
    (job,) = json.loads(as_json([replace(PASSED_ROW, ended=None, end=None)]))

    assert {name: job[name] for name in ("retries", "longest_pause_s", "load_speed")} == {
        "retries": None,
        "longest_pause_s": None,
        "load_speed": None,
    }


@given(st.lists(rows, max_size=4))
def test_json_is_one_list_in_ascii_with_one_job_a_line(jobs: list[JobRow]) -> None:
    written = as_json(jobs)

    assert written.isascii()
    assert [job["job"] for job in json.loads(written)] == [row.job for row in jobs]
    assert written.count("\n") == (len(jobs) + 2 if jobs else 1)


def test_csv_lays_a_job_flat_under_a_row_of_names() -> None:
    (record,) = csv.DictReader(io.StringIO(as_csv([PASSED_ROW])))

    assert tuple(record) == CSV_COLUMNS
    assert {name: value for name, value in record.items() if value} == {
        "job": "7",
        "batch": "monday",
        "started": "2026-01-31T09:30:00.000000Z",
        "ended": "2026-01-31T09:45:00.000500Z",
        "port": "1-2",
        "port_label": "A1",
        "node": "/dev/sdx",
        "serial": '0"1',
        "capacity_bytes": "8000000000",
        "diskseq": "12",
        "sector_bytes": "512",
        "link_mbps": "480",
        "profile": "films",
        "bundles": "films; books",
        "erase": "overwrite",
        "content_bytes": "123",
        "verdict": "pass",
        "volume_id": "1A2B-003C",
        "written_bytes": "8000000000",
        "read_bytes": "8000000000",
        "load_s": "600.0",
        "verify_s": "290.5",
        "retries": "2",
        "longest_pause_s": "20.5",
        "load_slowest_bytes_per_s": "500000.0",
        "load_median_bytes_per_s": "13000000.0",
        "load_fastest_bytes_per_s": "15000000.0",
        "load_slowest_at_bytes": "67108864",
    }


@given(st.lists(rows, max_size=4))
def test_csv_is_one_line_a_job_that_a_strict_reader_takes(jobs: list[JobRow]) -> None:
    written = as_csv(jobs)

    records: list[dict[str, Any]] = list(csv.DictReader(io.StringIO(written), strict=True))
    assert [record["job"] for record in records] == [str(row.job) for row in jobs]
    assert [record["serial"].removeprefix("'") for record in records] == [
        printable(row.start.drive.serial).removeprefix("'") for row in jobs
    ]
    assert written.count("\r\n") == written.count("\n") == 1 + len(jobs)


@given(rows)
def test_no_cell_of_csv_is_a_formula_or_drives_a_terminal(row: JobRow) -> None:
    _, cells = csv.reader(io.StringIO(as_csv([row])))

    assert not [cell for cell in cells if cell.startswith(tuple(FORMULA_STARTS))]
    assert not [cell for cell in cells if printable(cell) != cell]


@given(texts)
def test_defusing_adds_one_apostrophe_where_it_must_and_nothing_else(text: str) -> None:
    expected = "'" + text if text[:1] in set(FORMULA_STARTS) else text

    assert defused(text) == expected
