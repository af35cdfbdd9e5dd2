"""The command: which benchmarks, how often, and how to show them."""

import os
import sys
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from scripts.benchmarks import (
    box,
    chain,
    counterfeit,
    first,
    load,
    many,
    peers,
    plan,
    plots,
    probe,
    small,
    source,
    stick,
)
from scripts.benchmarks.figures import Bar, Curve, Line, Missing, Result
from scripts.benchmarks.machine import describe_machine
from scripts.benchmarks.report import print_json, said, table_of
from scripts.benchmarks.stopping import stop_on_signals
from scripts.benchmarks.tools import install_missing
from scripts.benchmarks.workbench import Workbench
from station.errors import OperatorError

_BENCHMARKS: dict[str, Callable[[Workbench], Iterator[Result]]] = {
    "load": load.measure,
    "plan": plan.measure,
    "stick": stick.measure,
    "many": many.measure,
    "small": small.measure,
    "first": first.measure,
    "source": source.measure,
    "chain": chain.measure,
    "peers": peers.measure,
    "counterfeit": counterfeit.measure,
    "probe": probe.measure,
    "box": box.measure,
}
_AS_ROOT = ("stick", "many", "source", "chain", "peers", "counterfeit")
_FILE_COLUMNS = 140
_USAGE_EXIT_CODE = 2

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def bench(  # noqa: PLR0913 - one parameter an option
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help=f"{', '.join(_BENCHMARKS)}")
    ] = None,
    *,
    installs: Annotated[
        bool,
        typer.Option("--install", help="First install what is missing (apt-get, npm)."),
    ] = False,
    rounds: Annotated[int, typer.Option(min=1, help="How often each figure is measured.")] = 3,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    draws: Annotated[
        Path | None,
        typer.Option("--plots", metavar="DIR", file_okay=False, exists=True, help="Draw plots."),
    ] = None,
    memory: Annotated[
        Path,
        typer.Option(metavar="DIR", file_okay=False, exists=True, help="A tmpfs; room for 5 GB."),
    ] = Path("/dev/shm"),  # noqa: S108 - folders of our own are made in it
    disk: Annotated[
        Path,
        typer.Option(metavar="DIR", file_okay=False, exists=True, help="Room for 5 GB on a disk."),
    ] = Path("/var/tmp"),  # noqa: S108 - as above
) -> None:
    """Measure how fast the station is: each line a ratio of two things measured in one run."""
    selected = _selected(names)
    if installs:
        install_missing()
    out, err = Console(), Console(stderr=True, markup=False, highlight=False)
    if not out.is_terminal:
        out.width = _FILE_COLUMNS
    machine = describe_machine()
    lines: list[Line | Missing] = []
    pictures: list[Curve | Bar] = []
    try:
        for name in selected:
            err.print(f"{name} ...")
            # Closed at once when the run is stopped, and with it whatever is set up.
            with closing(_results(name, memory, disk, rounds)) as results:
                for result in results:
                    if isinstance(result, Curve | Bar):
                        pictures.append(result)
                        continue
                    err.print(f"  {said(result)}", soft_wrap=True)
                    lines.append(result)
                    if json:
                        print_json(out, name, result)
    finally:
        # Also of a run that was stopped: what it has measured took minutes.
        if draws is not None:
            plots.draw(pictures, draws)
        if not json:
            out.print(table_of(lines, machine))


def _selected(names: list[str] | None) -> list[str]:
    selected = names or list(_BENCHMARKS)
    for name in selected:
        if name not in _BENCHMARKS:
            raise typer.BadParameter(f"{name} is none of {', '.join(_BENCHMARKS)}")
    refused = [name for name in selected if name in _AS_ROOT]
    if refused and os.geteuid() != 0:
        raise OperatorError(
            f"{', '.join(refused)} can't be measured: only root makes loop devices",
            "Run it as root, or name others.",
        )
    return selected


def _results(name: str, memory: Path, disk: Path, rounds: int) -> Generator[Result, None, None]:
    with (
        tempfile.TemporaryDirectory(prefix="station-bench-", dir=memory) as memory_folder,
        tempfile.TemporaryDirectory(prefix="station-bench-", dir=disk) as disk_folder,
    ):
        yield from _BENCHMARKS[name](Workbench(Path(memory_folder), Path(disk_folder), rounds))


if __name__ == "__main__":
    stop_on_signals()
    try:
        app()
    except OperatorError as error:
        Console(stderr=True).print(f"bench: {error}", markup=False)
        sys.exit(_USAGE_EXIT_CODE)
