import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from station.content.profile import ErasePolicy, ReadBack
from station.errors import DriveTooLargeError, DriveTooSmallError
from station.image.planner import VolumePlan, plan_volume
from station.job.order import Order, OrderBook
from station.job.state import Stage
from station.units import MIB
from tests.job.workshop import STICK_BYTES, Workshop, offer_of, profile_of

GB = 10**9
CONTENT = {"a.txt": b"a" * 1000}


def book_of(folder: Path) -> OrderBook:
    """A required bundle that fits everywhere and an optional one of 100 MiB."""
    optional = offer_of(
        folder, {f"songs/{n}.mp3": bytes(MIB) for n in range(100)}, name="songs", is_required=False
    )
    return OrderBook(profile_of(), [offer_of(folder, CONTENT, name="text"), optional])


def test_drives_of_one_capacity_share_one_plan(tmp_path: Path) -> None:
    book = book_of(tmp_path)

    assert book.order_for(STICK_BYTES, 512) is book.order_for(STICK_BYTES, 512)
    assert book.order_for(STICK_BYTES, 512) is not book.order_for(STICK_BYTES + 512, 512)
    assert book.order_for(GB, 512) is not book.order_for(GB, 4096)


def test_a_larger_drive_takes_what_a_smaller_one_has_no_room_for(tmp_path: Path) -> None:
    book = book_of(tmp_path)
    small, large = book.order_for(STICK_BYTES, 512), book.order_for(GB, 512)

    assert [offer.name for offer in small.selection.taken] == ["text"]
    assert [offer.name for offer in small.selection.left_out] == ["songs"]
    assert [offer.name for offer in large.selection.taken] == ["text", "songs"]
    assert len(large.digests) == len(large.source.files) == 101


def test_drives_that_take_the_same_bundles_read_the_same_open_files(tmp_path: Path) -> None:
    book = book_of(tmp_path)

    assert book.order_for(GB, 512).source is book.order_for(2 * GB, 512).source
    assert book.order_for(GB, 512).source is not book.order_for(STICK_BYTES, 512).source


def test_drives_that_come_all_at_once_are_planned_for_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = book_of(tmp_path)
    planned: list[int] = []

    def counted_plan(*arguments: Any, **options: Any) -> VolumePlan:
        planned.append(1)
        return plan_volume(*arguments, **options)

    monkeypatch.setattr("station.job.order.plan_volume", counted_plan)
    ready = threading.Barrier(16)

    def ask(_number: int) -> Order:
        ready.wait(timeout=60)
        return book.order_for(GB, 512)

    with ThreadPoolExecutor(16) as threads:
        orders = list(threads.map(ask, range(16)))

    assert len(planned) == 1
    assert {id(order) for order in orders} == {id(orders[0])}


def test_a_drive_that_is_too_small_or_too_large_is_told_each_time(tmp_path: Path) -> None:
    book = book_of(tmp_path)
    for _ in range(2):
        with pytest.raises(DriveTooSmallError):
            book.order_for(MIB, 512)
        with pytest.raises(DriveTooLargeError):
            book.order_for(10**16, 512)

    assert book.order_for(STICK_BYTES, 512).volume.content_bytes == 1000


@pytest.mark.parametrize("erase", ErasePolicy)
@pytest.mark.parametrize("read_back", ReadBack)
def test_stages_are_announced_in_their_order_with_what_they_transfer(
    workshop: Workshop, erase: ErasePolicy, read_back: ReadBack
) -> None:
    order = workshop.order(profile_of(erase, read_back))
    announced = dict(order.stage_bytes)
    end = order.volume.content_end_bytes

    assert announced.pop(Stage.WIPE, None) == (
        2 * STICK_BYTES if erase is ErasePolicy.TWO_PASS else None
    )
    loaded = end + MIB if erase is ErasePolicy.QUICK else STICK_BYTES
    assert announced[Stage.LOAD] == pytest.approx(loaded, abs=512)
    if erase is ErasePolicy.QUICK or read_back is ReadBack.FULL:
        assert announced[Stage.VERIFY] == announced[Stage.LOAD]
    else:
        assert end < announced[Stage.VERIFY] < end + (STICK_BYTES - end) // 5
    assert list(announced)[-2:] == [Stage.LOAD, Stage.VERIFY]
