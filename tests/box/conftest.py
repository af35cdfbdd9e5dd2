"""One boot of the box serves all tests; each finds its sockets empty."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.box.build import build_box
from tests.box.hub import Hub
from tests.box.machine import Machine

_DATA_DISK_BYTES = 64 << 20


@pytest.fixture(scope="session")
def control_folder() -> Iterator[Path]:
    """Where unix sockets go: their paths must be short."""
    with tempfile.TemporaryDirectory(prefix="box-") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory, control_folder: Path) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("box")
    data_disk = folder / "data"
    with data_disk.open("xb") as file:
        file.truncate(_DATA_DISK_BYTES)
    control = f"unix:{control_folder / 'control'},server=on,wait=off"
    with Machine.boot(build_box(), folder, data_disk, arguments=["-qmp", control]) as machine:
        yield machine


@pytest.fixture
def hub(machine: Machine, control_folder: Path) -> Iterator[Hub]:
    hub = Hub(machine.protocol, control_folder)
    yield hub
    for socket in hub.occupied():
        hub.pull(socket)


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    """Where a stick's image file goes."""
    return tmp_path / "memory"
