"""In the box: sticks of the kernel's own usb-storage, at the speeds of USB 2 and USB 3."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from scripts.benchmarks.figures import RATIO, Line, Missing, Result, at_most
from scripts.benchmarks.guest import GuestRound
from scripts.benchmarks.sticks import Speed
from scripts.benchmarks.tools import missing
from scripts.benchmarks.workbench import Workbench
from station.units import MIB
from tests.box.build import build_box
from tests.box.hub import Hub
from tests.box.machine import Machine
from tests.box.sockets import Controller, Socket
from tests.box.stick import Speed as FlashSpeed
from tests.box.stick import blank_stick

_SPEED = Speed(20, 40)
_CAPACITY_BYTES = 64 * MIB
_DATA_DISK_BYTES = 64 * MIB
_SECTOR_BYTES = 512
_KIB = 1024
# usb-storage's own for USB 2 and USB 3, drivers/usb/storage/scsiglue.c.
_USB_2, _USB_3 = 240, 2048
_SOCKETS = (
    ("USB 2", Socket(Controller.EHCI, (1,)), _USB_2),
    ("USB 3", Socket(Controller.XHCI_0, (1,)), _USB_3),
)
# An emulated processor under load takes its time.
_TIMEOUT_S = 1800.0


def measure(bench: Workbench) -> Iterator[Result]:
    """Load, verify and seal over plain passes of the same stick, all in the guest."""
    if reason := missing("qemu-system-x86_64", "mmdebstrap", "tar2sqfs", "cpio"):
        yield Missing("the box", reason)
        return
    control = bench.memory / "control"
    data_disk = bench.disk / "data"
    blank_stick(data_disk, _DATA_DISK_BYTES)
    arguments = ["-qmp", f"unix:{control},server=on,wait=off"]
    with Machine.boot(build_box(), bench.disk, data_disk, arguments=arguments) as machine:
        hub = Hub(machine.protocol, bench.memory)
        for bus, socket, own_sectors in _SOCKETS:
            blank = blank_stick(bench.memory / socket.name, _CAPACITY_BYTES)
            hub.plug(replace(blank, speed=_of_flash(_SPEED)), socket)
            rounds = _run(machine, machine.disk(socket), bench.rounds)
            hub.pull(socket)
            yield from _lines(bus, own_sectors, rounds)


def _run(machine: Machine, node: Path, rounds: int) -> list[GuestRound]:
    command = ["python3", "-P", "-m", "scripts.benchmarks.guest", node, rounds, _USB_2, _USB_3]
    told = machine.run(*map(str, command), timeout_s=_TIMEOUT_S)
    return [GuestRound(**one) for one in json.loads(told)]


def _lines(bus: str, own_sectors: int, rounds: list[GuestRound]) -> Iterator[Line]:
    for max_sectors in dict.fromkeys(one.max_sectors for one in rounds):
        chosen = [one for one in rounds if one.max_sectors == max_sectors]
        is_own = max_sectors == own_sectors
        note = " (the kernel's own)" if is_own else ""

        def values(figure: Callable[[GuestRound], float]) -> tuple[float, ...]:
            return tuple(figure(one) for one in chosen)  # noqa: B023 - called in this round alone

        size = f"{max_sectors * _SECTOR_BYTES // _KIB} KiB a command"
        yield Line(
            f"box, {bus}, stick of {_SPEED}, {size}{note}: load + verify + seal ÷ limit",
            RATIO,
            values(lambda one: one.station_s / (one.plain_write_s + one.plain_read_s)),
            at_most(1.02) if is_own else None,
        )
        yield Line(
            "… the limit: written",
            "MB/s",
            values(lambda one: _CAPACITY_BYTES / 1e6 / one.plain_write_s),
        )
        yield Line(
            "… the limit: read",
            "MB/s",
            values(lambda one: _CAPACITY_BYTES / 1e6 / one.plain_read_s),
        )
        if is_own:
            yield Line(
                "… share of the station's time in which the stick had no request",
                RATIO,
                values(lambda one: one.idle_s / one.station_s),
            )
            yield Line(
                "… emulated processors that the station kept busy",
                RATIO,
                values(lambda one: one.cpu_s / one.station_s),
            )


def _of_flash(speed: Speed) -> FlashSpeed:
    return FlashSpeed(speed.write_mb_per_s * 10**6, speed.read_mb_per_s * 10**6)
