from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from station.device.drive import DriveInfo
from station.errors import StationFaultError
from station.job.quality import Quality, SpeedProfile
from station.ledger.fault import JobEndedError
from station.ledger.ledger import Ledger
from station.ledger.records import JobEnd, JobFilter, JobRow, JobStart, PassSpeeds, Tally
from station.text import printable
from station.verdict import PASSED, FailReason, RefusalReason, failed, refused

Stick = Callable[..., JobStart]


class Clock(Protocol):
    """As the fixture of that name."""

    now: datetime

    def __call__(self) -> datetime: ...

    def advance(self, **step: float) -> None: ...


# Everything that a str can hold, lone surrogates included.
any_text = st.text(st.characters(exclude_categories=()), max_size=20)
byte_counts = st.integers(0, 2**62)
drives = st.builds(
    DriveInfo,
    node=any_text,
    capacity_bytes=byte_counts,
    sector_bytes=st.sampled_from([512, 4096]),
    diskseq=st.none() | st.integers(0, 2**63 - 1),
    port=any_text,
    vendor=any_text,
    model=any_text,
    serial=any_text,
    usb_id=any_text,
    link_mbps=st.none() | st.sampled_from([480, 5000]),
)
starts = st.builds(
    JobStart,
    drives,
    any_text,
    any_text,
    st.lists(any_text, max_size=4).map(tuple),
    any_text,
    byte_counts,
)
verdicts = st.just(PASSED) | st.builds(failed, st.sampled_from(FailReason), any_text)
speeds = st.none() | st.builds(
    lambda speed, faster, fastest, at_bytes: SpeedProfile(
        speed, speed * faster, speed * faster * fastest, at_bytes
    ),
    st.floats(1e-3, 1e12),
    st.floats(1, 100),
    st.floats(1, 100),
    byte_counts,
)
ends = st.builds(
    JobEnd,
    verdicts,
    st.none() | st.integers(0, 2**32 - 1),
    byte_counts,
    byte_counts,
    st.dictionaries(st.sampled_from(["load", "verify"]), st.floats(0, 1e9)),
    st.builds(Quality, speeds, speeds, st.integers(0, 16), st.floats(0, 1e9)),
)


def only_job(ledger: Ledger) -> JobRow:
    (row,) = ledger.jobs(JobFilter())
    return row


def stored_drive(drive: DriveInfo) -> DriveInfo:
    return DriveInfo(
        node=printable(drive.node),
        capacity_bytes=drive.capacity_bytes,
        sector_bytes=drive.sector_bytes,
        diskseq=drive.diskseq,
        port=printable(drive.port),
        vendor=printable(drive.vendor),
        model=printable(drive.model),
        serial=printable(drive.serial),
        usb_id=printable(drive.usb_id),
        link_mbps=drive.link_mbps,
    )


def test_a_job_without_an_end_is_running(ledger: Ledger, stick: Stick) -> None:
    job = ledger.start_job(stick())

    row = only_job(ledger)
    assert (row.job, row.ended, row.end) == (job, None, None)


def test_a_job_tells_when_it_began_and_ended(ledger: Ledger, stick: Stick, clock: Clock) -> None:
    began = clock.now
    job = ledger.start_job(stick())
    clock.advance(seconds=90.5)
    ledger.end_job(job, JobEnd(PASSED))

    row = only_job(ledger)
    assert (row.started, row.ended) == (began, began + timedelta(seconds=90.5))


def test_moments_come_back_with_their_time_zone(ledger: Ledger, stick: Stick) -> None:
    ledger.start_job(stick())

    assert only_job(ledger).started.utcoffset() == timedelta(0)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=starts, end=ends)
def test_whatever_a_stick_says_comes_back_in_its_printable_form(
    ledger: Ledger, start: JobStart, end: JobEnd
) -> None:
    job = ledger.start_job(start)
    ledger.end_job(job, end)

    (row,) = ledger.jobs(JobFilter(limit=1))
    assert row.start == JobStart(
        drive=stored_drive(start.drive),
        port_label=printable(start.port_label),
        profile=printable(start.profile),
        bundles=tuple(printable(name) for name in start.bundles),
        erase=printable(start.erase),
        content_bytes=start.content_bytes,
    )
    assert row.end is not None
    assert row.end.verdict.reason is end.verdict.reason
    assert row.end.verdict.detail == printable(end.verdict.detail)
    assert (row.end.volume_id, row.end.stage_s) == (end.volume_id, end.stage_s)
    assert (row.end.written_bytes, row.end.read_bytes) == (end.written_bytes, end.read_bytes)
    assert row.end.quality == end.quality


def test_a_second_end_is_refused_and_the_first_stands(ledger: Ledger, stick: Stick) -> None:
    job = ledger.start_job(stick())
    ledger.end_job(job, JobEnd(failed(FailReason.STALLED)))
    with pytest.raises(JobEndedError, match=f"job {job} has a verdict already"):
        ledger.end_job(job, JobEnd(PASSED))

    assert only_job(ledger).end == JobEnd(failed(FailReason.STALLED))


def test_a_job_that_was_never_started_can_not_end(ledger: Ledger) -> None:
    with pytest.raises(StationFaultError, match="FOREIGN KEY"):
        ledger.end_job(77, JobEnd(PASSED))

    assert list(ledger.jobs(JobFilter())) == []


def test_a_refused_drive_is_a_job_that_has_ended(ledger: Ledger, stick: Stick) -> None:
    refusal = refused(RefusalReason.IN_USE, "mounted at /mnt")
    job = ledger.refuse(stick(), refusal)

    row = only_job(ledger)
    assert (row.job, row.end, row.ended) == (job, JobEnd(refusal), row.started)


def test_only_a_refusal_refuses(ledger: Ledger, stick: Stick) -> None:
    with pytest.raises(ValueError, match="no refusal"):
        ledger.refuse(stick(), PASSED)

    assert list(ledger.jobs(JobFilter())) == []


def test_a_job_needs_a_run(location: Path, stick: Stick) -> None:
    with Ledger.open(str(location)) as ledger, pytest.raises(RuntimeError, match="begin_run"):
        ledger.start_job(stick())


def test_the_tally_counts_verdicts_from_a_moment_on(
    ledger: Ledger, stick: Stick, clock: Clock
) -> None:
    early = ledger.start_job(stick())
    late = ledger.start_job(stick())
    ledger.start_job(stick())
    ledger.end_job(early, JobEnd(PASSED))
    clock.advance(hours=1)
    midnight = clock.now
    ledger.end_job(late, JobEnd(PASSED))
    ledger.end_job(ledger.start_job(stick()), JobEnd(failed(FailReason.REMOVED)))
    ledger.refuse(stick(), refused(RefusalReason.NOT_USB))

    assert ledger.tally(midnight) == Tally(passed=1, failed=1, refused=1)


def test_the_tally_of_a_batch_leaves_others_out(
    ledger: Ledger, stick: Stick, location: Path, clock: Clock
) -> None:
    ledger.end_job(ledger.start_job(stick()), JobEnd(PASSED))
    with Ledger.open(str(location), clock=clock) as other:
        other.begin_run("films", "tuesday")
        other.end_job(other.start_job(stick()), JobEnd(failed(FailReason.IO_ERROR)))

    assert ledger.tally(clock.now, "monday") == Tally(passed=1)
    assert ledger.tally(clock.now, "tuesday") == Tally(failed=1)


def test_a_run_knows_its_own_passes(ledger: Ledger, stick: Stick, location: Path) -> None:
    passed = [ledger.start_job(stick()) for _ in range(3)]
    for job in passed:
        ledger.end_job(job, JobEnd(PASSED))
    ledger.end_job(ledger.start_job(stick()), JobEnd(failed(FailReason.REMOVED)))
    ledger.start_job(stick())
    with Ledger.open(str(location)) as other:
        other.begin_run("films", "tuesday")
        other.end_job(other.start_job(stick()), JobEnd(PASSED))

    assert [row.job for row in ledger.passes_of_this_run()] == passed


KIND = DriveInfo("/dev/sdx", 8 * 10**9, model="Cruzer \x1b", usb_id="0781:5151", link_mbps=480)


def pass_of(ledger: Ledger, drive: DriveInfo, load_bytes_per_s: float | None) -> int:
    speed = load_bytes_per_s
    profile = None if speed is None else SpeedProfile(speed / 2, speed, speed * 2, 0)
    job = ledger.start_job(JobStart(drive, "A1", "films"))
    ledger.end_job(job, JobEnd(PASSED, quality=Quality(load=profile)))
    return job


def test_of_one_kind_are_passes_of_the_same_usb_id_model_and_link(ledger: Ledger) -> None:
    first = pass_of(ledger, replace(KIND, node="/dev/sdy", serial="1"), 5e6)
    second = pass_of(ledger, KIND, None)
    pass_of(ledger, replace(KIND, model="Cruzer"), 1e6)
    pass_of(ledger, replace(KIND, usb_id="0781:5150"), 1e6)
    pass_of(ledger, replace(KIND, link_mbps=5000), 1e6)
    pass_of(ledger, replace(KIND, link_mbps=None), 1e6)
    failing = ledger.start_job(JobStart(KIND, "A1", "films"))
    ledger.end_job(failing, JobEnd(failed(FailReason.IO_ERROR)))

    assert ledger.kind_speeds(KIND) == [
        PassSpeeds(second, None, None),
        PassSpeeds(first, 5e6, None),
    ]


def test_an_unknown_link_is_a_link_speed_of_its_own(ledger: Ledger) -> None:
    job = pass_of(ledger, replace(KIND, link_mbps=None), 5e6)

    assert [one.job for one in ledger.kind_speeds(replace(KIND, link_mbps=None))] == [job]


def test_a_drive_without_a_usb_id_is_of_no_kind(ledger: Ledger) -> None:
    image = replace(KIND, usb_id="")
    pass_of(ledger, image, 5e6)

    assert ledger.kind_speeds(image) == []


def test_a_moment_without_a_time_zone_is_a_defect(ledger: Ledger, clock: Clock) -> None:
    with pytest.raises(Exception, match="no time zone"):
        ledger.tally(clock.now.replace(tzinfo=None))
