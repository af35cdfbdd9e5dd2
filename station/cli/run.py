"""`station run`: listens for drives and loads each until it is stopped."""

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from station.cli.console import err
from station.cli.options import Batch, ContentFolder, Picture, ProfileName, Root, ViewOption
from station.cli.session import Record, exit_code_of, guard_policy, prepare, supervise
from station.cli.view import ViewName, make_view
from station.errors import OperatorError
from station.hotplug.demo import demo_sticks
from station.hotplug.events import Hub
from station.hotplug.udev import UdevHub
from station.hotplug.virtual import VirtualHub
from station.job.order import OrderBook
from station.ledger.location import default_location, virtual_location
from station.text import printable
from station.usb.labels import PortMap
from station.usb.map_file import find_port_map


def run(  # noqa: PLR0913 - one parameter an option
    *,
    profile: ProfileName,
    root: Root = Path(),
    content: ContentFolder = None,
    ledger: Annotated[
        str | None,
        typer.Option(
            "--ledger",
            envvar="STATION_LEDGER",
            help="SQLite file or URL of the ledger.",
            show_default="in the user's data folder; virtual sticks have one of their own",
        ),
    ] = None,
    batch: Batch = "",
    view: ViewOption = None,
    picture: Picture = None,
    ports: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            envvar="STATION_PORTS",
            help="Map of the taught ports.",
            show_default="in the user's configuration folder",
        ),
    ] = None,
    any_port: Annotated[
        bool, typer.Option("--any-port", help="Load USB drives on ports that were not taught, too.")
    ] = False,
    protect: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DRIVE",
            help="Never touch this drive: serial:…, usb:vvvv:pppp or /dev/…; may be repeated.",
        ),
    ] = None,
    reload: Annotated[
        bool,
        typer.Option("--reload", help="Load drives anew that passed under this profile before."),
    ] = False,
    virtual: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, max=256, help="Plug in N simulated sticks instead of listening."
        ),
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Keep the images of the simulated sticks there."),
    ] = None,
) -> None:
    """Listen for drives, and wipe, load, verify and seal each, until stopped.

    Ctrl-C once: accept no more drives and finish those under way. Twice: stop now.
    """
    if keep is not None and virtual is None:
        raise OperatorError("--keep goes with --virtual", "Real sticks keep their content anyway.")
    work = prepare(root, profile, content, reloads=reload)
    shown = make_view(view, picture)
    with ExitStack() as stack:
        book = OrderBook(work.profile, work.offers)
        stack.callback(book.close)
        port_map = find_port_map(ports) if virtual is None else PortMap()
        policy = guard_policy(
            work.profile,
            taught_ports=port_map.names,
            any_port=any_port,
            protected=tuple(protect or ()),
        )
        hub: Hub
        if virtual is None:
            hub = UdevHub(port_map.ports, policy)
        else:
            hub = VirtualHub(demo_sticks(virtual), _images_folder(keep, stack), policy)
        stack.callback(hub.close)
        if ledger is None:
            ledger = default_location() if virtual is None else virtual_location()
        tally = supervise(work, hub, book, record=Record(ledger, batch), view=shown)
    if view is not ViewName.JSON:
        err.print(printable(f"Every stick is in the ledger: station log --ledger {ledger}"))
        if keep is not None:
            err.print(printable(f"The sticks' images are in {keep}"))
    raise typer.Exit(exit_code_of(tally))


def _images_folder(keep: Path | None, stack: ExitStack) -> Path:
    if keep is None:
        return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="station-")))
    try:
        keep.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OperatorError(f"{keep} can't be made: {error.strerror}", "Name another.") from error
    return keep
