"""What a lead can ask of the ledger with `station log`."""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from station.cli.log_table import FAIL_MEANINGS, REFUSAL_MEANINGS, what_happened
from station.device.drive import DriveInfo
from station.job.quality import Quality, SpeedProfile
from station.ledger.ledger import Ledger
from station.ledger.records import JobEnd, JobStart
from station.verdict import PASSED, FailReason, RefusalReason, Verdict, failed, refused

Log = Callable[..., "subprocess.CompletedProcess[str]"]
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


def even(bytes_per_s: float) -> SpeedProfile:
    return SpeedProfile(bytes_per_s, bytes_per_s, bytes_per_s, 0)


@pytest.fixture(scope="module")
def location(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A batch of Monday with every end and a running job, and a batch of the next day."""
    path = tmp_path_factory.mktemp("log") / "ledger.sqlite"
    now = NOON
    with Ledger.open(str(path), clock=lambda: now) as ledger:
        ledger.begin_run("films", "monday")

        def start(label: str, **said: str) -> JobStart:
            return JobStart(DriveInfo("/dev/sdx", 8_000_000_000, **said), label, "films")  # type: ignore[arg-type] # only text is passed

        ledger.end_job(
            ledger.start_job(start("A1", vendor="SanDisk", model="Cruzer")),
            JobEnd(
                PASSED,
                quality=Quality(
                    SpeedProfile(1e5, 5e6, 6e6, 3_200_000_000), even(20e6), 2, longest_pause_s=0.5
                ),
            ),
        )
        fake = failed(FailReason.FAKE_CAPACITY, "1 GB found")
        ledger.end_job(
            ledger.start_job(start("A2", vendor="\x1b[2J[red]x")),
            JobEnd(fake, quality=Quality(longest_pause_s=60.0)),
        )
        ledger.refuse(start("A3"), refused(RefusalReason.IN_USE, "/dev/sdx1 on /mnt"))
        ledger.start_job(start("A4"))
        now = NOON + timedelta(days=1)
        ledger.begin_run("films", "tuesday")
        ledger.end_job(
            ledger.start_job(start("B1", serial="=1+1")),
            JobEnd(PASSED, quality=Quality(even(9e6), even(10e6), longest_pause_s=1.0)),
        )
    return path


@pytest.fixture
def log(location: Path) -> Log:
    def run(*options: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "station", "log", *options],
            env={**os.environ, "TZ": "UTC", "STATION_LEDGER": str(location), **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_the_table_fits_a_terminal_of_eighty_columns(log: Log) -> None:
    done = log(COLUMNS="80")

    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["Job", "Started", "Port", "Stick", "Verdict", "What", "happened"]
    assert lines[1].split()[:4] == ["1", "2026-01-31", "12:00", "A1"]
    assert [word for word in done.stdout.split() if word in ("PASS", "FAIL", "REFUSED")] == [
        "PASS",
        "FAIL",
        "REFUSED",
        "PASS",
    ]
    assert lines[-1] == "2 passed, 1 failed, 1 refused, 1 running"


def test_a_wide_terminal_shows_reason_batch_and_serial_on_one_line(log: Log) -> None:
    done = log(COLUMNS="200")

    lines = done.stdout.splitlines()
    assert len(lines) == 1 + 5 + 1
    assert "fake_capacity: holds less than it claims (1 GB found)" in lines[2]
    assert "tuesday" in lines[5]
    assert "=1+1" in lines[5]


def test_a_stick_can_not_drive_the_terminal(log: Log) -> None:
    done = log(COLUMNS="200")

    assert "\x1b" not in done.stdout
    assert r"\x1b[2J[red]x" in done.stdout


@pytest.mark.parametrize(
    ("options", "jobs"),
    [
        ((), [1, 2, 3, 4, 5]),
        (("--verdict", "fail", "--verdict", "refused"), [2, 3]),
        (("--since", "2026-02-01"), [5]),
        (("--until", "2026-01-31"), [1, 2, 3, 4]),
        (("--batch", "monday", "--limit", "2"), [3, 4]),
        (("--batch", "sunday"), []),
    ],
)
def test_options_choose_the_jobs(log: Log, options: tuple[str, ...], jobs: list[int]) -> None:
    done = log("--json", *options)

    assert [job["job"] for job in json.loads(done.stdout)] == jobs


@pytest.mark.parametrize(
    ("order", "jobs", "header", "figure_of_job_1"),
    [
        # The running and the refused job, and those of which nothing was measured, come first.
        ("started", [1, 2, 3, 4, 5], "Verdict", "PASS"),
        ("load-speed", [2, 3, 4, 5, 1], "Load", "5 MB/s"),
        ("verify-speed", [2, 3, 4, 1, 5], "Verify", "20 MB/s"),
        ("retries", [4, 2, 3, 5, 1], "Retries", "2"),
        ("pause", [4, 3, 1, 5, 2], "Pause", "0.5 s"),
    ],
)
def test_jobs_are_sorted_with_the_doubtful_ones_last_by_a_figure_that_is_shown(
    log: Log, order: str, jobs: list[int], header: str, figure_of_job_1: str
) -> None:
    lines = log("--sort", order, COLUMNS="80").stdout.splitlines()
    rows = {int(line.split()[0]): line for line in lines if " 2026-0" in line}

    assert list(rows) == jobs
    assert max(map(len, lines)) <= 80
    assert header in lines[0].split()
    assert f" {figure_of_job_1} " in rows[1]


def test_a_limit_keeps_the_most_doubtful_ones_also_the_other_way_round(log: Log) -> None:
    done = log("--json", "--sort", "load-speed", "--limit", "2", "--reverse")

    assert [job["job"] for job in json.loads(done.stdout)] == [1, 5]


def test_a_stick_that_needed_a_second_attempt_is_called_marginal(log: Log) -> None:
    lines = log(COLUMNS="200").stdout.splitlines()

    assert "marginal: 2 retries" in lines[1]
    assert "load almost stood still at 3.2 GB" in lines[1]
    assert not [line for line in lines[2:] if "marginal" in line or "stood still" in line]


def test_a_very_wide_terminal_shows_every_figure(log: Log) -> None:
    lines = log(COLUMNS="200").stdout.splitlines()

    assert lines[0].split()[7:11] == ["Load", "Verify", "Retries", "Pause"]
    assert "5 MB/s  20 MB/s        2   0.5 s  PASS" in lines[1]
    assert "0  60.0 s  FAIL" in lines[2]
    assert "A3    8 GB" in lines[3]
    assert "0 " not in lines[3].split("A3")[1].split("REFUSED")[0]


def test_csv_is_for_spreadsheets(log: Log) -> None:
    done = log("--csv")

    records = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [record["serial"] for record in records] == ["", "", "", "", "'=1+1"]


def test_nothing_that_matches_is_said_in_one_line(log: Log, location: Path) -> None:
    assert log("--batch", "sunday").stdout == f"No job in the ledger {location} matches.\n"


def test_a_ledger_without_jobs_is_said_to_be_empty(log: Log, tmp_path: Path) -> None:
    fresh = tmp_path / "fresh.sqlite"
    Ledger.open(str(fresh)).close()

    assert log("--ledger", str(fresh)).stdout == f"The ledger {fresh} holds no job yet.\n"


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--ledger", "/nowhere/ledger.sqlite"), "there is no ledger at /nowhere/ledger.sqlite"),
        (("--sort", "colour"), "'colour' is not one of"),
        (("--json", "--csv"), "--json and --csv exclude each other"),
        (("--since", "soon"), "'soon' is no date or time"),
        (("--since", "2026-02-01", "--until", "2026-01-31"), "lies after --until"),
    ],
)
def test_bad_usage_is_one_line_and_exit_code_2(
    log: Log, options: tuple[str, ...], complaint: str
) -> None:
    done = log(*options)

    assert (done.returncode, done.stdout) == (2, "")
    assert complaint in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("form", ["--json", "--csv", "--limit=2000"])
def test_a_reader_who_leaves_is_no_error_of_ours(tmp_path: Path, form: str) -> None:
    long = tmp_path / "long.sqlite"
    with Ledger.open(str(long)) as ledger:
        ledger.begin_run("films", "")
        # More than a pipe holds, in few rows.
        refusal = refused(RefusalReason.IN_USE, "x" * 40_000)
        for _ in range(5):
            ledger.refuse(JobStart(DriveInfo("/dev/sdx", 8), "A1", "films"), refusal)
    command = [sys.executable, "-m", "station", "log", form, "--ledger", str(long)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(1)
        process.stdout.close()
        complaints = process.stderr.read()

    assert complaints == b""


def test_every_reason_is_explained() -> None:
    assert set(FAIL_MEANINGS) == set(FailReason)
    assert set(REFUSAL_MEANINGS) == set(RefusalReason)


@pytest.mark.parametrize(
    ("verdict", "line"),
    [
        (PASSED, ""),
        (
            failed(FailReason.WRITE_PROTECTED),
            "write_protected: took writes without effect",
        ),
        (
            refused(RefusalReason.WRITE_PROTECTED, "/dev/sdx"),
            "write_protected: locked against writing (/dev/sdx)",
        ),
    ],
)
def test_a_reason_comes_with_its_meaning_and_what_was_found(verdict: Verdict, line: str) -> None:
    assert what_happened(verdict) == line
