import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from station.cli import doctor
from station.cli.app import main
from station.doctor.machine import Machine
from tests.usb.usb_tree import UsbTree

ROOT = "0000:00:14.0"


def station(*arguments: str | Path) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["station", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.fixture
def arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str | Path, ...]:
    """Asks the doctor about a fit machine with a USB 2 stick that could do USB 3."""
    tree = UsbTree(tmp_path / "machine")
    tree.add_root(1, 1)
    tree.add_stick("sdb", 1, "1", version="2.10")
    for path, text in {"proc/sys/kernel/osrelease": "6.1.0", "run/udev/control": ""}.items():
        (tree.base / path).parent.mkdir(parents=True)
        (tree.base / path).write_text(text)
    port_map = tmp_path / "ports.toml"
    port_map.write_text(f'[[port]]\nlabel = "A1"\npath = "{ROOT}/1"\n')

    def there(**facts: Any) -> Machine:
        return replace(Machine(**facts), root=tree.base, free_bytes=lambda _: 10**12)

    monkeypatch.setattr(doctor, "Machine", there)
    return ("doctor", "--map", port_map, "--ledger", tmp_path / "ledger.sqlite")


def test_advice_alone_leaves_a_machine_fit(
    arguments: tuple[str | Path, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert station(*arguments) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[:3] == [
        "ok      the kernel numbers media",
        "ok      udev runs",
        "ok      the sockets are taught, and are there",
    ]
    (advice,) = (line for line in told if not line.startswith("ok"))
    assert advice == (
        "advice  the stick in A1 could do USB 3 and runs on USB 2. That socket has no USB 3. Use"
        " another one, or plug its hub into a USB 3 socket with a USB 3 cable."
    )


def test_a_problem_makes_the_exit_code_1(
    arguments: tuple[str | Path, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert station(*arguments, "--profile", "none") == 1
    assert "\nproblem " in capsys.readouterr().out


def test_json_tells_the_same(
    arguments: tuple[str | Path, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert station(*arguments, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["fit"] is True
    assert {check["check"]: len(check["findings"]) for check in told["checks"]}["usb_speed"] == 1
    (found,) = (found for check in told["checks"] for found in check["findings"])
    assert (found["severity"], bool(found["remedy"])) == ("advice", True)
