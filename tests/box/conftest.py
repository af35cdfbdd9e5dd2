"""One boot of the box serves all tests; each finds its sockets empty."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.box.build import build_box
from tests.box.hub import Hub
from tests.box.machine import Machine

_DATA_DISK_BYTES = 64 << 20


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("box")
    data_disk = folder / "data"
    data_disk.touch()
    with data_disk.open("r+b") as file:
        file.truncate(_DATA_DISK_BYTES)
    with Machine.boot(build_box(), folder, data_disk) as machine:
        yield machine


@pytest.fixture
def hub(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    hub = Hub(machine.protocol, tmp_path_factory.getbasetemp())
    yield hub
    for socket in hub.occupied():
        hub.pull(socket)


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    """Where a stick's image file goes."""
    return tmp_path / "memory"
