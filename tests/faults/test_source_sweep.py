"""At every moment of a job its bundle's files go wrong, in every way that files can.

A touch is each opening and reading of a file of the bundle, and each write to the stick: between
those nothing is asked of the source. After each case the stick is right bit by bit and passed, or
the reason is `source_changed` and sector 0 is zero; no stick is ever blamed.
"""

import errno
import mmap
import multiprocessing
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from enum import Enum, unique
from pathlib import Path
from random import Random

import pytest

from station.content.profile import BundleChoice, ErasePolicy
from station.content.selection import Offer
from station.content.source import Source
from station.device.direct import DirectDrive
from station.device.drive import Drive
from station.device.simulated import SimulatedDrive
from station.hotplug.virtual import VirtualHub, VirtualStick
from station.job.order import Order, OrderBook
from station.job.pipeline import make
from station.job.progress import Operation, Progress
from station.job.state import Stage
from station.ledger.ledger import Ledger
from station.supervisor.supervisor import RunName, Supervisor
from station.units import MIB
from station.verdict import PASSED, FailReason, Verdict
from tests.faults.one_run import TapedView
from tests.faults.sweep import every
from tests.job.workshop import (
    IDENTITY,
    STICK_BYTES,
    HookedDrive,
    Workshop,
    offer_of,
    plant,
    profile_of,
)

FILM, NOTE = "film.mp4", "README.TXT"
CONTENT = {FILM: Random(5).randbytes(9 * MIB + 123), NOTE: b"hello\n" * 100}
ZEROS = bytes(512)


@unique
class Way(Enum):
    """What happens to the bundle."""

    DELETED = "deleted"
    TRUNCATED = "cut short"
    EMPTIED = "emptied"
    GROWN = "grown"
    REPLACED = "another file of the same size in its place"
    CHANGED = "other bytes in place"
    CHANGED_UNSEEN = "other bytes in place, and the time of change set back"
    UNREADABLE = "a disk that fails"
    FOLDER_GONE = "all of the folder deleted"


def spoil(way: Way, film: Path) -> None:
    """Let it happen to a file, or to all of its folder."""
    size_bytes = film.stat().st_size
    match way:
        case Way.DELETED:
            film.unlink()
        case Way.TRUNCATED:
            os.truncate(film, size_bytes // 2)
        case Way.EMPTIED:
            os.truncate(film, 0)
        case Way.GROWN:
            with film.open("ab") as file:
                file.write(b"more")
        case Way.REPLACED:
            other = film.with_name("other")
            other.write_bytes(bytes(size_bytes))
            other.rename(film)
        case Way.CHANGED | Way.CHANGED_UNSEEN:
            write_over(film, seen=way is Way.CHANGED)
        case Way.FOLDER_GONE:
            shutil.rmtree(film.parent)
        case Way.UNREADABLE:
            pass  # from here on the readings themselves fail: see `Touches`


def write_over(film: Path, *, seen: bool) -> None:
    """Change some bytes in every chunk; unseen, with the time of the last change set back."""
    status = film.stat()
    with film.open("r+b") as file:
        for at_bytes in range(0, status.st_size, MIB // 2):
            file.seek(at_bytes)
            file.write(b"\0\0\0\0")
    if not seen:
        os.utime(film, ns=(status.st_atime_ns, status.st_mtime_ns))


class Touches:
    """Counts what is asked of a source and its drive, and lets something happen at the n-th.

    Args:
        folder: where the bundle lies.
        way: what happens.
        nth: at which touch, counted from 1; 0 never.
    """

    def __init__(self, folder: Path, way: Way, nth: int) -> None:
        self.count = 0
        self._folder = folder
        self._way = way
        self._nth = nth

    @property
    def has_struck(self) -> bool:
        return self.count >= self._nth > 0

    def touch(self) -> None:
        self.count += 1
        if self.count == self._nth:
            spoil(self._way, self._folder / FILM)

    def read(self) -> None:
        """Touch, and fail when the disk does."""
        self.touch()
        if self.has_struck and self._way is Way.UNREADABLE:
            raise OSError(errno.EIO, os.strerror(errno.EIO))


class _Module:
    """A module as a source sees it, with some of its functions replaced."""

    def __init__(self, module: object, **replaced: object) -> None:
        self._module = module
        self.__dict__.update(replaced)

    def __getattr__(self, name: str) -> object:
        return getattr(self._module, name)


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Callable[[Touches], None]:
    """Puts the count between the source and the kernel."""
    open_file = Source._open

    def start(touches: Touches) -> None:
        def opened(source: Source, index: int) -> int:
            touches.touch()
            return open_file(source, index)

        def preadv(descriptor: int, buffers: Sequence[memoryview], offset_bytes: int) -> int:
            touches.read()
            return os.preadv(descriptor, buffers, offset_bytes)

        def read(descriptor: int, length_bytes: int) -> bytes:
            touches.read()
            return os.read(descriptor, length_bytes)

        def mapped(descriptor: int, length_bytes: int, flags: int, protection: int) -> mmap.mmap:
            touches.read()
            return mmap.mmap(descriptor, length_bytes, flags, protection)

        monkeypatch.setattr(Source, "_open", opened)
        monkeypatch.setattr("station.content.source.os", _Module(os, preadv=preadv, read=read))
        monkeypatch.setattr("station.content.source.mmap", _Module(mmap, mmap=mapped))

    return start


def make_one(order: Order, drive: Drive, touches: Touches) -> Verdict:
    def touch(kind: Operation, _offset_bytes: int) -> None:
        if kind is Operation.WRITE:
            touches.touch()

    return make(order, IDENTITY, HookedDrive(drive, touch), Progress())


@pytest.mark.parametrize("way", list(Way))
def test_whenever_a_file_goes_wrong_the_stick_is_right_or_the_source_is_to_blame(
    memory_folder: Path, watch: Callable[[Touches], None], way: Way
) -> None:
    profile = profile_of(erase=ErasePolicy.QUICK)
    fates = Counter[str]()
    for nth in range(1 + list(Way).index(way) % every(3), 10_000, every(3)):
        shop = Workshop(memory_folder / str(nth))
        order = shop.order(profile, contents=CONTENT)
        touches = Touches(shop.content, way, nth)
        watch(touches)
        with closing(SimulatedDrive(shop.backing, STICK_BYTES)) as drive:
            verdict = make_one(order, drive, touches)
        for book in shop.books:
            book.close()
        what = f"{way.value} at touch {nth}: {verdict}"

        if verdict == PASSED:
            # The stick was empty before, so that also what is left as it was is zero.
            assert shop.backing.read_bytes() == shop.expected(order, CONTENT), what
        else:
            assert verdict.reason is FailReason.SOURCE_CHANGED, what
            assert shop.sector_0() == ZEROS, what
        if not touches.has_struck:
            break
        fates[str(verdict.reason or verdict.outcome)] += 1
        shutil.rmtree(shop.folder)

    assert fates[FailReason.SOURCE_CHANGED] > 0
    print(f"source {way.name}: {fates.total()} cases, {dict(fates)}")  # noqa: T201 - the sweep's count


def cut_short_at_each_write(folder: Path) -> None:
    """Load a stick past the page cache again and again, the mapped film cut short under it."""
    order = Workshop(folder).order(profile_of(erase=ErasePolicy.QUICK), contents=CONTENT)
    for nth in range(1, 200):
        plant(folder / "content", CONTENT)
        touches = Touches(folder / "content", Way.EMPTIED, nth)
        image = folder / "stick.img"
        image.write_bytes(b"")
        os.truncate(image, STICK_BYTES)
        with closing(DirectDrive.open_image(image)) as drive:
            verdict = make_one(order, drive, touches)
        if verdict.reason not in (None, FailReason.SOURCE_CHANGED):
            os._exit(2)
        if not touches.has_struck:
            os._exit(0)
    os._exit(3)


def test_a_mapped_file_that_is_cut_short_while_it_is_written_ends_no_process(
    tmp_path: Path,
) -> None:
    """What touches a mapping of a file that became shorter dies of a bus error."""
    child = multiprocessing.get_context("fork").Process(
        target=cut_short_at_each_write, args=(tmp_path,)
    )
    child.start()
    child.join()

    assert child.exitcode == 0


@dataclass(slots=True)
class TwoBundles:
    """A station whose large sticks take a bundle more than its small ones."""

    folder: Path

    LARGE_BYTES = 64 * MIB

    def offers(self) -> list[Offer]:
        extra = {"extra.mp4": Random(6).randbytes(28 * MIB)}
        return [
            offer_of(plant(self.folder / "films", CONTENT), CONTENT),
            offer_of(plant(self.folder / "extras", extra), extra, name="extras", is_required=False),
        ]

    def sticks(self) -> Iterator[VirtualStick]:
        yield VirtualStick("small", STICK_BYTES)
        yield VirtualStick("large", self.LARGE_BYTES)


@pytest.mark.parametrize("way", [Way.DELETED, Way.TRUNCATED, Way.CHANGED, Way.FOLDER_GONE])
def test_sticks_that_do_not_take_the_changed_bundle_pass_beside_those_that_do(
    tmp_path: Path, way: Way
) -> None:
    station = TwoBundles(tmp_path)
    profile = replace(
        profile_of(erase=ErasePolicy.QUICK),
        bundles=(BundleChoice(manifest="films"), BundleChoice(manifest="extras", required=False)),
    )
    book = OrderBook(profile, station.offers())
    spoil(way, tmp_path / "extras/extra.mp4")
    view = TapedView()
    hub = VirtualHub(list(station.sticks()), tmp_path)
    with closing(hub), closing(book), Ledger.open(str(tmp_path / "ledger")) as ledger:
        ledger.begin_run("test", "")
        Supervisor(RunName(profile, ""), hub=hub, book=book, ledger=ledger, view=view).run()

    assert {event.port: event.verdict.reason for event in view.ended} == {
        "small": None,
        "large": FailReason.SOURCE_CHANGED,
    }


def test_the_stages_in_which_files_are_read_are_the_load_and_the_blame(
    memory_folder: Path, watch: Callable[[Touches], None]
) -> None:
    """What the sweep rests on: a source is not asked for anything elsewhere."""
    shop = Workshop(memory_folder)
    order = shop.order(profile_of(erase=ErasePolicy.QUICK), contents=CONTENT)
    touches = Touches(shop.content, Way.DELETED, 0)
    watch(touches)
    seen: dict[Stage, int] = {}

    def note(_progress: Progress, stage: Stage) -> None:
        seen[stage] = touches.count

    with closing(SimulatedDrive(shop.backing, STICK_BYTES)) as drive:
        verdict = make(order, IDENTITY, drive, Progress(on_stage=note))
    for book in shop.books:
        book.close()

    assert verdict == PASSED
    assert seen[Stage.LOAD] == 0
    assert 0 < seen[Stage.VERIFY] == seen[Stage.SEAL] == touches.count
