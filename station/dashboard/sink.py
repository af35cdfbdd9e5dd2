"""A stream of lines whose reader may leave at any moment."""

import os
from io import UnsupportedOperation
from typing import IO

from station.errors import StationFaultError


class LineSink:
    """Writes whole lines, each flushed, so that a reader sees a verdict at once.

    When the reader leaves (`station run | head`) the run is not over: the sticks under way are
    finished, their verdicts go to the ledger, and what would have been written is dropped. So is it
    when the stream can't take it for another reason, such as a full disk; `close` tells of that.
    """

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._error: OSError | None = None

    def write_line(self, line: str) -> None:
        """Write one line; never raises OSError. What the stream can't encode is escaped."""
        if self._error is not None:
            return
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        try:
            self._stream.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
            self._stream.flush()
        except OSError as error:
            self._error = error
            self._drain()

    def close(self) -> None:
        """Say how it went; the stream itself stays open.

        Raises:
            StationFaultError: when lines were lost, other than by the reader's own leaving.
        """
        error, self._error = self._error, None
        if error is not None and not isinstance(error, BrokenPipeError):
            raise StationFaultError(
                f"the output could not be written: {error.strerror or error}",
                "The jobs went on without it; station log has every verdict.",
            ) from error

    def _drain(self) -> None:
        # What is left in the stream's buffer would fail once more when the interpreter flushes it
        # at exit, and turn the exit code into 120.
        try:
            descriptor = self._stream.fileno()
        except UnsupportedOperation:
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)
