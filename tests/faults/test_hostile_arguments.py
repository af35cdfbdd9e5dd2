"""Whatever is typed or put into a file that people write, it is read or refused in one line."""

import io
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from station.errors import OperatorError
from station.hotplug.virtual import VirtualStick
from station.ledger.ledger import Ledger
from station.ledger.location import ledger_path
from station.text import printable
from station.units import MIB, parse_size
from station.usb.guard import ProtectedDrive
from station.usb.labels import load_port_map, parse_port_map
from tests.cli.small_station import call
from tests.faults.one_run import Station

ANY_TEXT = st.text(st.characters(), max_size=60)

# Whole entries, some of which can't stand beside each other.
MAP_ENTRIES = st.sampled_from(
    [
        '[[port]]\nlabel = "A1"\npath = "0000:00:14.0/1"\n',
        '[[port]]\nlabel = "A2"\npath = ["0000:00:14.0/2", "0000:00:14.0/3"]\n',
        '[[port]]\nlabel = "A3"\npath = "0000:00:14.0/3"\nhub = "left"\n',
        '[[port]]\nlabel = "\u202eA1"\npath = "0000:00:14.0/4"\n',
    ]
)
# What is put between them; the whole is mostly TOML then, and seldom a map.
MAP_PIECES = st.sampled_from(
    [
        "[[port]]\n",
        "[port]\n",
        'label = "A1"\n',
        'label = ""\n',
        'label = "\\u001b[2J"\n',
        'label = "\\u202eA1"\n',
        "label = 7\n",
        "label = [1, 2]\n",
        'path = "0000:00:14.0/1.4.3"\n',
        'path = "../../etc/passwd"\n',
        "path = 1979-05-27\n",
        "port = 1\n",
        "port = []\n",
        "port = [[[[]]]]\n",
        "x = nan\n",
        "\0",
        "\udcff",
        '"""',
    ]
)


def complaint(error: OperatorError) -> str:
    """The one line that a person sees; nothing in it drives the terminal."""
    line = printable(str(error))
    assert line
    return line


@given(
    (st.lists(MAP_ENTRIES, max_size=4) | st.lists(MAP_ENTRIES | MAP_PIECES, max_size=12)).map(
        "".join
    )
)
def test_any_mixture_of_toml_is_a_port_map_or_refused(text: str) -> None:
    try:
        ports = parse_port_map(text, "ports.toml").ports
    except OperatorError as error:
        complaint(error)
        return

    assert all(port.label == printable(port.label) for port in ports)
    assert len({port.label for port in ports}) == len(ports)
    names = [name for port in ports for name in port.names]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    "text",
    [
        "port = " + "[" * 5000 + "]" * 5000,
        "x" * 1_000_000,
        "a." * 5000 + "b = 1",
        "[[port]]\nlabel = " + "9" * 10_000,
        "[[port]]\n" * 50_000,
    ],
    ids=["deep nesting", "a long key", "a deep key", "a huge number", "many entries"],
)
def test_a_port_map_made_to_exhaust_its_reader_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "ports.toml"
    path.write_text(text)
    with pytest.raises(OperatorError) as caught:
        load_port_map(path)

    assert len(str(caught.value)) < 1000


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_any_bytes_are_a_port_map_or_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "ports.toml"
    path.write_bytes(data)
    try:
        load_port_map(path)
    except OperatorError as error:
        complaint(error)


@given(ANY_TEXT | st.from_regex(r"(sqlite|SQLITE|postgres|file)://?/?/?[^\n]{0,20}"))
def test_any_text_names_a_ledger_or_is_refused(text: str) -> None:
    try:
        path = ledger_path(text)
    except OperatorError as error:
        complaint(error)
        return

    assert isinstance(path, Path)


@pytest.mark.parametrize("text", ["~nobody-of-this-name/l", "a\0b", "sqlite:///a\0b", "\ud800"])
def test_what_can_not_be_a_files_name_is_no_ledger(text: str) -> None:
    with pytest.raises(OperatorError) as caught:
        ledger_path(text)

    complaint(caught.value)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ANY_TEXT)
def test_no_text_opens_a_ledger_that_is_not_there(tmp_path: Path, text: str) -> None:
    for location in (f"{tmp_path}/{text}", f"sqlite:///{tmp_path}/{text}"):
        with pytest.raises(OperatorError) as caught, Ledger.open(location, read_only=True):
            pass

        complaint(caught.value)


@given(ANY_TEXT | st.from_regex(r"\d{1,30}(\.\d{1,30})? ?[KMGTkmgt]?i?B?", fullmatch=True))
def test_any_text_is_a_size_or_refused(text: str) -> None:
    try:
        size_bytes = parse_size(text)
    except OperatorError as error:
        complaint(error)
        return

    assert size_bytes >= 0


@given(ANY_TEXT | ANY_TEXT.map("serial:{}".format) | ANY_TEXT.map("usb:{}".format))
def test_any_text_names_a_drive_to_protect_or_is_refused(text: str) -> None:
    try:
        drive = ProtectedDrive.parse(text)
    except OperatorError as error:
        complaint(error)
        return

    assert printable(str(drive))


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    station = Station(tmp_path_factory.mktemp("log"))
    station.run(VirtualStick("a", MIB), VirtualStick("b", MIB))
    return station.ledger


OPTIONS = st.sampled_from(
    ["--verdict", "--since", "--until", "--batch", "--limit", "--sort", "--json", "--csv", "--odd"]
)
VALUES = (
    ANY_TEXT
    | st.sampled_from(["pass", "today", "2 days", "99999999999 weeks", "nan", "-1", "0", "pause"])
    | st.integers().map(str)
    | st.datetimes().map(str)
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(OPTIONS, VALUES), max_size=4))
def test_any_arguments_of_the_log_show_a_list_or_one_line(
    ledger: Path, arguments: list[tuple[str, str]]
) -> None:
    shown, complained = io.StringIO(), io.StringIO()
    # As a shell passes them on: no argument of a process holds a NUL.
    words = [word.replace("\0", "") for pair in arguments for word in pair]
    with redirect_stdout(shown), redirect_stderr(complained):
        code = call("log", "--ledger", ledger, *words)

    assert code in (0, 2)
    lines = complained.getvalue().splitlines()
    assert len(lines) == (code == 2)
    assert all(line == printable(line) for line in lines)
    assert (shown.getvalue() == "") == (code == 2)
