"""A hub that loses power for a moment makes every stick in it look new."""

import io
from pathlib import Path

import pytest

from station.dashboard.plain import PlainView
from station.hotplug.targets import TargetHub
from station.job.order import OrderBook
from station.ledger.ledger import Ledger
from station.ledger.records import JobFilter, Tally
from station.supervisor.supervisor import RunName, Supervisor
from station.usb.guard import GuardPolicy
from station.verdict import RefusalReason
from tests.job.workshop import STICK_BYTES, fill_with_donors_data, offer_of, plant, profile_of

STICK_WHOLE_SECTORS = STICK_BYTES // 512 * 512


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    fill_with_donors_data(tmp_path / "stick.img", STICK_WHOLE_SECTORS)
    return tmp_path / "stick.img"


def plug_in(stick: Path, *, reloads: bool = False) -> Tally:
    folder = stick.parent
    book = OrderBook(profile_of(), [offer_of(plant(folder / "content", CONTENT), CONTENT)])
    hub = TargetHub([stick], GuardPolicy())
    try:
        with Ledger.open(str(folder / "ledger.sqlite")) as ledger:
            ledger.begin_run("test", "")
            return Supervisor(
                RunName(profile_of(), ""),
                hub=hub,
                book=book,
                ledger=ledger,
                view=PlainView(io.StringIO()),
                reloads=reloads,
            ).run()
    finally:
        hub.close()
        book.close()


CONTENT = {"a.txt": b"hello"}


def test_a_stick_that_passed_is_not_wiped_when_it_comes_again(stick: Path) -> None:
    assert plug_in(stick) == Tally(passed=1)
    loaded = stick.read_bytes()

    assert plug_in(stick) == Tally(refused=1)
    assert stick.read_bytes() == loaded
    with Ledger.open(str(stick.parent / "ledger.sqlite"), read_only=True) as ledger:
        *_, last = ledger.jobs(JobFilter())
        assert last.end is not None
        assert last.end.verdict.reason is RefusalReason.ALREADY_LOADED
        assert "passed as job 1" in last.end.verdict.detail


def test_it_is_loaded_anew_when_the_operator_asks_for_it(stick: Path) -> None:
    plug_in(stick)
    before = stick.read_bytes()

    assert plug_in(stick, reloads=True) == Tally(passed=1)
    assert stick.read_bytes() != before


def test_a_stick_whose_seal_is_gone_is_loaded_anew(stick: Path) -> None:
    plug_in(stick)
    with stick.open("r+b") as file:
        file.write(bytes(512))

    assert plug_in(stick) == Tally(passed=1)
