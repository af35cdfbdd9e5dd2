import json
import subprocess
from pathlib import Path

import pytest

from station.cli.app import main


def station(*arguments: str | Path) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["station", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.fixture
def content(tmp_path: Path) -> Path:
    folder = tmp_path / "films"
    (folder / "가").mkdir(parents=True)
    (folder / "가/나다.mp4").write_bytes(b"film")
    (folder / "b").write_bytes(b"")
    return folder


@pytest.fixture
def manifest(content: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    path = tmp_path / "films.json"

    assert station("manifest", "create", content, "-o", path) == 0
    capsys.readouterr()
    return path


def test_create_tells_files_bytes_folder_and_what_it_left_out(
    content: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (content / ".DS_Store").write_bytes(b"")
    (content / "empty").mkdir()
    code = station("manifest", "create", content, "-o", tmp_path / "films.json")

    assert code == 0
    assert capsys.readouterr().out == (
        "left out  .DS_Store  (junk of another system)\n"
        "left out  empty  (empty folder)\n"
        f"{tmp_path}/films.json: 2 files, 4 B, folder films\n"
    )


def test_create_speaks_json(
    content: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (content / ".DS_Store").write_bytes(b"")
    code = station("manifest", "create", content, "-o", tmp_path / "x.json", "--json")
    told = json.loads(capsys.readouterr().out)

    assert code == 0
    assert (told["name"], told["files"], told["bytes"]) == ("x", 2, 4)
    assert told["junk"] == [".DS_Store"]


def test_create_warns_of_paths_that_windows_can_not_open(
    content: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    long = content / ("x" * 150) / ("y" * 150)
    long.parent.mkdir()
    long.write_bytes(b"")

    assert station("manifest", "create", content, "-o", tmp_path / "x.json") == 0
    assert "too long a path for many Windows programs" in capsys.readouterr().err


def test_create_replaces_a_file_only_when_forced(
    content: Path, manifest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = manifest.read_bytes()
    (content / "new").write_bytes(b"")

    assert station("manifest", "create", content, "-o", manifest) == 2
    assert manifest.read_bytes() == before
    assert capsys.readouterr().err.endswith("is there already. Add --force to replace it.\n")
    assert station("manifest", "create", content, "-o", manifest, "--force") == 0
    assert manifest.read_bytes() != before


def test_create_tells_every_problem_in_a_line_and_writes_nothing(
    content: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (content / "CON").write_bytes(b"")
    (content / "\x1b[31m").write_bytes(b"")
    code = station("manifest", "create", content, "-o", tmp_path / "films.json")
    told = capsys.readouterr().err.splitlines()

    assert code == 2
    assert told[:2] == [
        "'\\x1b[31m' holds a control character",
        "'CON' is a reserved device name on Windows",
    ]
    assert told[2].startswith(f"station: {content}: 2 problems, named above.")
    assert not (tmp_path / "films.json").exists()


def test_a_manifest_inside_of_its_own_content_is_refused(
    content: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert station("manifest", "create", content, "-o", content / "films.json") == 2
    assert "lies inside of the folder" in capsys.readouterr().err


@pytest.mark.parametrize("output", ["nowhere/films.json", "CON.json"])
def test_a_place_or_name_that_is_none_is_refused(
    content: Path, tmp_path: Path, output: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert station("manifest", "create", content, "-o", tmp_path / output) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / output).exists()


def test_the_hashes_of_b3sum_are_taken_without_reading(
    content: Path, manifest: Path, tmp_path: Path
) -> None:
    printed = subprocess.run(
        ["b3sum", "b", "가/나다.mp4"], cwd=content, capture_output=True, check=True
    ).stdout
    (tmp_path / "sums").write_bytes(printed)
    adopted = tmp_path / "adopted.json"
    code = station(
        *("manifest", "create", content, "-o", adopted, "--name", "films"),
        *("--b3sum", tmp_path / "sums"),
    )

    assert code == 0
    assert adopted.read_bytes() == manifest.read_bytes()


def test_a_file_without_a_checksum_is_refused(
    content: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "sums").write_text(f"{'0' * 64}  ./b\n{'1' * 64}  b\n")
    output = tmp_path / "x.json"

    assert station("manifest", "create", content, "-o", output, "--b3sum", tmp_path / "sums") == 2
    told = capsys.readouterr().err
    assert "'b' has two checksums" in told
    assert "'가/나다.mp4' has no checksum" in told


def test_check_passes_a_folder_as_listed(
    manifest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert station("manifest", "check", manifest) == 0
    assert capsys.readouterr().out.endswith(": 2 files, 4 B: as listed\n")


def test_check_tells_every_difference_and_exits_with_1(
    content: Path, manifest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (content / "b").unlink()
    (content / "가/나다.mp4").write_bytes(b"flim")
    (content / "c").write_bytes(b"")
    code = station("manifest", "check", manifest)

    assert code == 1
    assert capsys.readouterr().out.splitlines() == [
        "missing  b: is not there",
        "changed  가/나다.mp4: has another content",
        "extra    c: is not listed",
        f"{content}: 2 files, 4 B: 1 missing, 1 changed, 1 extra",
    ]


def test_check_speaks_json_about_content_in_another_place(
    content: Path, manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = tmp_path / "mnt"
    elsewhere.mkdir()
    content.rename(elsewhere / "films")
    (elsewhere / "films/c").write_bytes(b"")
    code = station("manifest", "check", manifest, "--content", elsewhere, "--json")
    told = json.loads(capsys.readouterr().out)

    assert code == 1
    assert told["clean"] is False
    assert told["extra"] == [{"path": "c", "problem": "is not listed"}]
    assert told["missing"] == told["changed"] == []


def test_check_refuses_what_is_no_manifest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "films.json").write_text("{}")

    assert station("manifest", "check", tmp_path / "films.json") == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_an_export_is_accepted_by_stock_b3sum(
    content: Path, manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert station("manifest", "export", manifest) == 0
    printed = capsys.readouterr().out
    assert station("manifest", "export", manifest, "-o", tmp_path / "sums") == 0
    judged = subprocess.run(
        ["b3sum", "--check", "../sums"], cwd=content, capture_output=True, check=False
    )

    assert judged.returncode == 0
    assert printed == (tmp_path / "sums").read_text("utf-8")
    assert station("manifest", "export", manifest, "-o", tmp_path / "sums") == 2
