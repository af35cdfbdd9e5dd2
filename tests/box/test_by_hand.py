from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.box.by_hand import app
from tests.box.hub import Hub
from tests.box.machine import Machine
from tests.box.sockets import Socket

pytestmark = pytest.mark.timeout(1200)


def box(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"STATION_BOX_FOLDER": str(folder)})


@pytest.mark.usefixtures("hub")
def test_volunteer_by_hand_plugs_and_pulls(machine: Machine, control_folder: Path) -> None:
    plugged = box(control_folder, "plug", "EHCI-3", "--size", "32MB", "--serial", "by hand")
    machine.disk(Socket.named("EHCI-3"))
    listed = box(control_folder, "list")
    pulled = box(control_folder, "pull", "EHCI-3")
    empty = box(control_folder, "list")

    assert plugged.exit_code == 0, plugged.output
    assert listed.stdout.splitlines() == ["EHCI-3"]
    assert pulled.exit_code == 0, pulled.output
    assert empty.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["plug", "XHCI_7-1"], "is no socket"),
        (["plug", "XHCI_0-99", "--size", "32MB"], "QEMU refuses"),
        (["plug", "XHCI_0-1", "--size", "much"], "is no size"),
    ],
)
def test_bad_input_by_hand_is_named(
    hub: Hub, control_folder: Path, arguments: list[str], said: str
) -> None:
    result = box(control_folder, *arguments)

    assert result.exit_code == 2
    assert said in " ".join(result.output.split())
    assert hub.occupied() == []


def test_no_running_box_is_named(tmp_path: Path) -> None:
    result = box(tmp_path, "list")

    assert result.exit_code == 2
    assert "no box runs" in result.output
