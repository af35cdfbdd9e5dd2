"""The command: which benchmarks, how often, and how to show them."""

import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from scripts.benchmarks import chain, load, many, plan, plots, small, stick
from scripts.benchmarks.figures import Bar, Curve, Line, Result
from scripts.benchmarks.machine import describe_machine
from scripts.benchmarks.report import print_json, table_of
from scripts.benchmarks.workbench import Workbench
from station.errors import OperatorError

_BENCHMARKS: dict[str, Callable[[Workbench], Iterator[Result]]] = {
    "load": load.measure,
    "plan": plan.measure,
    "stick": stick.measure,
    "many": many.measure,
    "small": small.measure,
    "chain": chain.measure,
}
_USAGE_EXIT_CODE = 2

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def bench(  # noqa: PLR0913 - one parameter an option
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help=f"{', '.join(_BENCHMARKS)}")
    ] = None,
    *,
    rounds: Annotated[int, typer.Option(min=1, help="How often each figure is measured.")] = 3,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    draws: Annotated[
        Path | None,
        typer.Option("--plots", metavar="DIR", file_okay=False, exists=True, help="Draw plots."),
    ] = None,
    memory: Annotated[
        Path, typer.Option(metavar="DIR", file_okay=False, exists=True, help="A tmpfs.")
    ] = Path("/dev/shm"),  # noqa: S108 - folders of our own are made in it
    disk: Annotated[
        Path, typer.Option(metavar="DIR", file_okay=False, exists=True, help="Room for 5 GB.")
    ] = Path("/var/tmp"),  # noqa: S108 - as above
) -> None:
    """Measure how fast the station is: each line a ratio of two things measured in one run."""
    unknown = [name for name in names or () if name not in _BENCHMARKS]
    if unknown:
        raise typer.BadParameter(f"{unknown[0]} is none of {', '.join(_BENCHMARKS)}")
    out, err = Console(), Console(stderr=True)
    machine = describe_machine()
    lines: list[Line] = []
    pictures: list[Curve | Bar] = []
    for name in names or _BENCHMARKS:
        err.print(f"{name} ...", highlight=False)
        with (
            tempfile.TemporaryDirectory(prefix="station-bench-", dir=memory) as memory_folder,
            tempfile.TemporaryDirectory(prefix="station-bench-", dir=disk) as disk_folder,
        ):
            bench = Workbench(Path(memory_folder), Path(disk_folder), rounds)
            for result in _BENCHMARKS[name](bench):
                if isinstance(result, Curve | Bar):
                    pictures.append(result)
                    continue
                lines.append(result)
                if json:
                    print_json(out, name, result)
        # After each, so that a long run that is stopped leaves the pictures that it has.
        if draws is not None:
            plots.draw(pictures, draws)
    if not json:
        out.print(table_of(lines, machine))


if __name__ == "__main__":
    try:
        app()
    except OperatorError as error:
        Console(stderr=True).print(f"bench: {error}", markup=False)
        sys.exit(_USAGE_EXIT_CODE)
