"""Whatever is wrong before the first write is told in one line, with exit code 2."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.small_station import SmallStation, call

Break = Callable[[SmallStation], None]


def as_it_is(_station: SmallStation) -> None:
    pass


def written(path: str, text: str) -> Break:
    def write(station: SmallStation) -> None:
        (station.root / path).write_text(text)

    return write


def profile_says(text: str) -> Break:
    return written("profiles/films.toml", text)


def without(path: str) -> Break:
    return lambda station: (station.root / path).unlink()


def manifest_with(**changes: object) -> Break:
    def change(station: SmallStation) -> None:
        path = station.root / "content_manifests/films.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return change


def longer_file(station: SmallStation) -> None:
    (station.root / "content_manifests/files/films/README.TXT").write_bytes(b"longer" * 999)


def kept_before(station: SmallStation) -> None:
    (station.root / "kept").mkdir()
    (station.root / "kept/port-1.img").write_bytes(b"precious")


def taught(text: str) -> Break:
    return written("ports.toml", text)


BUNDLE = '[[bundle]]\nmanifest = "films"\n'
VIRTUAL = ("run", "--virtual", "1")
REAL = ("run",)
LOAD = ("load", "{root}/stick.img")
VERIFY = ("verify", "{root}/stick.img")
PORTS = ("run", "--ports", "{root}/ports.toml")

CASES: list[tuple[Break, tuple[str, ...], str]] = [
    (as_it_is, (*VIRTUAL, "--profile", "filns"), "Did you mean 'films'?"),
    (as_it_is, (*VIRTUAL, "--profile", "../films"), "holds no profile"),
    (as_it_is, (*VIRTUAL, "--root", "{root}/nowhere"), "Name the folder that holds profiles/"),
    (profile_says("label = \n"), VIRTUAL, "films.toml:1: is no TOML"),
    (profile_says('[volume]\nlable = "X"\n' + BUNDLE), VIRTUAL, "films.toml:2: volume.lable"),
    (profile_says('[drive]\nmin_capacity = "8 apples"\n' + BUNDLE), LOAD, "films.toml:2: drive"),
    (profile_says('[erase]\npolicy = "shred"\n' + BUNDLE), VERIFY, "films.toml:2: erase.policy"),
    (profile_says("title = 'x'\n"), VIRTUAL, "bundle"),
    (profile_says(BUNDLE * 2), VIRTUAL, "named a second time"),
    (without("content_manifests/films.json"), VIRTUAL, "station manifest create"),
    (manifest_with(format=99), LOAD, "format"),
    (manifest_with(name="other"), LOAD, "differs from the file's name"),
    (
        manifest_with(files=[{"path": "../x", "size": 1, "blake3": "0" * 64}]),
        LOAD,
        "leaves the folder",
    ),
    (without("content_manifests/files/films/README.TXT"), VIRTUAL, "is not complete: 'README.TXT'"),
    (longer_file, LOAD, "is not complete: 'README.TXT'"),
    (as_it_is, (*VIRTUAL, "--content", "{root}/nowhere"), "nowhere"),
    (as_it_is, (*REAL, "--keep", "{root}/kept"), "--keep goes with --virtual"),
    (kept_before, (*VIRTUAL, "--keep", "{root}/kept"), "already holds port-1.img"),
    (as_it_is, (*VIRTUAL, "--keep", "{root}/stick.img"), "can't be made"),
    (as_it_is, (*VIRTUAL, "--protect", "my stick"), "which drive to protect"),
    (as_it_is, (*LOAD, "--protect", "serial:"), "which drive to protect"),
    (as_it_is, PORTS, "can't be read"),
    (taught("[[port"), PORTS, "is no TOML"),
    (taught('[[port]]\nlabel = "A1"\npath = "here"\n'), PORTS, "port 1, path"),
    (as_it_is, (*VIRTUAL, "--ledger", "{root}/stick.img/ledger.sqlite"), "ledger"),
    (as_it_is, (*VIRTUAL, "--ledger", "{root}"), "ledger"),
    (as_it_is, (*LOAD, "--ledger", "{root}/stick.img"), "is no ledger"),
    (as_it_is, (*LOAD, "--ledger", "/proc/ledger.sqlite"), "ledger"),
    (as_it_is, (*LOAD, "--ledger", "postgresql://me:secret@host/x"), "only SQLite"),
    (as_it_is, (*VIRTUAL, "--view", "dashboard"), "needs a terminal"),
    (as_it_is, (*VIRTUAL, "--view", "cinema"), "--view"),
    (as_it_is, (*VIRTUAL, "--picture", "{root}/nowhere/x.svg"), "its folder does not exist"),
    (as_it_is, ("run", "--virtual", "0"), "--virtual"),
    (as_it_is, ("run", "--virtual", "many"), "--virtual"),
    (as_it_is, (*LOAD, "--sector-size", "1000"), "512 or 4096"),
    (as_it_is, (*VERIFY, "--sector-size", "0"), "512 or 4096"),
    (as_it_is, ("load",), "TARGET"),
    (as_it_is, ("lode", "{root}/stick.img"), "lode"),
    (as_it_is, (*LOAD, "--faster"), "--faster"),
]


@pytest.mark.parametrize(
    ("make_wrong", "arguments", "told"), CASES, ids=[" ".join(case[1]) for case in CASES]
)
def test_a_bad_input_is_one_line_and_exit_code_2_and_nothing_is_written(
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    make_wrong: Break,
    arguments: tuple[str, ...],
    told: str,
) -> None:
    station = SmallStation.make(tmp_path / "station")
    station.image()
    make_wrong(station)
    before = station.fingerprint()
    command, *options = (argument.replace("{root}", str(station.root)) for argument in arguments)
    usual = {
        "--root": str(station.root),
        "--profile": "films",
        "--ledger": str(station.ledger),
    }
    if command == "verify":
        usual.pop("--ledger")
    for name, value in usual.items():
        if name not in options:
            options += [name, value]
    code = call(command, *options)
    streams = capfd.readouterr()

    assert code == 2, streams
    assert streams.out == ""
    assert streams.err.startswith("station: ")
    assert streams.err.count("\n") == 1
    assert told in streams.err
    assert "secret" not in streams.err
    assert station.fingerprint() == before


def test_a_hostile_name_can_not_drive_the_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    station = SmallStation.make(tmp_path / "station")
    code = call("run", "--root", station.root, "--profile", "\x1b[2J\n[red]x")
    errors = capfd.readouterr().err

    assert code == 2
    assert errors.count("\n") == 1
    assert "\x1b" not in errors
    assert "[red]x" in errors


def test_without_a_command_the_help_is_shown(capfd: pytest.CaptureFixture[str]) -> None:
    code = call()
    told = capfd.readouterr()

    assert (code, told.err) == (2, "")
    assert "Usage: station" in told.out
