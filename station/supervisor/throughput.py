"""How much all drives together write and read, over the last seconds."""

from collections import deque
from collections.abc import Callable

_WINDOW_S = 3.0


class Throughput:
    """A speed from samples of ever-growing sums.

    Args:
        clock: seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._samples: deque[tuple[float, int, int]] = deque()

    def sample(self, written_bytes: int, read_bytes: int) -> tuple[float, float]:
        """Take the sums as they are now.

        Returns:
            Bytes per second written and read.
        """
        now_s = self._clock()
        self._samples.append((now_s, written_bytes, read_bytes))
        while self._samples[0][0] < now_s - _WINDOW_S and len(self._samples) > 1:
            self._samples.popleft()
        first_s, first_written, first_read = self._samples[0]
        span_s = now_s - first_s
        if span_s <= 0:
            return 0.0, 0.0
        return (written_bytes - first_written) / span_s, (read_bytes - first_read) / span_s
