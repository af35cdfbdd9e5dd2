"""A stick with a cache of its own, from which power is cut at the n-th operation."""

from random import Random

from station.device.buffer import aligned_buffer
from station.device.simulated import SimulatedDrive


class PowerCutError(BaseException):
    """The machine is dark: no line of the station runs any more."""


class CachedDrive:
    """Keeps writes to itself until it is flushed, and loses some of them when power is cut.

    Args:
        drive: the flash behind the cache.
        nth: the operation that is not carried out any more, counted from 1; 0 none.
        chance: which of the writes since the last flush had reached the flash by then.
    """

    def __init__(self, drive: SimulatedDrive, nth: int, chance: Random) -> None:
        self._drive = drive
        self._nth = nth
        self._chance = chance
        self._unflushed: list[tuple[int, bytes]] = []
        self.asked = 0

    @property
    def capacity_bytes(self) -> int:
        return self._drive.capacity_bytes

    @property
    def sector_bytes(self) -> int:
        return self._drive.sector_bytes

    def write(self, offset_bytes: int, data: memoryview) -> None:
        self._count()
        self._unflushed.append((offset_bytes, bytes(data)))

    def read(self, offset_bytes: int, into: memoryview) -> None:
        self._count()
        self._drive.read(offset_bytes, into)
        end_bytes = offset_bytes + len(into)
        for start_bytes, data in self._unflushed:
            low, high = max(start_bytes, offset_bytes), min(start_bytes + len(data), end_bytes)
            if low < high:
                into[low - offset_bytes : high - offset_bytes] = data[
                    low - start_bytes : high - start_bytes
                ]

    def flush(self) -> None:
        self._count()
        for offset_bytes, data in self._unflushed:
            self._store(offset_bytes, data)
        self._unflushed.clear()

    def close(self) -> None:
        self._drive.close()

    def _count(self) -> None:
        self.asked += 1
        if self.asked == self._nth:
            self._cut()
        if self.asked >= self._nth > 0:
            raise PowerCutError

    def _cut(self) -> None:
        """Leave on the flash what a cache may have written back: any of it, in any order."""
        self._chance.shuffle(self._unflushed)
        for offset_bytes, data in self._unflushed:
            kept_bytes = self._chance.choice([0, len(data), self._part_of(len(data))])
            self._store(offset_bytes, data[:kept_bytes])

    def _part_of(self, length_bytes: int) -> int:
        return self._chance.randrange(length_bytes // self.sector_bytes + 1) * self.sector_bytes

    def _store(self, offset_bytes: int, data: bytes) -> None:
        if data:
            memory = aligned_buffer(len(data))
            memory[:] = data
            self._drive.write(offset_bytes, memory)
