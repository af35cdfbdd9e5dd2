"""A drive whose requests are timed."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from station.device.drive import Drive


class WatchedDrive:
    """Passes everything on to a drive, and takes the time that requests are under way.

    Args:
        drive: the drive.

    Attributes:
        busy_s: seconds in which the drive had a request.
    """

    def __init__(self, drive: Drive) -> None:
        self._drive = drive
        self.busy_s = 0.0

    @property
    def capacity_bytes(self) -> int:
        """As the drive's."""
        return self._drive.capacity_bytes

    @property
    def sector_bytes(self) -> int:
        """As the drive's."""
        return self._drive.sector_bytes

    def write(self, offset_bytes: int, data: memoryview) -> None:
        """As the drive does."""
        with self._request():
            self._drive.write(offset_bytes, data)

    def read(self, offset_bytes: int, into: memoryview) -> None:
        """As the drive does."""
        with self._request():
            self._drive.read(offset_bytes, into)

    def flush(self) -> None:
        """As the drive does."""
        with self._request():
            self._drive.flush()

    def close(self) -> None:
        """As the drive does."""
        self._drive.close()

    @contextmanager
    def _request(self) -> Iterator[None]:
        began_s = perf_counter()
        yield
        self.busy_s += perf_counter() - began_s
