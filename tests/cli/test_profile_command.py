import json
from pathlib import Path

import pytest

from station.cli.app import main

DIGEST = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"


def station(*arguments: str | Path) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["station", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A station with one profile of one bundle of one empty file."""
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles/films.toml").write_text(
        'title = "Films"\n[volume]\nlabel = "MOVIES"\n[drive]\nmin_capacity = "7GB"\n'
        '[[bundle]]\nmanifest = "films"\ntarget = "f"\n'
    )
    (tmp_path / "content_manifests/files").mkdir(parents=True)
    (tmp_path / "content_manifests/films.json").write_text(
        '{"format": 1, "name": "films", "folder": "files", "files": '
        f'[{{"path": "a", "size": 0, "blake3": "{DIGEST}"}}]}}'
    )
    (tmp_path / "content_manifests/files/a").write_bytes(b"")
    monkeypatch.setenv("STATION_ROOT", str(tmp_path))
    return tmp_path


@pytest.mark.usefixtures("root")
def test_list_tells_name_and_title(capsys: pytest.CaptureFixture[str]) -> None:
    assert station("profile", "list") == 0
    assert capsys.readouterr().out == "films  Films\n"


def test_list_tells_a_broken_profile_beside_the_others(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "profiles/broken.toml").write_text("x = 1")

    assert station("profile", "list") == 2
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith(f"broken  broken: {root}/profiles/broken.toml:1: ")
    assert told[1] == "films   Films"
    assert station("profile", "list", "--json") == 2
    rows = json.loads(capsys.readouterr().out)
    assert [(row["name"], bool(row["error"])) for row in rows] == [
        ("broken", True),
        ("films", False),
    ]


@pytest.mark.usefixtures("root")
def test_show_tells_what_the_file_leaves_to_the_defaults(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert station("profile", "show", "films") == 0
    assert capsys.readouterr().out.splitlines() == [
        "profile       films",
        "title         Films",
        "label         MOVIES",
        "layout        mbr",
        "erase         overwrite",
        "read back     full",
        "min capacity  7 GB",
        "max capacity  any",
        "probe         for counterfeits, first",
        "bundle 1      films, required, in f/",
    ]


@pytest.mark.usefixtures("root")
def test_show_speaks_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert station("profile", "show", "films", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["drive"]["min_capacity_bytes"] == 7_000_000_000
    assert told["drive"]["max_capacity_bytes"] is None
    assert told["bundles"] == [{"manifest": "films", "required": True, "target": "f"}]


@pytest.mark.parametrize("command", ["show", "check"])
@pytest.mark.usefixtures("root")
def test_an_unknown_profile_is_refused_in_one_line(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert station("profile", command, "film") == 2
    told = capsys.readouterr()
    assert told.err.count("\n") == 1
    assert "Did you mean 'films'? There is: films" in told.err
    assert told.out == ""


@pytest.mark.usefixtures("root")
def test_check_passes_a_profile_whose_files_are_there(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert station("profile", "check", "films") == 0
    assert capsys.readouterr().out == "films: ready, 1 files, 0 B\n"


def test_check_exits_with_1_when_files_differ(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "content_manifests/files/a").unlink()

    assert station("profile", "check", "films") == 1
    assert capsys.readouterr().out.startswith("films: missing: 'a' is not there\n")


def test_check_exits_with_2_when_a_manifest_is_missing(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "content_manifests/films.json").unlink()

    assert station("profile", "check", "films") == 2
    assert "station manifest create DIR -o" in capsys.readouterr().out
    assert station("profile", "check", "films", "--json") == 2
    told = json.loads(capsys.readouterr().out)
    assert told["ready"] is False
    assert told["bundles"][0]["state"] == "refused"
