"""Options that several commands share, so that they are spelled and explained in one way."""

from pathlib import Path
from typing import Annotated

import typer

from station.cli.view import ViewName
from station.errors import OperatorError
from station.image.geometry import SECTOR_SIZES
from station.ledger.location import default_location

Root = Annotated[
    Path,
    typer.Option(
        "--root",
        envvar="STATION_ROOT",
        help="Folder that holds profiles/ and content_manifests/.",
        show_default="the working directory",
    ),
]
DEFAULT_LEDGER = default_location()
LedgerLocation = Annotated[
    str,
    typer.Option(
        "--ledger",
        envvar="STATION_LEDGER",
        help="SQLite file or URL of the ledger.",
        show_default="in the user's data folder",
    ),
]
ContentFolder = Annotated[
    Path | None,
    typer.Option(
        "--content",
        envvar="STATION_CONTENT",
        help="Folder that holds each manifest's files, instead of the manifests' own.",
    ),
]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
ProfileName = Annotated[
    str, typer.Option("--profile", metavar="P", help="Name of a profile: profiles/P.toml.")
]
Batch = Annotated[
    str, typer.Option("--batch", metavar="NAME", help="Name under which the ledger files the run.")
]
ViewOption = Annotated[
    ViewName | None,
    typer.Option("--view", help="How to show the run.", show_default="dashboard on a terminal"),
]
Picture = Annotated[
    Path | None,
    typer.Option(
        "--picture", metavar="FILE", help="Keep a picture (SVG) of the dashboard in FILE, besides."
    ),
]
Targets = Annotated[
    list[Path], typer.Argument(metavar="TARGET...", help="Block devices and image files.")
]


def _supported(sector_bytes: int) -> int:
    if sector_bytes not in SECTOR_SIZES:
        raise OperatorError(
            f"sectors of {sector_bytes} bytes are not supported", "512 or 4096 are."
        )
    return sector_bytes


SectorSize = Annotated[
    int,
    typer.Option(
        "--sector-size",
        metavar="BYTES",
        callback=_supported,
        help="Sector size of the drives that image files stand for: 512 or 4096.",
    ),
]
