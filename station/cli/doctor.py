"""`station doctor`: whether this machine is fit to be a station."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from station.cli.console import out, print_json
from station.cli.exit_code import ExitCode
from station.cli.options import ContentFolder, JsonFlag, LedgerLocation, Root
from station.cli.ports import MapFile
from station.doctor.checks import Examination, examine
from station.doctor.finding import Severity
from station.doctor.machine import Machine
from station.ledger.location import default_location
from station.text import printable
from station.usb.map_file import port_map_path

_STYLES = {Severity.PROBLEM: "bold red", Severity.ADVICE: "yellow"}
_WORD_CELLS = max(len(severity) for severity in Severity) + 1


def doctor(  # noqa: PLR0913 - one parameter an option
    *,
    profile: Annotated[
        str | None,
        typer.Option(metavar="P", help="Look for the files of this profile, too."),
    ] = None,
    root: Root = Path(),
    content: ContentFolder = None,
    ledger: LedgerLocation = "",
    map_file: MapFile = None,
    json: JsonFlag = False,
) -> None:
    """Tell whether this machine is fit to be a station, with a remedy for each finding.

    Looks only, and changes nothing. Exits with 1 when something would keep sticks from being
    loaded; advice alone leaves it at 0.
    """
    machine = Machine(
        port_map=port_map_path(map_file),
        ledger=ledger or default_location(),
        now=datetime.now(UTC).astimezone(),
        catalog=root,
        profile=profile,
        content=content,
    )
    examinations = examine(machine)
    is_fit = all(examination.is_fit for examination in examinations)
    if json:
        print_json({"fit": is_fit, "checks": [_as_json(each) for each in examinations]})
    else:
        for line in _lines(examinations):
            out.print(line)
    if not is_fit:
        raise typer.Exit(ExitCode.NOT_ALL_PASSED)


def _lines(examinations: Iterable[Examination]) -> Iterable[Text]:
    for examination in examinations:
        if not examination.findings:
            yield _line("ok", "green", examination.check.promise)
        for finding in examination.findings:
            style = _STYLES[finding.severity]
            yield _line(finding.severity, style, f"{finding.problem}. {finding.remedy}")


def _line(word: str, style: str, text: str) -> Text:
    return Text.assemble((f"{word:<{_WORD_CELLS}}", style), printable(text))


def _as_json(examination: Examination) -> dict[str, object]:
    return {
        "check": examination.check.name,
        "promise": examination.check.promise,
        "findings": [
            {
                "severity": str(finding.severity),
                "problem": finding.problem,
                "remedy": finding.remedy,
            }
            for finding in examination.findings
        ],
    }
