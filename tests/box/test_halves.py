"""A socket whose two halves the kernel doesn't know for one: each has a name of its own."""

from dataclasses import replace
from pathlib import Path

import pytest

from station.usb.labels import Port, PortMap
from station.usb.map_file import render_port_map
from tests.box.hub import Hub
from tests.box.machine import GUEST_EXCHANGE, Machine
from tests.box.sockets import USB3_ALONE, Controller, Socket
from tests.box.station_run import VERDICTS, StationRun
from tests.box.stick import blank_stick

pytestmark = pytest.mark.timeout(1200)

CAPACITY_BYTES = 64 << 20
# Beside an old computer's USB 3 card the USB 2 half is on a controller of its own.
USB2_HALF = Socket(Controller.EHCI, (2,))


def start(machine: Machine, name: str, port: Port) -> StationRun:
    (machine.exchange / f"{name}.toml").write_text(render_port_map(PortMap((port,))))
    return StationRun.start(machine, name, "--ports", GUEST_EXCHANGE / f"{name}.toml")


@pytest.mark.usefixtures("bundle")
def test_both_halves_of_a_joined_socket_are_one_port_and_no_other_of_that_number_is(
    machine: Machine, hub: Hub, memory: Path
) -> None:
    stick = blank_stick(memory, CAPACITY_BYTES, fill=b"\xd1")
    hub.plug(replace(stick, serial="usb3"), USB3_ALONE)
    same_number = Port(f"{USB3_ALONE.controller.pci_address}/{USB3_ALONE.port}", "A1")
    run = start(machine, "same-number", same_number)
    refused = run.await_event("usb3", *VERDICTS)
    run.stop()

    assert (refused.reason, refused.port) == ("port_not_taught", USB3_ALONE.taught)
    assert memory.read_bytes() == b"\xd1" * CAPACITY_BYTES

    run = start(machine, "joined", Port(USB2_HALF.taught, "A1", (USB3_ALONE.taught,)))
    fast = run.await_event("usb3", *VERDICTS)
    hub.pull(USB3_ALONE)
    run.await_event("usb3", "removed")
    other = blank_stick(memory.with_name("other"), CAPACITY_BYTES, fill=b"\xd1")
    hub.plug(replace(other, serial="usb2"), USB2_HALF)
    slow = run.await_event("usb2", *VERDICTS)
    run.stop()

    assert [(told.port, told.verdict) for told in (fast, slow)] == [("A1", "pass")] * 2
