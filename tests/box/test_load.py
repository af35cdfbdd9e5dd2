"""`station load` in the box: drives that a person names."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.box.bundle import GUEST_ROOT, PROFILE
from tests.box.hub import Hub
from tests.box.machine import Machine
from tests.box.sockets import sockets
from tests.box.station_run import VERDICTS, StationRun
from tests.box.stick import Speed, blank_stick
from tests.box.udev import without_udev

pytestmark = pytest.mark.timeout(1200)

MIB = 1 << 20
CAPACITY_BYTES = 64 * MIB
_END_TIMEOUT_S = 900.0


def test_partition_of_a_stick_that_passed_is_there_when_the_command_ends(
    machine: Machine, hub: Hub, memory: Path, bundle: Path
) -> None:
    assert bundle.is_dir()
    (socket,) = sockets(1)
    stick = replace(blank_stick(memory, CAPACITY_BYTES), serial="named")
    hub.plug(replace(stick, speed=Speed(read_bytes_per_s=8 * MIB)), socket)
    ledger = GUEST_ROOT / "named.sqlite"
    process = machine.start(
        *("station", "load", machine.disk(socket), "--root", GUEST_ROOT, "--ledger", ledger),
        *("--profile", PROFILE, "--yes", "--view", "json"),
    )
    run = StationRun(machine, process, ledger)
    run.await_event("named", "stage")
    with without_udev(machine):
        verdict = run.await_event("named", *VERDICTS)
        node = Path("/sys/class/block", f"{Path(verdict.node).name}1")
        missed = not machine.succeeds("test", "-e", node)

    assert process.wait(_END_TIMEOUT_S) == 0, process.stderr.read_text()
    assert missed
    assert machine.succeeds("test", "-e", node)


@pytest.mark.parametrize("name", ["virtio-system", "ata-QEMU_HARDDISK_internal"])
@pytest.mark.usefixtures("bundle")
def test_internal_disk_is_refused_before_any_write(machine: Machine, name: str) -> None:
    process = machine.start(
        *("station", "load", f"/dev/disk/by-id/{name}", "--root", GUEST_ROOT),
        *("--ledger", GUEST_ROOT / "load.sqlite", "--profile", PROFILE, "--yes"),
    )

    assert process.wait(_END_TIMEOUT_S) == 2, process.stderr.read_text()
    assert machine.internal_written_bytes() == 0
