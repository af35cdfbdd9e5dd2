import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from station.dashboard.picture import PictureView
from station.dashboard.snapshot import StationSnapshot
from station.errors import StationFaultError
from station.verdict import PASSED
from tests.dashboard.samples import done, station, working


def wait_until(holds: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def test_the_picture_follows_the_run_and_ends_with_its_last_moment(tmp_path: Path) -> None:
    path = tmp_path / "now.svg"
    now = station(working("A1"))
    view = PictureView(path, 80, 24, refresh_s=0.01)
    view.start(lambda: now)
    wait_until(path.exists)
    during = path.read_text(encoding="utf-8")
    now = station(done("A1", PASSED))
    view.stop()

    assert "PASS" not in during
    assert "PASS" in path.read_text(encoding="utf-8")
    assert [each.name for each in tmp_path.iterdir()] == ["now.svg"]


def test_nobody_ever_sees_half_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "now.svg"
    view = PictureView(path, 80, 24, refresh_s=0.001)
    view.start(lambda: station(working("A1")))
    wait_until(path.exists)
    seen = {path.read_text(encoding="utf-8").rstrip()[-6:] for _ in range(200)}
    view.stop()

    assert seen == {"</svg>"}


def test_others_may_look_at_the_picture(tmp_path: Path) -> None:
    view = PictureView(tmp_path / "now.svg", 80, 24)
    view.start(station)
    view.stop()

    assert (tmp_path / "now.svg").stat().st_mode & 0o777 == 0o644


def test_a_picture_that_can_not_be_written_is_told_of_at_the_end(tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    view = PictureView(folder / "now.svg", 80, 24)
    view.start(station)
    shutil.rmtree(folder)

    with pytest.raises(StationFaultError, match="No such file or directory"):
        view.stop()


def test_a_picture_that_can_not_be_drawn_is_told_of_at_the_end(tmp_path: Path) -> None:
    def broken() -> StationSnapshot:
        raise LookupError("no port")

    view = PictureView(tmp_path / "now.svg", 80, 24)
    view.start(broken)

    with pytest.raises(StationFaultError, match="LookupError"):
        view.stop()
    assert list(tmp_path.iterdir()) == []


def test_stopping_leaves_no_thread_behind_and_twice_is_once(tmp_path: Path) -> None:
    before = threading.active_count()
    view = PictureView(tmp_path / "now.svg", 80, 24)
    view.start(station)
    view.stop()
    view.stop()

    assert threading.active_count() == before
