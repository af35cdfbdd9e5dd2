from pathlib import Path

import pytest

from station.errors import OperatorError
from station.usb import map_file
from station.usb.labels import Port, PortMap, load_port_map
from station.usb.map_file import find_port_map, port_map_path, save_port_map

LEFT = PortMap((Port("0000:00:14.0/1.4", "left"),))
RIGHT = PortMap((Port("0000:00:14.0/1.5", "right"),))


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "home" / "ports.toml"
    monkeypatch.setattr(map_file, "default_port_map", lambda: path)
    monkeypatch.setattr(map_file, "SITE_PORT_MAP", tmp_path / "etc" / "ports.toml")
    return path


def test_a_map_is_written_with_its_folder_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "new" / "ports.toml"

    save_port_map(path, LEFT)

    assert load_port_map(path) == LEFT


def test_a_map_replaces_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "ports.toml"
    save_port_map(path, LEFT)
    save_port_map(path, RIGHT)

    assert load_port_map(path) == RIGHT
    assert [entry.name for entry in tmp_path.iterdir()] == ["ports.toml"]


def test_a_place_that_cannot_be_written_to_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(OperatorError, match="can't be made"):
        save_port_map(tmp_path / "file" / "ports.toml", LEFT)


def test_the_users_own_map_comes_before_the_machines(own: Path) -> None:
    save_port_map(map_file.SITE_PORT_MAP, RIGHT)
    assert find_port_map() == RIGHT

    save_port_map(own, LEFT)
    assert find_port_map() == LEFT
    assert find_port_map(map_file.SITE_PORT_MAP) == RIGHT


def test_without_any_map_no_port_is_taught(own: Path) -> None:
    assert find_port_map() == PortMap()
    assert port_map_path() == own


@pytest.mark.usefixtures("own")
def test_a_named_map_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="can't be read"):
        find_port_map(tmp_path / "none.toml")
