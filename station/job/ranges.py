"""What of a drive was written so far, in the few runs in which a load writes it. Pure."""


class Ranges:
    """Ranges of bytes, none of which overlap."""

    def __init__(self) -> None:
        self._runs: list[tuple[int, int]] = []

    def add(self, start_bytes: int, end_bytes: int) -> None:
        """Add a range; one that follows the last one lengthens it."""
        if self._runs and self._runs[-1][1] == start_bytes:
            start_bytes, _ = self._runs.pop()
        self._runs.append((start_bytes, end_bytes))

    @property
    def length_bytes(self) -> int:
        """All of them together."""
        return sum(end - start for start, end in self._runs)

    def __contains__(self, offset_bytes: int) -> bool:
        return any(start <= offset_bytes < end for start, end in self._runs)

    def reaches(self, offset_bytes: int, distance_bytes: int) -> bool:
        """Whether a multiple of a distance lies between an offset and one of the ranges."""
        return any(
            (offset_bytes - start) % distance_bytes < end - start for start, end in self._runs
        )
