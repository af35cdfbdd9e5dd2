import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from station.cli import ports
from station.cli.app import main
from station.device.drive import DriveInfo
from station.hotplug.events import Inserted, PlugEvent, Port, Removed
from station.usb import map_file
from station.usb.labels import load_port_map
from station.usb.tree import HostController, read_usb_tree
from tests.usb.usb_tree import UsbTree

ROOT = "0000:00:14.0"
Plugs = Callable[..., None]


def station(*arguments: str | Path) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["station", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


class ScriptedHub:
    """Tells what a test scripted, one list a poll, and then is interrupted by Ctrl-C."""

    def __init__(self, polls: Sequence[Sequence[PlugEvent]]) -> None:
        self._polls = list(polls)

    def poll(self, timeout_s: float) -> Sequence[PlugEvent]:
        del timeout_s
        if not self._polls:
            raise KeyboardInterrupt
        return self._polls.pop(0)

    def close(self) -> None:
        pass


def pushed(chain: str, diskseq: int = 1, model: str = "Cruzer") -> Inserted:
    return Inserted(
        DriveInfo(
            "/dev/sdb",
            8_000_000_000,
            diskseq=diskseq,
            port=f"{ROOT}/{chain}",
            vendor="SanDisk",
            model=model,
            link_mbps=480,
        )
    )


@pytest.fixture
def plugs(monkeypatch: pytest.MonkeyPatch) -> Plugs:
    def script(*polls: Sequence[PlugEvent]) -> None:
        monkeypatch.setattr(ports, "UdevHub", lambda *_: ScriptedHub(polls))

    return script


@pytest.fixture
def usb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> UsbTree:
    tree = UsbTree(tmp_path / "machine")
    tree.add_root(1, 2)
    tree.add_root(2, 1, mbps=5000)
    tree.pair((1, "2"), (2, "1"))
    tree.add_usb3_hub((1, "2"), (2, "1"), ports=2)

    def read() -> tuple[HostController, ...]:
        return read_usb_tree(tree.sys)

    monkeypatch.setattr(ports, "read_usb_tree", read)
    monkeypatch.setattr(map_file, "default_port_map", lambda: tmp_path / "none.toml")
    monkeypatch.setattr(map_file, "SITE_PORT_MAP", tmp_path / "none.toml")
    return tree


def test_teach_writes_the_sockets_in_the_order_in_which_they_were_shown(
    tmp_path: Path, plugs: Plugs, capsys: pytest.CaptureFixture[str]
) -> None:
    plugs([], [pushed("1.4")], [Removed(f"{ROOT}/1.4", 1)], [pushed("1.2", 2)])
    path = tmp_path / "new" / "ports.toml"

    assert station("ports", "teach", "--labels", "A1-A2", "--map", path) == 0
    assert load_port_map(path).ports == (Port(f"{ROOT}/1.4", "A1"), Port(f"{ROOT}/1.2", "A2"))
    told = capsys.readouterr().out.splitlines()
    assert told[1:4] == [
        "Push a stick into socket A1.",
        f"A1 is {ROOT}/1.4: SanDisk Cruzer 8 GB on USB 2. Now socket A2.",
        f"A2 is {ROOT}/1.2: SanDisk Cruzer 8 GB on USB 2.",
    ]


def test_teach_takes_no_stick_that_was_in_before(
    tmp_path: Path, plugs: Plugs, capsys: pytest.CaptureFixture[str]
) -> None:
    plugs([pushed("3", model="Backup")], [pushed("1.4", 2)])
    path = tmp_path / "ports.toml"

    assert station("ports", "teach", "--labels", "A1", "--map", path) == 0
    assert load_port_map(path).ports == (Port(f"{ROOT}/1.4", "A1"),)
    assert (
        f"Already in, and left out: SanDisk Backup 8 GB on USB 2 at {ROOT}/3."
        in capsys.readouterr().out
    )


def test_teach_refuses_the_same_socket_twice_and_goes_on_asking(
    tmp_path: Path, plugs: Plugs, capsys: pytest.CaptureFixture[str]
) -> None:
    plugs([], [pushed("1.4")], [pushed("1.4", 2)], [pushed("1.2", 3)])
    path = tmp_path / "ports.toml"

    assert station("ports", "teach", "--labels", "A1,A2", "--map", path) == 0
    assert "That was A1 again. Now socket A2." in capsys.readouterr().out
    assert [port.name for port in load_port_map(path).ports] == [f"{ROOT}/1.4", f"{ROOT}/1.2"]


def test_a_second_round_joins_the_halves_that_the_kernel_does_not_know_for_one(
    tmp_path: Path, plugs: Plugs, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "ports.toml"
    plugs([], [pushed("usb3/1.1")], [pushed("usb3/1.2", 2)])
    assert station("ports", "teach", "--labels", "A1-A2", "--map", path) == 0
    assert "USB 2 sticks show up in A1, A2. Go round once more" in capsys.readouterr().out

    plugs([], [pushed("5.1", 3)], [pushed("5.1", 4)], [pushed("5.2", 5)])
    assert station("ports", "teach", "--join", "--map", path) == 0
    assert load_port_map(path).ports == (
        Port(f"{ROOT}/usb3/1.1", "A1", (f"{ROOT}/5.1",)),
        Port(f"{ROOT}/usb3/1.2", "A2", (f"{ROOT}/5.2",)),
    )
    told = capsys.readouterr().out.splitlines()
    assert told[1:5] == [
        "Push a stick into socket A1.",
        f"A1 is {ROOT}/5.1: SanDisk Cruzer 8 GB on USB 2. Now socket A2.",
        "That was A1. Now socket A2.",
        f"A2 is {ROOT}/5.2: SanDisk Cruzer 8 GB on USB 2.",
    ]


def test_joining_takes_no_labels_but_the_maps(capsys: pytest.CaptureFixture[str]) -> None:
    assert station("ports", "teach", "--join", "--labels", "A1") == 2
    assert "--join takes the labels from the map" in capsys.readouterr().err


def test_ctrl_c_leaves_the_old_map_as_it_was(
    tmp_path: Path, plugs: Plugs, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "ports.toml"
    path.write_text("the old map")
    plugs([], [pushed("1.4")])

    assert station("ports", "teach", "--labels", "A1,A2", "--map", path) == 2
    assert path.read_text() == "the old map"
    assert "Nothing was changed" in capsys.readouterr().err


def test_bad_labels_are_refused_before_anything_is_listened_to(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert station("ports", "teach", "--labels", "A2-A1") == 2
    assert "run backwards" in capsys.readouterr().err


def test_a_stick_cannot_drive_the_terminal(
    tmp_path: Path, plugs: Plugs, capsys: pytest.CaptureFixture[str]
) -> None:
    plugs([], [pushed("1.4", model="\x1b[2J[red]x")])

    assert station("ports", "teach", "--labels", "A1", "--map", tmp_path / "ports.toml") == 0
    assert r"\x1b[2J[red]x" in capsys.readouterr().out


def test_list_draws_each_socket_once_with_its_label_speed_and_power(
    usb: UsbTree, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    usb.add_stick("sdc", 2, "1.2", mbps=5000, max_power_ma=300)
    taught = tmp_path / "ports.toml"
    taught.write_text(
        f'[[port]]\nlabel = "A1"\npath = "{ROOT}/2.1"\n'
        f'[[port]]\nlabel = "A2"\npath = "{ROOT}/2.2"\n'
        f'[[port]]\nlabel = "B1"\npath = "{ROOT}/9.1"\n'
    )

    assert station("ports", "list", "--map", taught) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"controller {ROOT}  480 Mbit/s, 5 Gbit/s",
        "├── port 1  empty",
        "└── port 2  hub: GenesysLogic USB Hub  480 Mbit/s + 5 Gbit/s  self-powered, 100 mA",
        "    ├── port 2.1  A1  empty, USB 3",
        "    └── port 2.2  A2  Kingston DataTraveler  5 Gbit/s  bus-powered, 300 mA  /dev/sdc",
        "Taught, but not there now: B1",
    ]


def test_list_shows_a_joined_sockets_label_at_both_of_its_halves(
    usb: UsbTree, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    usb.add_root(3, 1, controller="pci0000:00/0000:00:1a.0")
    usb.add_root(4, 1, mbps=5000, controller="pci0000:00/0000:00:1a.0")
    taught = tmp_path / "ports.toml"
    taught.write_text('[[port]]\nlabel = "A1"\npath = ["0000:00:1a.0/1", "0000:00:1a.0/usb3/1"]\n')

    assert station("ports", "list", "--map", taught) == 0
    lines = capsys.readouterr().out.splitlines()
    first = lines.index("controller 0000:00:1a.0  480 Mbit/s, 5 Gbit/s") + 1
    assert lines[first : first + 2] == [
        "├── port 1  A1  empty",
        "└── USB 3 port 1  A1  empty, USB 3",
    ]


def test_list_as_json_nests_as_things_are_plugged(
    usb: UsbTree, capsys: pytest.CaptureFixture[str]
) -> None:
    usb.add_stick("sdc", 1, "1", max_power_ma=300)

    assert station("ports", "list", "--json") == 0
    (controller,) = json.loads(capsys.readouterr().out)
    first, second = controller["sockets"]
    assert (first["port"], first["usb3"]) == (f"{ROOT}/1", False)
    assert first["devices"][0]["disks"] == ["/dev/sdc"]
    assert first["devices"][0]["max_power_ma"] == 300
    assert [socket["port"] for socket in second["sockets"]] == [f"{ROOT}/2.1", f"{ROOT}/2.2"]


def test_list_shows_a_devices_own_words_without_letting_them_act(
    usb: UsbTree, capsys: pytest.CaptureFixture[str]
) -> None:
    usb.add_stick("sdc", 1, "1")
    (usb.device(1, "1") / "product").write_text("\x1b]0;x\x07[bold]Stick")

    assert station("ports", "list") == 0
    assert r"\x1b]0;x\x07[bold]Stick" in capsys.readouterr().out
