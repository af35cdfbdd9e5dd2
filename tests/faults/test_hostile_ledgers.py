"""A ledger that is damaged anywhere is read as far as it is right, or refused in one line."""

import shutil
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from station.device.drive import DriveInfo
from station.errors import StationError
from station.ledger.ledger import Ledger
from station.ledger.records import JobEnd, JobFilter, JobOrder, JobStart
from station.text import printable
from station.verdict import PASSED, FailReason, RefusalReason, failed, refused
from tests.faults.sweep import seeds

PAGE_BYTES = 4096


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with some history."""
    path = tmp_path_factory.mktemp("sound") / "ledger.sqlite"
    stick = DriveInfo("/dev/sdx", 8_000_000_000, vendor="SanDisk", model="Cruzer", serial="4C53")
    start = JobStart(stick, "A1", "films", ("films", "books"), "overwritten once", 7_000_000)
    with Ledger.open(str(path)) as ledger:
        ledger.begin_run("films", "monday")
        for number in range(12):
            ledger.refuse(start, refused(RefusalReason.IN_USE, "mounted"))
            reason = failed(FailReason.VERIFY_MISMATCH, f"at byte {number}")
            end = JobEnd(PASSED if number % 2 else reason, 7, 1, 2, {"load": 1.5})
            ledger.end_job(ledger.start_job(start), end)
        ledger.start_job(start)
    return path


def flip_bits(data: bytearray, chance: Random) -> None:
    for _ in range(chance.randrange(1, 40)):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def overwrite_page(data: bytearray, chance: Random) -> None:
    at_bytes = chance.randrange(len(data) // PAGE_BYTES) * PAGE_BYTES
    data[at_bytes : at_bytes + PAGE_BYTES] = chance.choice(
        [bytes(PAGE_BYTES), chance.randbytes(PAGE_BYTES)]
    )


def cut(data: bytearray, chance: Random) -> None:
    del data[chance.randrange(len(data)) :]


def overwrite_text(data: bytearray, chance: Random) -> None:
    """Leave the database whole, and make something else of what it says."""
    for word in (b"monday", b'["films"', b'{"load"', b"pass", b"2026-", b"SanDisk", b"fail"):
        if word in data and chance.random() < 0.5:
            at_bytes = data.index(word)
            data[at_bytes : at_bytes + len(word)] = chance.randbytes(len(word))


Damage = Callable[[bytearray, Random], None]


@pytest.mark.parametrize("damage", [flip_bits, overwrite_page, cut, overwrite_text])
def test_a_damaged_ledger_is_read_or_refused_and_never_a_crash(
    sound: Path, tmp_path: Path, damage: Damage
) -> None:
    fates = Counter[str]()
    for seed in seeds(25):
        data = bytearray(sound.read_bytes())
        damage(data, Random(seed))
        path = tmp_path / "ledger.sqlite"
        for is_writer in (False, True):
            for left_over in tmp_path.iterdir():
                left_over.unlink()
            path.write_bytes(data)
            complaint = complaint_of(write if is_writer else read, path)
            fates["refused" if complaint else "used"] += 1
            assert complaint == printable(complaint)
            assert complaint == "" or str(path) in complaint
    assert fates["refused"] > 0
    print(f"ledger after {damage.__name__}: {fates.total()} cases, {dict(fates)}")  # noqa: T201 - the sweep's count


def complaint_of(use: Callable[[Path], None], path: Path) -> str:
    """The line that a person sees; empty when the ledger could be used."""
    try:
        use(path)
    except StationError as error:
        return str(error)
    return ""


def read(path: Path) -> None:
    """What `station log` does."""
    with Ledger.open(str(path), read_only=True) as ledger:
        for order in JobOrder:
            list(ledger.jobs(JobFilter(order=order)))
        ledger.tally(datetime(2020, 1, 1, tzinfo=UTC))


def write(path: Path) -> None:
    """What `station run` does."""
    stick = DriveInfo("/dev/sdx", 8_000_000_000, usb_id="0781:5151", model="Cruzer")
    with Ledger.open(str(path)) as ledger:
        ledger.begin_run("films", "")
        job = ledger.start_job(JobStart(stick, "A1", "films"))
        ledger.end_job(job, JobEnd(PASSED))
        list(ledger.passes_of_this_run())
        ledger.kind_speeds(stick)


def test_a_sound_ledger_is_used(sound: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(sound, tmp_path / "ledger.sqlite"))
    read(path)
    write(path)
