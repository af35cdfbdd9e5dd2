"""Which parts of an erased region are read back when not all of it is.

Source: NIST SP 800-88 r1, section 4.7.2 "Representative sampling": at least 1,000 equal sections,
in each at least two samples that do not overlap, each at least 5 % of its section, at other places
each time, and the first and last addressable location.
"""

import itertools
from random import Random

SECTIONS = 1000
SAMPLES_PER_SECTION = 2
_SAMPLE_SHARE = 20  # one twentieth is 5 %


def sample_ranges(
    start_bytes: int, end_bytes: int, sector_bytes: int, random: Random
) -> list[tuple[int, int]]:
    """The ranges to read, as (start, end): ascending, apart from each other, on sector borders.

    A region of too few sectors to be sampled is returned whole.

    Args:
        start_bytes: where the region begins, on a sector border.
        end_bytes: where it ends.
        sector_bytes: sector size.
        random: where the samples lie; seeded anew for each drive.
    """
    sectors = (end_bytes - start_bytes) // sector_bytes
    if sectors < SECTIONS * _SAMPLE_SHARE:
        return [(start_bytes, end_bytes)] if end_bytes > start_bytes else []
    borders = [index * sectors // SECTIONS for index in range(SECTIONS + 1)]
    ranges = [(0, 1)]
    for low, high in itertools.pairwise(borders):
        # Each half of a section gives one sample: so they can't overlap.
        middle = (low + high) // 2
        length = -(-(high - low) // _SAMPLE_SHARE)
        for half_low, half_high in ((low, middle), (middle, high)):
            at = random.randint(half_low, half_high - length)
            ranges.append((at, at + length))
    ranges.append((sectors - 1, sectors))
    merged = _merged(ranges)
    last = merged.pop()
    bytes_of = [
        (start_bytes + low * sector_bytes, start_bytes + high * sector_bytes)
        for low, high in merged
    ]
    # What lies beyond the last whole sector belongs to its neighbour.
    return [*bytes_of, (start_bytes + last[0] * sector_bytes, end_bytes)]


def _merged(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return merged
