"""The dashboard on a terminal: samples the station a few times a second and draws what changed."""

import itertools
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress

from rich.cells import cell_len
from rich.console import Console
from rich.control import Control
from rich.segment import Segment, Segments

from station.dashboard import keyboard
from station.dashboard.event import JobEnded, RunEnded, StationEvent
from station.dashboard.frame import Frame, Patch, compose
from station.dashboard.plain import PlainView, line_of, lines_of
from station.dashboard.sink import LineSink
from station.dashboard.snapshot import StationSnapshot
from station.dashboard.theme import ASCII_SIGNS
from station.errors import StationFaultError
from station.text import printable
from station.verdict import Outcome

REFRESH_S = 0.25
# Every so often all is drawn anew, which heals what others wrote over it: the kernel on a text
# console, `wall`.
_FRAMES_BETWEEN_REDRAWS = 40
_RECENT_VERDICTS = 32
_CLOSING_LINES = 50


def can_show(console: Console) -> bool:
    """Whether the console is a terminal on which a cursor can be moved about."""
    return console.is_terminal and not console.is_dumb_terminal


class LiveView:
    """Fills the terminal with the tiles; at the end gives it back and lists what did not pass.

    Drawing has a thread of its own. Should it fail, the terminal is given back at once, the error
    is said on it and plain lines follow: a picture that stands still would tell a volunteer to wait
    for ever. `stop` then raises.
    """

    def __init__(self, console: Console, refresh_s: float = REFRESH_S) -> None:
        self._console = console
        self._refresh_s = refresh_s
        # The text console of Linux has a font of 512 glyphs, and our signs are not among them.
        self._ascii = console.options.ascii_only or os.environ.get("TERM") == "linux"
        self._recent: deque[JobEnded] = deque(maxlen=_RECENT_VERDICTS)
        self._not_passed: deque[JobEnded] = deque(maxlen=_CLOSING_LINES)
        self._not_passed_count = 0
        self._summary: RunEnded | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._screen = ExitStack()
        # Guards what the drawing thread and the supervisor's share: the verdicts, and who writes.
        self._lock = threading.Lock()
        self._fault: Exception | None = None
        self._lines: PlainView | None = None

    def start(self, sample: Callable[[], StationSnapshot]) -> None:
        """Take over the terminal and draw until `stop`; `sample` is called from another thread."""
        with ExitStack() as screen:
            screen.enter_context(keyboard.silenced(sys.stdin))
            screen.callback(self._console.show_cursor, show=True)
            screen.callback(self._console.set_alt_screen, enable=False)
            self._console.set_alt_screen(enable=True)
            self._console.show_cursor(show=False)
            self._screen = screen.pop_all()
        self._thread = threading.Thread(
            target=self._draw_until_stopped, args=(sample,), name="dashboard", daemon=True
        )
        self._thread.start()

    def tell(self, event: StationEvent) -> None:
        """Remember verdicts: for the line below the tiles, and for the end."""
        with self._lock:
            if self._lines is not None:
                self._lines.tell(event)
            match event:
                case JobEnded():
                    self._recent.appendleft(event)
                    if event.verdict.outcome is not Outcome.PASS:
                        self._not_passed.append(event)
                        self._not_passed_count += 1
                case RunEnded():
                    self._summary = event
                case _:
                    pass

    def stop(self) -> None:
        """Give the terminal back and list on it what did not pass, then notes and the summary.

        Raises:
            StationFaultError: when drawing failed at any time.
        """
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._stopping.set()
        thread.join()
        if self._fault is not None:
            raise StationFaultError(
                f"the dashboard failed: {self._fault!r}",
                "The jobs went on without it; station log has every verdict.",
            ) from self._fault
        self._screen.close()
        self._write_closing_lines()

    def _write_closing_lines(self) -> None:
        sink = LineSink(self._console.file)
        if self._not_passed_count > len(self._not_passed):
            missing = self._not_passed_count - len(self._not_passed)
            sink.write_line(f"{missing} earlier ones that did not pass: see station log")
        for event in self._not_passed:
            sink.write_line(line_of(event))
        if self._summary is not None:
            for line in lines_of(self._summary):
                sink.write_line(line)
        sink.close()

    def _draw_until_stopped(self, sample: Callable[[], StationSnapshot]) -> None:
        try:
            self._draw(sample)
        except Exception as error:  # noqa: BLE001 - kept for `stop`, and said on the terminal at once
            self._fall_back(error)

    def _draw(self, sample: Callable[[], StationSnapshot]) -> None:
        before: Frame | None = None
        for count in itertools.count(1):
            with self._lock:
                recent = tuple(self._recent)
            width, height = self._size()
            frame = compose(sample(), recent, width, height)
            self._write(frame.changes_since(before))
            before = frame if count % _FRAMES_BETWEEN_REDRAWS else None
            if self._stopping.wait(self._refresh_s):
                return

    def _size(self) -> tuple[int, int]:
        # Asked of the terminal itself: Rich would believe COLUMNS and LINES, which many a shell
        # exports and which then stay as they were when the window is resized.
        try:
            width, height = os.get_terminal_size(self._console.file.fileno())
        except OSError:
            width = height = 0
        # A serial line knows no size and says 0.
        return (width, height) if width and height else self._console.size

    def _write(self, patches: Sequence[Patch]) -> None:
        segments: list[Segment] = []
        for patch in patches:
            # Each strip is put in its place on its own: should the terminal know another width for
            # some character, the strips to the right of it don't shift.
            segments.append(Control.move_to(patch.x, patch.y).segment)
            segments += map(_to_ascii, patch.strip) if self._ascii else patch.strip
        if segments:
            self._console.print(Segments(segments), end="", crop=False)

    def _fall_back(self, error: Exception) -> None:
        with self._lock:
            self._fault = error
            # Should the terminal itself be gone, there is none to give back.
            with suppress(OSError):
                self._screen.close()
            LineSink(self._console.file).write_line(
                f"station: the dashboard failed: {printable(repr(error))}. Plain lines follow."
            )
            self._lines = PlainView(self._console.file)


def _to_ascii(segment: Segment) -> Segment:
    text = segment.text.translate(ASCII_SIGNS)
    if not text.isascii():
        text = "".join(
            character if character.isascii() else "?" * cell_len(character) for character in text
        )
    return Segment(text, segment.style)
