"""The file allocation table of a volume whose chains are all contiguous.

Source: Microsoft FAT specification 1.03, "FAT data structure".
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from station.image.geometry import FAT_ENTRY_BYTES, RESERVED_ENTRIES

MEDIA_FIXED = 0xF8
_END_OF_CHAIN = 0x0FFFFFFF
_FIRST_ENTRIES = (0x0FFFFF00 | MEDIA_FIXED, _END_OF_CHAIN)


@dataclass(frozen=True, slots=True)
class FatBlock:
    """One FAT, computed for any piece of it: that of a 2 TB drive takes 240 MB.

    As no file is fragmented, every entry in use points to its successor, save those that end a
    chain; so the table follows from the ends alone.

    Attributes:
        length_bytes: length of the table.
        chain_ends: last cluster of each chain, ascending, as uint32.
    """

    length_bytes: int
    chain_ends: npt.NDArray[np.uint32]

    @property
    def used_entries(self) -> int:
        """Entries up to the last cluster in use."""
        return int(self.chain_ends[-1]) + 1 if len(self.chain_ends) else RESERVED_ENTRIES

    def render(self, offset_bytes: int, length_bytes: int) -> memoryview:
        """The bytes from `offset_bytes` on; both are multiples of four."""
        first = offset_bytes // FAT_ENTRY_BYTES
        end = first + length_bytes // FAT_ENTRY_BYTES
        entries = np.zeros(end - first, dtype="<u4")
        used = max(min(end, self.used_entries) - first, 0)
        entries[:used] = np.arange(first + 1, first + 1 + used, dtype="<u4")
        low, high = np.searchsorted(self.chain_ends, (first, end))
        entries[self.chain_ends[low:high] - first] = _END_OF_CHAIN
        for index in range(first, min(end, RESERVED_ENTRIES)):
            entries[index - first] = _FIRST_ENTRIES[index]
        return entries.data.cast("B")
