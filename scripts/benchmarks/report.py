"""How results are shown: a table, or one JSON object a line."""

import json
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from scripts.benchmarks.figures import RATIO, Line, Missing

_VERDICTS = {True: "met", False: "NOT MET", None: ""}


def table_of(lines: Sequence[Line | Missing], title: str) -> Table:
    """All lines."""
    table = Table(title=title, title_justify="left", box=None)
    table.add_column("what")
    for heading in ("median", "lowest", "highest", "runs", "wanted"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for line in lines:
        match line:
            case Missing():
                table.add_row(f"{line.name}: {line.reason}", *[""] * 5, "MISSING")
            case Line():
                table.add_row(
                    line.name,
                    _figure(line),
                    f"{min(line.values):.3f}",
                    f"{max(line.values):.3f}",
                    str(len(line.values)),
                    "" if line.bound is None else str(line.bound),
                    _VERDICTS[line.is_met],
                )
    return table


def said(line: Line | Missing) -> str:
    """One line in words, while others are still being measured."""
    return f"{line.name}: {_figure(line) if isinstance(line, Line) else line.reason}"


def _figure(line: Line) -> str:
    return f"{line.median:.3f}" if line.unit == RATIO else f"{line.median:.4g} {line.unit}"


def print_json(console: Console, benchmark: str, line: Line | Missing) -> None:
    """One line as one object."""
    document: dict[str, object] = {"benchmark": benchmark, "name": line.name}
    match line:
        case Missing():
            document["missing"] = line.reason
        case Line():
            document |= {
                "unit": line.unit,
                "runs": len(line.values),
                "median": line.median,
                "lowest": min(line.values),
                "highest": max(line.values),
                "wanted": None if line.bound is None else str(line.bound),
                "met": line.is_met,
            }
    console.print(
        json.dumps(document, ensure_ascii=False), soft_wrap=True, markup=False, highlight=False
    )
