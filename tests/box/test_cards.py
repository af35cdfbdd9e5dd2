"""A card reader: each slot is a port of its own, whose cards come and go while the reader stays.

Its slots but the last one are taught, by `station ports teach --slots`; then a station runs with
that map.
"""

import textwrap
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from station.ledger.records import JobRow
from station.usb.labels import Port, load_port_map
from tests.box.machine import GUEST_EXCHANGE, Machine
from tests.box.reader import SOCKET, CardReader
from tests.box.station_run import VERDICTS, StationRun, Told

pytestmark = pytest.mark.timeout(1200)

MIB = 1 << 20
CAPACITY_BYTES = 64 * MIB
# Large enough to be taken out before it is loaded, however fast the machine is.
PULLED_CAPACITY_BYTES = 512 * MIB
# Below the profile's limit: what is refused shows every byte that was written by mistake.
SMALL_CAPACITY_BYTES = 32 * MIB
DONOR = b"\xd1" * MIB
LABELS = ("C1", "C2", "C3")
UNTAUGHT = f"{SOCKET}:lun3"
PATIENCE_S = 600.0


@dataclass(frozen=True, slots=True)
class Session:
    """What became of all cards.

    Attributes:
        port_map: what was taught.
        tree: the ports, as `station ports list` draws them.
        told: what the station said.
        jobs: what stands in its ledger.
        cards: the files of the cards, by their name.
    """

    port_map: tuple[Port, ...]
    tree: str
    told: list[Told]
    jobs: list[JobRow]
    cards: dict[str, Path]

    def at(self, label: str, *events: str) -> list[Told]:
        return [told for told in self.told if told.port == label and told.event in events]

    def verdicts(self, label: str) -> list[tuple[str | None, str | None]]:
        return [(told.verdict, told.reason) for told in self.at(label, *VERDICTS)]


class Cards:
    """Cards with a donor's data on them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.files: dict[str, Path] = {}

    def new(self, name: str, capacity_bytes: int = CAPACITY_BYTES) -> Path:
        path = self.files[name] = self._folder / f"card-{name}"
        with path.open("xb") as file:
            for _ in range(capacity_bytes // MIB):
                file.write(DONOR)
        return path


@pytest.fixture(scope="module")
def cards(machine: Machine) -> Iterator[Cards]:
    cards = Cards(machine.exchange)
    yield cards
    for file in cards.files.values():
        file.unlink()


@pytest.fixture(scope="module")
def reader(machine: Machine, cards: Cards) -> Iterator[CardReader]:
    # In this order: the reader lets go of the cards before they are thrown away.
    assert not cards.files
    reader = CardReader.plug(machine, slots=len(LABELS) + 1)
    yield reader
    reader.unplug()


def teach(machine: Machine, reader: CardReader, card: Path) -> tuple[Port, ...]:
    """One card wanders from slot to slot."""
    process = machine.start(
        *("station", "ports", "teach", "--slots", "--labels", ",".join(LABELS)),
        *("--map", GUEST_EXCHANGE / "cards.toml"),
    )
    for slot, label in enumerate(LABELS):
        deadline = time.monotonic() + PATIENCE_S
        while f"ocket {label}." not in (said := process.stdout.read_text()):
            assert process.poll() is None, process.stderr.read_text()
            assert time.monotonic() < deadline, said
            time.sleep(0.2)
        if slot:
            reader.eject(slot - 1)
        reader.insert({slot: card})
    assert process.wait(PATIENCE_S) == 0, process.stderr.read_text()
    reader.eject(len(LABELS) - 1)
    return load_port_map(machine.exchange / "cards.toml").ports


def await_load(run: StationRun, label: str, cards: int) -> None:
    """Wait until some of the last of this many cards of a slot is written."""
    diskseq = run.await_at(label, cards, "inserted")[-1].diskseq
    deadline = time.monotonic() + PATIENCE_S
    while not any(
        (told.diskseq, told.stage) == (diskseq, "load") for told in run.at(label, "progress")
    ):
        assert not any(told.diskseq == diskseq for told in run.at(label, *VERDICTS))
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture(scope="module")
def session(machine: Machine, bundle: Path, reader: CardReader, cards: Cards) -> Session:
    assert bundle.is_dir()
    port_map = teach(machine, reader, cards.new("wandering"))
    port_options = ("--map", GUEST_EXCHANGE / "cards.toml")
    tree = machine.run("station", "ports", "list", *port_options)
    run = StationRun.start(machine, "cards", "--ports", GUEST_EXCHANGE / "cards.toml")
    run.await_start()

    reader.insert({0: cards.new("one"), 1: cards.new("two"), 3: cards.new("untaught")})
    for label in ("C1", "C2", UNTAUGHT):
        run.await_at(label, 1, *VERDICTS)
    reader.eject(0, 1)
    for label in ("C1", "C2"):
        run.await_at(label, 1, "removed")

    reader.insert({0: cards.new("next in its slot"), 2: cards.new("pulled", PULLED_CAPACITY_BYTES)})
    await_load(run, "C3", cards=1)
    reader.eject(2)
    run.await_at("C3", 1, "removed")
    run.await_at("C3", 1, *VERDICTS)
    run.await_at("C1", 2, *VERDICTS)

    reader.insert({1: cards.new("swapped out", PULLED_CAPACITY_BYTES)})
    await_load(run, "C2", cards=2)
    reader.swap(1, cards.new("swapped in", SMALL_CAPACITY_BYTES))
    run.await_at("C2", 3, *VERDICTS)
    run.stop()
    return Session(port_map, tree, list(run.told()), run.jobs(), cards.files)


def test_each_slot_is_taught_as_a_port_of_its_own(session: Session) -> None:
    names = (SOCKET, f"{SOCKET}:lun1", f"{SOCKET}:lun2")

    assert session.port_map == tuple(map(Port, names, LABELS))
    assert all(label in session.tree for label in LABELS)


def test_empty_slot_is_no_drive(session: Session) -> None:
    inserted = [told.port for told in session.told if told.event == "inserted"]

    assert sorted(inserted) == sorted(["C1", "C1", "C2", "C2", "C2", "C3", UNTAUGHT])


@pytest.mark.parametrize(("label", "card"), [("C1", "one"), ("C2", "two")])
def test_cards_in_two_slots_are_two_drives(session: Session, label: str, card: str) -> None:
    assert session.verdicts(label)[0] == ("pass", None)
    assert DONOR[:512] not in session.cards[card].read_bytes()


def test_slot_that_was_not_taught_is_refused(session: Session) -> None:
    assert session.verdicts(UNTAUGHT) == [("refused", "port_not_taught")]
    assert is_untouched(session.cards["untaught"])


def test_next_card_in_a_slot_is_another_drive(session: Session) -> None:
    first, second = session.at("C1", "inserted")
    (gone,) = session.at("C1", "removed")

    assert gone.diskseq == first.diskseq != second.diskseq
    assert session.verdicts("C1") == [("pass", None), ("pass", None)]
    assert DONOR[:512] not in session.cards["next in its slot"].read_bytes()


def test_card_that_is_taken_out_while_it_is_loaded_is_removed(session: Session) -> None:
    assert session.verdicts("C3") == [("fail", "removed")]
    assert session.cards["pulled"].read_bytes()[:512] == bytes(512)


def test_card_that_takes_anothers_place_gets_nothing_of_its_job(session: Session) -> None:
    assert session.verdicts("C2")[1:] == [("fail", "removed"), ("refused", "too_small")]
    assert is_untouched(session.cards["swapped in"])
    assert session.cards["swapped out"].read_bytes()[:512] == bytes(512)


def test_ledger_holds_one_job_for_each_card(session: Session) -> None:
    inserted = sorted(told.diskseq for told in session.told if told.event == "inserted")
    in_ledger = sorted(job.start.drive.diskseq or 0 for job in session.jobs if job.end)

    assert in_ledger == inserted


def test_drive_that_is_open_reaches_no_other_card(
    machine: Machine, reader: CardReader, cards: Cards
) -> None:
    # The kernel itself takes writes again through the old descriptor, once it knows the new card.
    program = """
        import sys, time
        from pathlib import Path

        from station.device.buffer import aligned_buffer
        from station.device.direct import DirectDrive

        node, opened, diskseq = map(Path, sys.argv[1:])
        before = int(diskseq.read_text())
        drive = DirectDrive.open_device(node)
        opened.touch()
        while int(diskseq.read_text()) < before + 2:
            time.sleep(0.05)
        try:
            drive.write(0, aligned_buffer(512))
        except OSError as error:
            print(error.strerror)
    """
    last = len(LABELS)
    reader.eject(last)
    reader.insert({last: cards.new("open", SMALL_CAPACITY_BYTES)})
    node = reader.disk(last)
    size = f"/sys/block/{node.name}/size"
    machine.run("sh", "-c", 'until [ "$(cat "$0")" = "$1" ]; do sleep 0.1; done', size, "65536")
    is_open = GUEST_EXCHANGE / "card-is-open"
    writer = machine.start(
        *("python3", "-c", textwrap.dedent(program), node, is_open),
        f"/sys/block/{node.name}/diskseq",
    )
    machine.run("sh", "-c", 'until [ -e "$0" ]; do sleep 0.1; done', is_open)
    # Long enough for the kernel to see the slot empty: it looks every two seconds.
    reader.swap(last, cards.new("next", SMALL_CAPACITY_BYTES), pause_s=3.0)

    assert writer.wait(PATIENCE_S) == 0, writer.stderr.read_text()
    assert writer.stdout.read_text().strip() == "another medium is there by now"
    assert is_untouched(cards.files["next"])


def is_untouched(card: Path) -> bool:
    return card.read_bytes() == DONOR * (card.stat().st_size // MIB)
