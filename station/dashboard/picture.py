"""The dashboard as a picture on disk, drawn anew while the run goes on."""

import os
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

from station.dashboard.event import StationEvent
from station.dashboard.export import export_svg
from station.dashboard.snapshot import StationSnapshot
from station.errors import StationFaultError

REFRESH_S = 5.0


class PictureView:
    """Keeps an SVG picture of the dashboard in a file, which any browser shows.

    Args:
        path: the file; replaced as a whole each time, so that nobody sees half a picture.
        width: of the terminal in the picture, in cells.
        height: of the terminal in the picture, in lines.
        refresh_s: seconds between two pictures.
    """

    def __init__(self, path: Path, width: int, height: int, refresh_s: float = REFRESH_S) -> None:
        self._path = path
        self._size = (width, height)
        self._refresh_s = refresh_s
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._fault: Exception | None = None

    def start(self, sample: Callable[[], StationSnapshot]) -> None:
        """Begin to draw."""
        self._thread = threading.Thread(
            target=self._draw_until_stopped, args=(sample,), name="picture", daemon=True
        )
        self._thread.start()

    def tell(self, event: StationEvent) -> None:
        """Do nothing: the picture shows what is, not what happened."""

    def stop(self) -> None:
        """Draw the last picture.

        Raises:
            StationFaultError: when one could not be written.
        """
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._stopping.set()
        thread.join()
        if self._fault is not None:
            why = getattr(self._fault, "strerror", None) or repr(self._fault)
            raise StationFaultError(
                f"{self._path}: the picture can't be kept: {why}",
                "The jobs went on without it; station log has every verdict.",
            ) from self._fault

    def _draw_until_stopped(self, sample: Callable[[], StationSnapshot]) -> None:
        try:
            while not self._stopping.wait(self._refresh_s):
                self._write(sample())
            self._write(sample())
        except Exception as error:  # noqa: BLE001 - kept for `stop`: no stick may suffer from it
            self._fault = error

    def _write(self, snapshot: StationSnapshot) -> None:
        svg = export_svg(snapshot, *self._size, title=f"station: {snapshot.profile}")
        descriptor, name = tempfile.mkstemp(
            dir=self._path.parent, prefix=f".{self._path.name}-", suffix=".svg"
        )
        try:
            os.fchmod(descriptor, 0o644)
            with os.fdopen(descriptor, "w", encoding="utf-8") as out:
                out.write(svg)
            Path(name).replace(self._path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
