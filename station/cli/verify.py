"""`station verify`: reads loaded drives back, and writes nothing."""

import threading
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.progress import BarColumn, TaskID, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.progress import Progress as Bars

from station.cli.console import err, out, print_json
from station.cli.exit_code import ExitCode
from station.cli.options import ContentFolder, JsonFlag, ProfileName, Root, SectorSize, Targets
from station.cli.session import prepare
from station.device.direct import DirectDrive
from station.device.drive import Drive
from station.device.sysfs import disk_name_of
from station.errors import OperatorError
from station.job.order import Order, OrderBook
from station.job.pipeline import read_back
from station.job.progress import Progress
from station.job.state import READING_BACK
from station.text import printable
from station.verdict import DriveRefusedError, Outcome, Verdict

_REFRESH_S = 0.25


@dataclass(slots=True)
class _Reading:
    """One target under way."""

    target: Path
    drive: Drive
    order: Order
    progress: Progress
    verdict: Verdict | None = None

    def work(self) -> None:
        self.verdict = read_back(self.order, self.drive, self.progress)


def verify(  # noqa: PLR0913 - one parameter an option
    targets: Targets,
    *,
    profile: ProfileName,
    root: Root = Path(),
    content: ContentFolder = None,
    sector_size: SectorSize = 512,
    json: JsonFlag = False,
) -> None:
    """Read drives back, past every cache, and compare every byte with what was loaded.

    Exits with 1 when one of them differs.
    """
    work = prepare(root, profile, content)
    with ExitStack() as stack:
        book = OrderBook(work.profile, work.offers)
        stack.callback(book.close)
        readings = []
        for target in targets:
            drive = _open(target, sector_size)
            stack.callback(drive.close)
            order = book.order_for(drive.capacity_bytes, drive.sector_bytes)
            readings.append(_Reading(target, drive, order, Progress(READING_BACK)))
        _read_all(readings)
    verdicts = [(reading.target, reading.verdict) for reading in readings if reading.verdict]
    if json:
        print_json([_as_json(target, verdict) for target, verdict in verdicts])
    else:
        for target, verdict in verdicts:
            told = [str(verdict.outcome), str(verdict.reason or ""), verdict.detail]
            out.print(printable(f"{target}: {' '.join(word for word in told if word)}"))
    if len(verdicts) < len(readings):
        raise typer.Exit(ExitCode.STATION_FAILED)
    if any(verdict.outcome is not Outcome.PASS for _, verdict in verdicts):
        raise typer.Exit(ExitCode.NOT_ALL_PASSED)


def _open(target: Path, sector_size: int) -> Drive:
    try:
        if target.is_block_device():
            disk_name_of(target)
            return DirectDrive.open_device(target, writable=False)
        return DirectDrive.open_image(target, sector_size, writable=False)
    except DriveRefusedError as error:
        verdict = error.verdict
        raise OperatorError(f"{target} is refused: {verdict.reason}: {verdict.detail}") from error
    except OSError as error:
        raise OperatorError(f"{target} can't be opened: {error.strerror}") from error


def _read_all(readings: list[_Reading]) -> None:
    threads = [threading.Thread(target=reading.work, daemon=True) for reading in readings]
    with Bars(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    ) as bars:
        tasks: list[TaskID] = [
            bars.add_task(printable(reading.target.name), total=None) for reading in readings
        ]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            for task, reading in zip(tasks, readings, strict=True):
                progress = reading.progress
                bars.update(
                    task,
                    completed=progress.stage_done_bytes,
                    total=progress.stage_total_bytes or None,
                )
            next((thread for thread in threads if thread.is_alive()), threads[0]).join(_REFRESH_S)


def _as_json(target: Path, verdict: Verdict) -> dict[str, object]:
    return {
        "target": str(target),
        "verdict": str(verdict.outcome),
        "reason": None if verdict.reason is None else str(verdict.reason),
        "detail": verdict.detail,
    }
