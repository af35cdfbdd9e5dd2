"""A bar for work that is counted in bytes, shown where somebody looks."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from station.cli.console import err
from station.content.hashing import Progress as TellProgress
from station.content.hashing import no_progress


@contextmanager
def byte_progress(work: str, total_bytes: int) -> Iterator[TellProgress]:
    """Show bytes, speed and time left on standard error while the block runs.

    Nothing is shown where standard error is no terminal, and nothing stays behind.

    Args:
        work: what is done, such as `Hashing`.
        total_bytes: when it is done.

    Yields:
        What to call with the number of bytes that were done.
    """
    if not err.is_terminal:
        yield no_progress
        return
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
    ) as bar:
        task = bar.add_task(work, total=total_bytes)

        def tell(done_bytes: int) -> None:
            bar.update(task, advance=done_bytes)

        yield tell
