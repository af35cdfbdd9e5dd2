"""Whatever sticks say of themselves, nobody who reads of a run is driven or misled by it."""

import csv
import io
import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from station.cli.log import log
from station.dashboard.event import RunEnded, StationEvent
from station.dashboard.export import export_svg
from station.dashboard.json_lines import JsonLinesView
from station.dashboard.plain import PlainView
from station.hotplug.virtual import VirtualStick
from station.text import printable
from station.units import MIB
from tests.faults.one_run import Station, TapedView
from tests.job.workshop import STICK_BYTES

HOSTILE = (
    "\x1b]0;owned\x07\x1b[2J",
    "[bold red]PASS[/] [link=file:///etc/passwd]x",
    "one\nA1  PASS  pull it\r\n",
    "\u202egnp.exe\u2066",
    "\udcff\udcfe lone surrogates",
    '=HYPERLINK("http://example.org")',
    "+1", "-1", "@SUM(A1)", "\t=1+1",
    "</text><script>alert(1)</script>]]>&amp;",
    "nul\0nul",
    "next\x85line\u2028para\u2029",
    "zero\u200bwidth\ufeff",
    "x" * 5000,
    "%s{0}\\x1b",
    "가나다" * 40,
    "e\u0301\u0301\u0301",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outputs:
    """All that a run of hostile sticks left to be read."""

    station: Station
    plain: str
    json_lines: str
    picture: str


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Outputs:
    """One run: a stick that is loaded, and one a string that is refused for its size."""
    station = Station(tmp_path_factory.mktemp("hostile"))
    sticks = [
        VirtualStick(
            f"p{number}",
            MIB,
            vendor=string,
            model=string[::-1],
            serial=string,
            usb_id=string[:9],
        )
        for number, string in enumerate(HOSTILE)
    ]
    sticks.append(VirtualStick("good", STICK_BYTES, vendor=HOSTILE[0], model=HOSTILE[2]))
    plain, json_lines, picture = io.StringIO(), io.StringIO(), io.StringIO()
    views = (PlainView(plain), JsonLinesView(json_lines))

    def show(event: StationEvent) -> None:
        for view in views:
            view.tell(event)
        if isinstance(event, RunEnded) and taped.sample is not None:
            picture.write(export_svg(taped.sample(), 220, 60, "station: test"))

    taped = TapedView(show)
    tally = station.run(*sticks, view=taped)
    assert (tally.passed, tally.refused) == (1, len(HOSTILE))
    return Outputs(station, plain.getvalue(), json_lines.getvalue(), picture.getvalue())


def require_clean(text: str) -> None:
    """Nothing in it drives a terminal, ends a line or can't be seen."""
    for line in text.split("\n"):
        assert printable(line) == line


def test_plain_lines_are_one_an_event_and_clean(outputs: Outputs) -> None:
    require_clean(outputs.plain)
    inserted = [line for line in outputs.plain.splitlines() if " inserted" in line]

    assert len(inserted) == len(HOSTILE) + 1


def test_json_lines_are_ascii_and_give_each_string_back_as_it_was(outputs: Outputs) -> None:
    assert outputs.json_lines.isascii()
    require_clean(outputs.json_lines)
    events = [json.loads(line) for line in outputs.json_lines.splitlines()]
    vendors = {e["drive"]["vendor"] for e in events if e["event"] == "inserted"}

    assert len(vendors) == len(HOSTILE)


def test_the_picture_is_well_formed_and_holds_nothing_but_text(outputs: Outputs) -> None:
    tree = ET.fromstring(outputs.picture)  # noqa: S314 - our own output is what is judged
    kinds = {element.tag.rpartition("}")[2] for element in tree.iter()}

    assert kinds <= {"svg", "style", "defs", "clipPath", "rect", "text", "g", "circle"}
    for text in tree.iter("{http://www.w3.org/2000/svg}text"):
        require_clean(text.text or "")


def test_the_table_of_the_log_is_clean(
    outputs: Outputs, capsys: pytest.CaptureFixture[str]
) -> None:
    log(ledger=str(outputs.station.ledger))
    shown = capsys.readouterr().out

    require_clean(shown)
    assert f"1 passed, 0 failed, {len(HOSTILE)} refused" in shown


def test_no_cell_of_the_csv_is_run_by_a_spreadsheet(
    outputs: Outputs, capsys: pytest.CaptureFixture[str]
) -> None:
    log(ledger=str(outputs.station.ledger), csv=True)
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out, newline=""), strict=True))

    assert len(rows) == len(HOSTILE) + 2
    for cell in (cell for row in rows for cell in row):
        require_clean(cell)
        assert not cell.startswith(("=", "+", "-", "@"))


def test_the_json_of_the_log_is_ascii_and_whole(
    outputs: Outputs, capsys: pytest.CaptureFixture[str]
) -> None:
    log(ledger=str(outputs.station.ledger), json=True)
    shown = capsys.readouterr().out

    assert shown.isascii()
    assert len(json.loads(shown)) == len(HOSTILE) + 1


def test_the_ledgers_own_file_holds_no_control_character(outputs: Outputs) -> None:
    with closing(sqlite3.connect(outputs.station.ledger)) as judge:
        cells = [cell for row in judge.execute("SELECT * FROM job") for cell in row]

    for cell in cells:
        require_clean(str(cell))


def test_no_file_was_made_but_the_stations_own(outputs: Outputs) -> None:
    names = {path.name for path in outputs.station.folder.iterdir()}
    images = {f"p{number}.img" for number in range(len(HOSTILE))} | {"good.img"}

    assert names == images | {"content", Path(outputs.station.ledger).name}
