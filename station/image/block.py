"""Metadata bytes of an image, rendered piece by piece when they are needed."""

from dataclasses import dataclass
from typing import Protocol


class Block(Protocol):
    """A run of metadata that can render any piece of itself."""

    @property
    def length_bytes(self) -> int:
        """Length of the run."""

    def render(self, offset_bytes: int, length_bytes: int) -> memoryview:
        """The bytes from `offset_bytes` on, as unsigned bytes; both lie within the run.

        Offset and length are multiples of four.
        """


@dataclass(frozen=True, slots=True)
class BytesBlock:
    """Metadata that is held as it is."""

    data: bytes | bytearray

    @property
    def length_bytes(self) -> int:
        """Length of the run."""
        return len(self.data)

    def render(self, offset_bytes: int, length_bytes: int) -> memoryview:
        """The bytes from `offset_bytes` on."""
        return memoryview(self.data)[offset_bytes : offset_bytes + length_bytes]
