"""`station ports`: the sockets on the table, and what they are called."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from station.cli.console import out, print_json
from station.cli.options import JsonFlag
from station.cli.ports_json import tree_as_json
from station.cli.ports_tree import draw_tree
from station.cli.teach import teach_sockets
from station.errors import OperatorError
from station.hotplug.udev import UdevHub
from station.text import printable
from station.usb.guard import GuardPolicy
from station.usb.labels import default_port_map, load_port_map
from station.usb.map_file import find_port_map, require_folder, save_port_map
from station.usb.teaching import Joining, Teaching, parse_labels, without_usb2_half
from station.usb.tree import read_usb_tree

_LONGEST_LINE_CELLS = 1000

app = typer.Typer(help="Show the USB sockets, and give them labels.", no_args_is_help=True)

MapFile = Annotated[
    Path | None,
    typer.Option(
        "--map",
        metavar="FILE",
        envvar="STATION_PORTS",
        help="Map of the taught ports.",
        show_default="in the user's configuration folder",
    ),
]


@app.command("list")
def list_ports(*, map_file: MapFile = None, json: JsonFlag = False) -> None:
    """Draw the hubs as a tree: speed, power, labels, and what is plugged in.

    A USB 3 socket, which is one port on each of two buses, is drawn once.
    """
    port_map = find_port_map(map_file)
    controllers = read_usb_tree()
    if json:
        print_json(tree_as_json(controllers, port_map))
    else:
        # Lines stay whole for the sake of pipes; a terminal wraps them by itself.
        Console(width=_LONGEST_LINE_CELLS).print(draw_tree(controllers, port_map))


@app.command()
def teach(
    *,
    labels: Annotated[
        str | None,
        typer.Option(
            "--labels",
            metavar="LABELS",
            help="What the sockets are called, in their order on the table: A1-A8,B1-B8.",
            show_default="asked for",
        ),
    ] = None,
    map_file: MapFile = None,
    slots: Annotated[
        bool, typer.Option("--slots", help="Give the slots of card readers labels of their own.")
    ] = False,
    join: Annotated[
        bool,
        typer.Option(
            "--join",
            help="Go through the map's sockets once more, with a stick of the other kind (USB 2 or"
            " USB 3): halves of a socket that the kernel doesn't know for one get its label.",
        ),
    ] = False,
) -> None:
    """Learn which socket is which: push a stick into each, in the order of the labels.

    One stick that wanders will do. Nothing is read from it nor written to it. The map is replaced
    when the last socket was shown, and not before: Ctrl-C leaves it as it was.
    """
    path = map_file or default_port_map()
    try:
        teaching: Teaching | Joining
        if join:
            if labels is not None or slots:
                raise OperatorError(
                    "--join takes the labels from the map", "Leave out --labels and --slots."
                )
            teaching = Joining(load_port_map(path))
        else:
            if labels is None:
                labels = str(typer.prompt("Labels of the sockets, such as A1-A8,B1-B8", err=True))
            teaching = Teaching(parse_labels(labels), slots=slots)
        require_folder(path)
        hub = UdevHub((), GuardPolicy())
        try:
            out.print("A `station run` that is under way would load the sticks: stop it first.")
            port_map = teach_sockets(hub, teaching, lambda line: out.print(printable(line)))
        finally:
            hub.close()
    except (KeyboardInterrupt, typer.Abort):
        raise OperatorError(
            "stopped before every socket was shown", f"Nothing was changed in {path}."
        ) from None
    save_port_map(path, port_map)
    out.print(printable(f"{len(port_map.ports)} sockets are in {path}"))
    if halves := without_usb2_half(port_map):
        out.print(
            printable(
                f"The kernel doesn't say where USB 2 sticks show up in {', '.join(halves)}. Go"
                " round once more with one: station ports teach --join"
            )
        )
