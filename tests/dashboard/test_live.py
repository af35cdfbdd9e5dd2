import io
import itertools
import os
import pty
import shlex
import shutil
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rich.console import Console

from station.dashboard import keyboard
from station.dashboard.event import DriveInserted, JobEnded, RunEnded
from station.dashboard.frame import compose
from station.dashboard.live import LiveView, can_show
from station.dashboard.snapshot import StationSnapshot, Tile
from station.errors import StationFaultError
from station.verdict import PASSED, FailReason, failed
from tests.dashboard.samples import CRUZER, NOON, done, station, working

ALT_SCREEN, NORMAL_SCREEN = "\x1b[?1049h", "\x1b[?1049l"
PATIENCE_S = 20
LOCAL_MODES = 3


def terminal(width: int = 80, height: int = 24) -> tuple[Console, io.StringIO]:
    file = io.StringIO()
    return Console(file=file, width=width, height=height, force_terminal=True, _environ={}), file


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > deadline:
            pytest.fail(f"did not come true within {PATIENCE_S} s")
        time.sleep(0.01)


class Sampler:
    """Gives one snapshot after the other, and the last one for ever."""

    def __init__(self, *snapshots: StationSnapshot) -> None:
        self._snapshots = itertools.chain(snapshots, itertools.repeat(snapshots[-1]))
        self.taken = 0

    def __call__(self) -> StationSnapshot:
        self.taken += 1
        return next(self._snapshots)


def test_the_terminal_is_given_back_with_what_did_not_pass_and_the_summary() -> None:
    console, file = terminal()
    sample = Sampler(station(working("A1")))
    view = LiveView(console, refresh_s=0.01)
    view.start(sample)
    view.tell(JobEnded(NOON, "A1", CRUZER, 1, PASSED))
    view.tell(JobEnded(NOON, "A2", CRUZER, 2, failed(FailReason.FAKE_CAPACITY)))
    view.tell(RunEnded(NOON, 1, 1, 0, 76.0, ("B7 Cruzer [job 1]: \x1bslow",)))
    wait_until(lambda: sample.taken > 2)
    view.stop()
    screen, after = file.getvalue().split(NORMAL_SCREEN)

    assert screen.startswith(ALT_SCREEN)
    assert "23.4 MB/s" in screen
    assert "\x1b[?25h" in after
    assert "A2   SanDisk Cruzer 8 GB  FAIL fake_capacity" in after
    assert "A1 " not in after
    assert "note: B7 Cruzer [job 1]: \\x1bslow" in after
    assert "1 passed, 1 failed, 0 refused in 1:16" in after


def test_stopping_twice_is_stopping_once() -> None:
    console, file = terminal()
    view = LiveView(console, refresh_s=0.01)
    view.start(Sampler(station(working("A1"))))
    view.stop()
    view.stop()

    assert file.getvalue().count(NORMAL_SCREEN) == 1


def test_nothing_is_written_while_nothing_changes() -> None:
    console, file = terminal()
    sample = Sampler(station(working("A1")))
    view = LiveView(console, refresh_s=0.001)
    view.start(sample)
    wait_until(lambda: sample.taken > 30)
    view.stop()
    taken = sample.taken

    # Every fortieth picture is drawn whole.
    assert file.getvalue().count("23.4 MB/s") <= 1 + taken // 40


def test_a_dashboard_that_fails_gives_way_to_plain_lines_and_is_told_of_at_the_end() -> None:
    def broken() -> StationSnapshot:
        raise LookupError("no \x1b[31m port")

    console, file = terminal()
    view = LiveView(console, refresh_s=0.01)
    view.start(broken)
    wait_until(lambda: "Plain lines follow" in file.getvalue())
    view.tell(JobEnded(NOON, "A1", CRUZER, 1, PASSED))
    with pytest.raises(StationFaultError, match="the dashboard failed: LookupError"):
        view.stop()
    after = file.getvalue().split(NORMAL_SCREEN)[1]

    assert "\x1b[31m" not in after
    assert "A1   SanDisk Cruzer 8 GB  PASS" in after


def test_a_terminal_that_only_knows_ascii_still_tells_all() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    console = Console(file=stream, width=80, height=24, force_terminal=True, _environ={})
    sample = Sampler(station(done("A1", PASSED), done("가", failed(FailReason.IO_ERROR))))
    view = LiveView(console, refresh_s=0.01)
    view.start(sample)
    wait_until(lambda: sample.taken > 2)
    view.stop()
    text = raw.getvalue().decode("ascii")

    for expected in ("* PASS", "X FAIL", " A1 ", " ?? ", "####"):
        assert expected in text


def test_a_pipe_and_a_dumb_terminal_are_not_for_the_dashboard() -> None:
    def console(term: str, *, is_terminal: bool) -> Console:
        return Console(file=io.StringIO(), force_terminal=is_terminal, _environ={"TERM": term})

    assert can_show(console("xterm-256color", is_terminal=True))
    assert not can_show(console("dumb", is_terminal=True))
    assert not can_show(console("xterm-256color", is_terminal=False))


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """A terminal emulator of others, 80 by 24, which shows what it is sent."""
    server = ["tmux", "-f", "/dev/null", "-u", "-S", str(tmp_path / "tmux")]

    def run(*arguments: str) -> str:
        return subprocess.run(
            [*server, *arguments], check=True, capture_output=True, encoding="utf-8", timeout=30
        ).stdout

    assert shutil.which("tmux")
    yield run
    subprocess.run([*server, "kill-server"], check=False, capture_output=True)


def test_a_terminal_shows_after_many_small_changes_what_one_whole_picture_shows(
    tmux: Callable[..., str], tmp_path: Path
) -> None:
    korean = working("가", CRUZER)
    snapshots = [
        station(Tile("A1"), korean, working("A3")),
        station(working("A1"), korean, done("A3", PASSED)),
        station(done("A1", failed(FailReason.IO_ERROR)), korean, Tile("A3"), draining=True),
        station(working("A1"), done("가", PASSED), working("A3"), profile="플레이어"),
    ]
    console, file = terminal()
    sample = Sampler(*snapshots)
    view = LiveView(console, refresh_s=0.001)
    view.start(sample)
    wait_until(lambda: sample.taken > len(snapshots))
    view.stop()
    drawn = tmp_path / "drawn"
    drawn.write_text(file.getvalue().split(NORMAL_SCREEN)[0], encoding="utf-8")
    tmux(
        "new-session", "-d", "-x", "80", "-y", "24", f"cat {shlex.quote(str(drawn))}; exec sleep 60"
    )
    expected = [
        "".join(segment.text for segment in row).rstrip()
        for row in compose(snapshots[-1], (), 80, 24).rows()
    ]

    def seen() -> list[str]:
        return [line.rstrip() for line in tmux("capture-pane", "-p").split("\n")[:24]]

    wait_until(lambda: seen() == expected)


# As some shells and every program that loads readline leave it behind in the environment.
STALE_SIZE = ("-e", "COLUMNS=80", "-e", "LINES=24")
SHOW_UNTIL_STOPPED = """
import sys, time
from tests.dashboard.samples import station, working
from rich.console import Console
from station.dashboard.live import LiveView
view = LiveView(Console(), refresh_s=0.02)
view.start(lambda: station(*(working(f"A{port}") for port in range(1, 9))))
try:
    time.sleep(60)
except KeyboardInterrupt:
    view.stop()
    print("stopped")
    time.sleep(60)
"""


def test_a_live_terminal_can_be_made_tiny_and_large_again_and_keys_leave_no_trace(
    tmux: Callable[..., str],
) -> None:
    script = f"{shlex.quote(sys.executable)} -c {shlex.quote(SHOW_UNTIL_STOPPED)}"
    path = os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[2])])
    tmux(
        "new-session",
        "-d",
        "-x",
        "80",
        "-y",
        "24",
        "-e",
        f"PYTHONPATH={path}",
        *STALE_SIZE,
        f"exec {script}",
    )

    def seen() -> str:
        return tmux("capture-pane", "-p")

    wait_until(lambda: seen().count("4:12 left") == 8)
    tmux("send-keys", "-l", "typed on the station's keyboard")
    tmux("resize-window", "-x", "20", "-y", "5")
    wait_until(lambda: "+5 more ports" in seen())
    tmux("resize-window", "-x", "1", "-y", "1")
    tmux("resize-window", "-x", "80", "-y", "24")
    wait_until(lambda: seen().count("4:12 left") == 8)

    assert "typed" not in seen()

    tmux("send-keys", "C-c")
    wait_until(lambda: "stopped" in seen())

    assert "4:12" not in seen()
    assert "Traceback" not in seen()


def test_the_keyboard_is_silent_for_a_while_and_then_as_it_was() -> None:
    leader, follower = pty.openpty()
    with os.fdopen(follower, "r") as stream:
        before = termios.tcgetattr(follower)
        with keyboard.silenced(stream):
            during = termios.tcgetattr(follower)

        assert before[LOCAL_MODES] & termios.ECHO
        assert not during[LOCAL_MODES] & termios.ECHO
        # Ctrl-C is how a run is drained.
        assert during[LOCAL_MODES] & termios.ISIG
        assert termios.tcgetattr(follower) == before
    os.close(leader)


def test_a_view_that_stops_leaves_no_thread_behind() -> None:
    console, _ = terminal()
    before = threading.active_count()
    view = LiveView(console, refresh_s=0.01)
    view.start(Sampler(station(working("A1"))))
    view.tell(DriveInserted(NOON, "A1", CRUZER))
    view.stop()

    assert threading.active_count() == before
