"""What becomes of bytes on the medium of a simulated drive."""

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from station.device.descriptor import Descriptor
from station.device.fault import (
    Beyond,
    CacheInFront,
    Chain,
    CorruptReads,
    CorruptWrites,
    Counterfeit,
    Fault,
    Limbo,
    LostWrites,
    Wraparound,
    armed,
)
from station.device.front_cache import FrontCache


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a transfer that lies in one place.

    Attributes:
        offset_bytes: where it is on the drive, as the host counts.
        length_bytes: how long it is.
        place: where it is in the backing file, or what stands in for bytes that are nowhere.
    """

    offset_bytes: int
    length_bytes: int
    place: int | Beyond


def spans_on_medium(
    counterfeit: Counterfeit | None, offset_bytes: int, length_bytes: int
) -> Iterator[Span]:
    """Tell, ascending and without gap, where the bytes of a transfer really are."""
    end_bytes = offset_bytes + length_bytes
    place: int | Beyond
    while offset_bytes < end_bytes:
        place, reach_bytes = offset_bytes, end_bytes
        if isinstance(counterfeit, Wraparound):
            place = offset_bytes % counterfeit.real_bytes
            reach_bytes = offset_bytes - place + counterfeit.real_bytes
        elif isinstance(counterfeit, Limbo):
            if offset_bytes < counterfeit.real_bytes:
                reach_bytes = counterfeit.real_bytes
            else:
                place = counterfeit.reads
        elif isinstance(counterfeit, Chain):
            place = offset_bytes % counterfeit.wrap_bytes
            turn_bytes = offset_bytes - place
            if place < counterfeit.real_bytes:
                reach_bytes = turn_bytes + counterfeit.real_bytes
            else:
                place = counterfeit.reads
                reach_bytes = turn_bytes + counterfeit.wrap_bytes
        length_bytes = min(reach_bytes, end_bytes) - offset_bytes
        yield Span(offset_bytes, length_bytes, place)
        offset_bytes += length_bytes


def kept_ranges(
    lost: Sequence[LostWrites], offset_bytes: int, length_bytes: int
) -> Iterator[tuple[int, int]]:
    """Tell, as offset and length, which parts of a write are not lost."""
    ranges = [(offset_bytes, offset_bytes + length_bytes)]
    for fault in lost:
        ranges = [
            (start, end)
            for first, last in ranges
            for start, end in (
                (first, min(last, fault.start_bytes)),
                (max(first, fault.end_bytes), last),
            )
            if start < end
        ]
    for start, end in ranges:
        yield start, end - start


class SimulatedMedium:
    """A backing file, and the faults by which it gives other bytes than it was given.

    Args:
        path: the file; made when it is missing, sparse, and lengthened when it is too short.
        capacity_bytes: how long it is to be at least.
        faults: those that do not change bytes are passed over.

    Raises:
        ValueError: when it would be several counterfeits at once.
        OSError: when the file can't be opened.
    """

    def __init__(self, path: Path, capacity_bytes: int, faults: Sequence[Fault]) -> None:
        counterfeits = [fault for fault in faults if isinstance(fault, Wraparound | Limbo | Chain)]
        if len(counterfeits) > 1:
            raise ValueError("a drive can be one counterfeit only")
        self._counterfeit = counterfeits[0] if counterfeits else None
        self._lost = [fault for fault in faults if isinstance(fault, LostWrites)]
        self._corrupt_writes = [
            armed(fault) for fault in faults if isinstance(fault, CorruptWrites)
        ]
        self._corrupt_reads = [armed(fault) for fault in faults if isinstance(fault, CorruptReads)]
        caches = [fault for fault in faults if isinstance(fault, CacheInFront)]
        self._cache = FrontCache(caches[0].length_bytes) if caches else None
        self._backing = Descriptor(_open_backing(path, capacity_bytes))

    def write(self, offset_bytes: int, data: memoryview) -> None:
        """Store what the faults let through."""
        if self._cache is not None:
            self._cache.write(offset_bytes, data)
        for kept_bytes, length_bytes in kept_ranges(self._lost, offset_bytes, data.nbytes):
            for span in spans_on_medium(self._counterfeit, kept_bytes, length_bytes):
                if isinstance(span.place, int):
                    start = span.offset_bytes - offset_bytes
                    self._backing.write_all(span.place, data[start : start + span.length_bytes])
                    self._corrupt_stored(span, span.place)

    def read(self, offset_bytes: int, into: memoryview) -> None:
        """Give what the faults make of what is stored."""
        for span in spans_on_medium(self._counterfeit, offset_bytes, into.nbytes):
            start = span.offset_bytes - offset_bytes
            self._read_span(span, into[start : start + span.length_bytes])
        if self._cache is not None:
            self._cache.read(offset_bytes, into)
        for corruption in self._corrupt_reads:
            touch = corruption.first_touch(offset_bytes, into.nbytes)
            if touch is not None:
                corruption.strike()
                into[touch - offset_bytes] ^= 1

    def close(self) -> None:
        """Let go of the file, or have the transfer under way in another thread do so at its end."""
        self._backing.close()
        if self._cache is not None:
            self._cache.close()

    def _read_span(self, span: Span, into: memoryview) -> None:
        match span.place:
            case Beyond.ZEROS:
                into[:] = bytes(into.nbytes)
            case Beyond.ONES:
                into[:] = b"\xff" * into.nbytes
            case Beyond.STALE:
                # No write reaches this part of the file: it holds what was there before.
                self._backing.read_all(span.offset_bytes, into)
            case place:
                self._backing.read_all(place, into)

    def _corrupt_stored(self, span: Span, place: int) -> None:
        # In the file and after the write, since the writer's memory must not be looked at.
        for corruption in self._corrupt_writes:
            touch = corruption.first_touch(span.offset_bytes, span.length_bytes)
            if touch is not None:
                corruption.strike()
                byte = memoryview(bytearray(1))
                self._backing.read_all(place + touch - span.offset_bytes, byte)
                byte[0] ^= 1
                self._backing.write_all(place + touch - span.offset_bytes, byte)


def _open_backing(path: Path, capacity_bytes: int) -> int:
    with ExitStack() as on_failure:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        on_failure.callback(os.close, fd)
        if os.fstat(fd).st_size < capacity_bytes:
            os.ftruncate(fd, capacity_bytes)
        on_failure.pop_all()
        return fd
