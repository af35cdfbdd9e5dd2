from pathlib import Path

import pytest

from station.cli import install
from station.cli.app import main
from station.usb.labels import Port, load_port_map
from tests.usb.usb_tree import UsbTree

ROOT = "0000:00:14.0"
INSTALLED = [
    "etc/station/ports.toml",
    "etc/systemd/system/station@.service",
    "etc/sysusers.d/station.conf",
    "etc/udev/rules.d/61-station.rules",
]


def station(*arguments: str | Path) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["station", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.fixture
def taught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    tree = UsbTree(tmp_path / "machine")
    tree.add_root(1, 2)
    monkeypatch.setattr(install, "SYSFS", tree.sys)
    path = tmp_path / "ports.toml"
    path.write_text(f'[[port]]\nlabel = "A1"\npath = "{ROOT}/1.4"\n')
    return path


def files_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_dry_run_prints_every_file_and_writes_none(
    taught: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "target"

    assert station("install", "--map", taught, "--dry-run", "--destdir", target) == 0
    told = capsys.readouterr().out
    assert [f"# ---- {target}/{name}" in told for name in INSTALLED] == [True] * len(INSTALLED)
    assert "User=station" in told
    assert f"{ROOT}/usb[0-9]*/[0-9]*-1.4/" in told
    assert not target.exists()


def test_dry_run_needs_no_root(
    taught: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)

    assert station("install", "--map", taught, "--dry-run") == 0
    assert "# ---- /etc/udev/rules.d/61-station.rules" in capsys.readouterr().out


def test_install_writes_below_a_folder_and_uninstall_removes_it_all(
    taught: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "target"

    assert station("install", "--map", taught, "--destdir", target) == 0
    assert files_below(target) == INSTALLED
    assert load_port_map(target / INSTALLED[0]).ports == (Port(f"{ROOT}/1.4", "A1"),)

    assert station("uninstall", "--dry-run", "--destdir", target) == 0
    assert files_below(target) == INSTALLED
    assert station("uninstall", "--destdir", target) == 0
    assert files_below(target) == []
    capsys.readouterr()
    assert station("uninstall", "--destdir", target) == 0
    assert capsys.readouterr().out == "Nothing was installed.\n"


@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_on_the_machine_itself_it_takes_root(
    command: str,
    taught: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setenv("STATION_PORTS", str(taught))

    assert station(command) == 2
    assert "only root may do that" in capsys.readouterr().err


def test_without_taught_ports_there_is_nothing_to_install(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert station("install", "--map", tmp_path / "none.toml", "--dry-run") == 2
    assert "station ports teach" in capsys.readouterr().err


def test_a_tty_that_is_no_device_is_refused(
    taught: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert station("install", "--map", taught, "--tty", "tty8", "--dry-run") == 2
    assert "tty8 is no console" in capsys.readouterr().err
