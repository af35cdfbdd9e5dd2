"""A cache in front of a counterfeit's flash: it remembers for a while what the flash forgot.

Such a stick passes every test that reads back what was written just now.
"""

import os
from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Entry:
    """A write that is remembered.

    Attributes:
        offset_bytes: where it is on the drive.
        length_bytes: how long it is.
        place: where it is in the cache, counted on and on; the memory is used in a ring.
    """

    offset_bytes: int
    length_bytes: int
    place: int


class FrontCache:
    """Remembers the last writes up to a number of bytes.

    The bytes go from the writer's memory to the cache's through the kernel: the writer's may map a
    file that was cut short.

    Args:
        length_bytes: how much it remembers.
    """

    def __init__(self, length_bytes: int) -> None:
        self._length_bytes = length_bytes
        self._memory = os.memfd_create("front-cache")
        self._entries: deque[_Entry] = deque()
        self._place = 0

    def write(self, offset_bytes: int, data: memoryview) -> None:
        """Remember a write, and forget the oldest ones that there is no more room for."""
        surplus_bytes = max(len(data) - self._length_bytes, 0)
        self._entries.append(
            _Entry(offset_bytes + surplus_bytes, len(data) - surplus_bytes, self._place)
        )
        for at, place, length_bytes in self._ring(self._place, len(data) - surplus_bytes):
            start = surplus_bytes + at
            os.pwrite(self._memory, data[start : start + length_bytes], place)
        self._place += len(data) - surplus_bytes
        while self._entries and self._entries[0].place < self._place - self._length_bytes:
            self._entries.popleft()

    def read(self, offset_bytes: int, into: memoryview) -> None:
        """Put what is remembered of a range over what the flash gave for it."""
        end_bytes = offset_bytes + len(into)
        for entry in self._entries:
            start = max(entry.offset_bytes, offset_bytes)
            stop = min(entry.offset_bytes + entry.length_bytes, end_bytes)
            if start >= stop:
                continue
            first = entry.place + start - entry.offset_bytes
            for at, place, length_bytes in self._ring(first, stop - start):
                begin = start - offset_bytes + at
                os.preadv(self._memory, [into[begin : begin + length_bytes]], place)

    def close(self) -> None:
        """Give the memory back."""
        os.close(self._memory)

    def _ring(self, place: int, length_bytes: int) -> list[tuple[int, int, int]]:
        """Where a run of bytes is in memory: as (offset in the run, place, length)."""
        start = place % self._length_bytes
        before_the_end = min(self._length_bytes - start, length_bytes)
        parts = [(0, start, before_the_end), (before_the_end, 0, length_bytes - before_the_end)]
        return [part for part in parts if part[2]]
