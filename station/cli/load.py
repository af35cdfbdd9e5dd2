"""`station load`: loads drives and image files that are named."""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from station.cli.console import err, out
from station.cli.options import (
    DEFAULT_LEDGER,
    Batch,
    ContentFolder,
    LedgerLocation,
    Picture,
    ProfileName,
    Root,
    SectorSize,
    Targets,
    ViewOption,
)
from station.cli.session import Record, exit_code_of, guard_policy, prepare, supervise
from station.cli.view import ViewName, make_view
from station.device.drive import DriveInfo
from station.errors import OperatorError
from station.hotplug.targets import TargetHub
from station.job.order import OrderBook
from station.text import printable
from station.units import format_size


def load(  # noqa: PLR0913 - one parameter an option
    targets: Targets,
    *,
    profile: ProfileName,
    root: Root = Path(),
    content: ContentFolder = None,
    ledger: LedgerLocation = DEFAULT_LEDGER,
    batch: Batch = "",
    view: ViewOption = None,
    picture: Picture = None,
    sector_size: SectorSize = 512,
    protect: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DRIVE",
            help="Never touch this drive: serial:…, usb:vvvv:pppp or /dev/…; may be repeated.",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask before devices are wiped.")] = False,
) -> None:
    """Wipe, load, verify and seal the named USB drives and image files, all at once.

    Nothing is written unless all of them can be loaded.
    """
    # A drive that a person names is loaded, whatever it holds.
    work = prepare(root, profile, content, reloads=True)
    shown = make_view(view, picture)
    with ExitStack() as stack:
        book = OrderBook(work.profile, work.offers)
        stack.callback(book.close)
        policy = guard_policy(work.profile, protected=tuple(protect or ()))
        hub = TargetHub(targets, policy, sector_size)
        stack.callback(hub.close)
        for drive in hub.drives:
            _require_room(book, drive)
        devices = [drive for drive in hub.drives if Path(drive.node).is_block_device()]
        if devices and not yes:
            _ask(devices)
        tally = supervise(work, hub, book, record=Record(ledger, batch), view=shown)
    if view is not ViewName.JSON:
        err.print(printable(f"Every drive is in the ledger: station log --ledger {ledger}"))
    raise typer.Exit(exit_code_of(tally))


def _require_room(book: OrderBook, drive: DriveInfo) -> None:
    """Pass a drive on which the profile fits.

    Raises:
        OperatorError: for any other; names the drive.
    """
    try:
        book.order_for(drive.capacity_bytes, drive.sector_bytes)
    except OperatorError as error:
        raise OperatorError(f"{drive.node}: {error.problem}", error.remedy) from error


def _ask(devices: list[DriveInfo]) -> None:
    """Go on only when a person said so, having seen what will be lost.

    Raises:
        OperatorError: when nobody can be asked, or the answer is anything but yes.
    """
    if not sys.stdin.isatty():
        raise OperatorError(
            "nobody can be asked whether the devices may be wiped", "Say so with --yes."
        )
    for drive in devices:
        name = f"{drive.vendor} {drive.model}".strip()
        out.print(printable(f"{drive.node}: {name}, {format_size(drive.capacity_bytes)}"))
    try:
        answer = input("All that is on them will be lost. Type yes to go on: ")
    except EOFError:
        answer = ""
    if answer.strip() != "yes":
        raise OperatorError("the answer was not yes: nothing was written")
