"""Options that several commands share, so that they are spelled and explained in one way."""

from pathlib import Path
from typing import Annotated

import typer

Root = Annotated[
    Path,
    typer.Option(
        "--root",
        envvar="STATION_ROOT",
        help="Folder that holds profiles/ and content_manifests/.",
        show_default="the working directory",
    ),
]
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
