"""One boot of the box serves all tests; each finds its sockets empty."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.box.build import build_box
from tests.box.bundle import install_bundle
from tests.box.hub import Hub
from tests.box.machine import Machine

_DATA_DISK_BYTES = 64 << 20


@pytest.fixture(scope="session")
def control_folder() -> Iterator[Path]:
    """Where unix sockets go: their paths must be short."""
    with tempfile.TemporaryDirectory(prefix="box-") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def data_disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Image file of the box's internal data disk, full of somebody's data."""
    path = tmp_path_factory.mktemp("data") / "disk"
    path.write_bytes(os.urandom(_DATA_DISK_BYTES))
    return path


@pytest.fixture(scope="session")
def machine(
    tmp_path_factory: pytest.TempPathFactory, control_folder: Path, data_disk: Path
) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("box")
    control = f"unix:{control_folder / 'control'},server=on,wait=off"
    with Machine.boot(build_box(), folder, data_disk, arguments=["-qmp", control]) as machine:
        yield machine


@pytest.fixture(scope="session")
def bundle(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder, on the host, of the files that the guest's sticks are loaded with."""
    return install_bundle(machine, tmp_path_factory.mktemp("root"))


@contextmanager
def _emptied_hub(machine: Machine, control_folder: Path) -> Iterator[Hub]:
    hub = Hub(machine.protocol, control_folder)
    yield hub
    occupied = hub.occupied()
    for socket in occupied:
        hub.pull(socket)
    machine.await_no_disk(occupied)


@pytest.fixture
def hub(machine: Machine, control_folder: Path) -> Iterator[Hub]:
    with _emptied_hub(machine, control_folder) as hub:
        yield hub


@pytest.fixture(scope="module")
def module_hub(machine: Machine, control_folder: Path) -> Iterator[Hub]:
    """A hub whose sticks stay plugged in from one test of a file to the next."""
    with _emptied_hub(machine, control_folder) as hub:
        yield hub


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    """Where a stick's image file goes."""
    return tmp_path / "memory"
