import os
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.box.hub import Hub
from tests.box.machine import GUEST_EXCHANGE, GuestCommandError, Machine
from tests.box.sockets import Controller, Socket, sockets
from tests.box.stick import (
    BadSector,
    Counterfeit,
    Keyboard,
    Lie,
    NestedHub,
    Speed,
    Transport,
    blank_stick,
)

# What takes seconds here takes minutes on a machine that is busy otherwise.
pytestmark = pytest.mark.timeout(1200)

MIB = 1 << 20
CAPACITY_BYTES = 32 * MIB
SOCKET = Socket(Controller.XHCI_0, (3,))


def sysfs(machine: Machine, node: Path) -> str:
    return machine.run("readlink", "--canonicalize", f"/sys/class/block/{node.name}").strip()


def attribute(machine: Machine, node: Path, name: str) -> str:
    return machine.run("cat", f"/sys/class/block/{node.name}/{name}").strip()


def usb_attribute(machine: Machine, node: Path, name: str) -> str:
    interface = sysfs(machine, node).partition("/host")[0]
    return machine.run("cat", f"{interface}/../{name}").strip()


def dd(*operands: str) -> tuple[str, ...]:
    return ("dd", "bs=1M", *operands)


def test_guest_runs_its_distributions_own_kernel_and_udev(machine: Machine) -> None:
    kernel = machine.run("uname", "--kernel-release").strip()
    modules = machine.run("modinfo", "--field", "name", "usb-storage", "uas", "vfat").split()
    machine.run("systemctl", "is-active", "systemd-udevd.service")

    assert kernel.endswith("-amd64")
    assert modules == ["usb_storage", "uas", "vfat"]


def test_checkout_is_installed_in_the_guest(machine: Machine) -> None:
    path = machine.run("python3", "-c", "import station; print(station.__file__)").strip()
    machine.run("python3", "-c", "import blake3, numpy, pydantic, pyudev, sqlalchemy")

    assert path == "/opt/station/station/__init__.py"


def test_command_that_fails_says_how(machine: Machine) -> None:
    with pytest.raises(GuestCommandError, match="ended with 7: no such luck"):
        machine.run("sh", "-c", "echo no such luck >&2; exit 7")


def test_command_that_hangs_is_given_up_and_killed(machine: Machine) -> None:
    with pytest.raises(TimeoutError):
        machine.run("sleep", "12345", timeout_s=1)
    running = machine.run("sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")

    assert "sleep 12345" not in running


def test_stick_becomes_a_disk_that_sysfs_places_at_its_port(
    machine: Machine, hub: Hub, memory: Path
) -> None:
    hub.plug(blank_stick(memory, CAPACITY_BYTES), SOCKET)
    node = machine.disk(SOCKET)
    path = sysfs(machine, node)

    assert f"/{SOCKET.controller.pci_address}/usb" in path
    assert f"-{SOCKET.port}:1.0/" in path
    assert int(attribute(machine, node, "size")) * 512 == CAPACITY_BYTES
    assert attribute(machine, node, "removable") == "1"
    assert attribute(machine, node, "device/vendor") == "Acme"
    assert usb_attribute(machine, node, "serial") == "0001"
    assert usb_attribute(machine, node, "speed") == "5000"


def test_stick_that_comes_back_has_another_disk_sequence_number(
    machine: Machine, hub: Hub, memory: Path
) -> None:
    stick = blank_stick(memory, CAPACITY_BYTES)
    hub.plug(stick, SOCKET)
    first = int(attribute(machine, machine.disk(SOCKET), "diskseq"))
    hub.pull(SOCKET)
    hub.plug(stick, SOCKET)
    second = int(attribute(machine, machine.disk(SOCKET), "diskseq"))

    assert second > first


def test_write_to_a_pulled_stick_ends_with_enodev(machine: Machine, hub: Hub, memory: Path) -> None:
    stick = blank_stick(memory, CAPACITY_BYTES)
    hub.plug(replace(stick, speed=Speed(write_bytes_per_s=MIB)), SOCKET)
    node = machine.disk(SOCKET)
    writer = machine.start(*dd("if=/dev/zero", f"of={node}", "oflag=direct"))
    while int(attribute(machine, node, "stat").split()[6]) == 0:
        assert writer.poll() is None, writer.stderr.read_text()
    hub.pull(SOCKET)

    assert writer.wait(60) == 1
    assert "No such device" in writer.stderr.read_text()


def test_stick_has_the_sector_size_that_it_was_made_with(
    machine: Machine, hub: Hub, memory: Path
) -> None:
    hub.plug(replace(blank_stick(memory, CAPACITY_BYTES), sector_bytes=4096), SOCKET)
    node = machine.disk(SOCKET)

    assert machine.run("blockdev", "--getss", "--getsize64", node).split() == [
        "4096",
        str(CAPACITY_BYTES),
    ]


def test_locked_stick_can_be_read_and_not_written(machine: Machine, hub: Hub, memory: Path) -> None:
    hub.plug(replace(blank_stick(memory, CAPACITY_BYTES), locked=True), SOCKET)
    node = machine.disk(SOCKET)
    machine.run(*dd(f"if={node}", "of=/dev/null", "iflag=direct"))

    assert attribute(machine, node, "ro") == "1"
    with pytest.raises(GuestCommandError, match="Read-only file system"):
        machine.run(*dd("if=/dev/zero", f"of={node}", "count=1", "oflag=direct"))


@pytest.mark.parametrize(
    ("transport", "driver"), [(Transport.BULK_ONLY, "usb-storage"), (Transport.UAS, "uas")]
)
def test_stick_is_served_by_the_driver_of_its_transport(
    machine: Machine, hub: Hub, memory: Path, transport: Transport, driver: str
) -> None:
    hub.plug(replace(blank_stick(memory, CAPACITY_BYTES), transport=transport), SOCKET)
    interface = sysfs(machine, machine.disk(SOCKET)).partition("/host")[0]

    assert machine.run("readlink", f"{interface}/driver").strip().endswith(f"/{driver}")


def test_stick_on_the_usb_2_controller_runs_at_high_speed(
    machine: Machine, hub: Hub, memory: Path
) -> None:
    socket = Socket(Controller.EHCI, (2,))
    hub.plug(blank_stick(memory, CAPACITY_BYTES), socket)

    assert usb_attribute(machine, machine.disk(socket), "speed") == "480"


def test_port_name_of_a_stick_in_a_nested_hub_is_the_chain_of_ports(
    machine: Machine, hub: Hub, memory: Path
) -> None:
    outer = Socket(Controller.XHCI_1, (6,))
    middle = Socket(Controller.XHCI_1, (6, 2))
    inner = Socket(Controller.XHCI_1, (6, 2, 5))
    hub.plug(NestedHub(), outer)
    hub.plug(NestedHub(), middle)
    hub.plug(blank_stick(memory, CAPACITY_BYTES), inner)

    assert "-6.2.5:1.0/" in sysfs(machine, machine.disk(inner))


def test_keyboard_is_a_keyboard_and_no_disk(machine: Machine, hub: Hub) -> None:
    hub.plug(Keyboard(), SOCKET)
    path = (
        f"/dev/input/by-path/pci-{SOCKET.controller.pci_address}-usb-0:{SOCKET.port}:1.0-event-kbd"
    )
    machine.run("udevadm", "wait", "--settle", "--timeout=60", path)
    disks = machine.run("ls", "/dev/disk/by-path").split()

    assert SOCKET.disk.name not in disks


def test_kernel_mounts_the_volume_that_the_host_made(
    machine: Machine, hub: Hub, memory: Path, tmp_path: Path
) -> None:
    film = tmp_path / "film"
    film.write_bytes(os.urandom(5 * MIB + 1))
    stick = blank_stick(memory, 64 * MIB)
    subprocess.run(
        ["mkfs.fat", "-F", "32", "-n", "MOVIES", memory], check=True, capture_output=True
    )
    subprocess.run(
        ["mcopy", "-i", memory, film, "::/가나다.mp4"],
        check=True,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    hub.plug(stick, SOCKET)
    node = machine.disk(SOCKET)
    machine.run("mount", "-t", "vfat", "-o", "ro,utf8", node, "/mnt")
    try:
        sums = machine.run("b3sum", "/mnt/가나다.mp4")
    finally:
        machine.run("umount", "/mnt")
    expected = subprocess.run(["b3sum", film], check=True, capture_output=True, text=True).stdout

    assert sums.split() == [expected.split()[0], "/mnt/가나다.mp4"]


def test_stick_is_no_faster_than_its_flash(machine: Machine, hub: Hub, memory: Path) -> None:
    stick = blank_stick(memory, CAPACITY_BYTES)
    hub.plug(
        replace(stick, speed=Speed(write_bytes_per_s=2 * MIB, read_bytes_per_s=4 * MIB)), SOCKET
    )
    node = machine.disk(SOCKET)
    started = time.monotonic()
    machine.run(*dd("if=/dev/zero", f"of={node}", "count=8", "oflag=direct"))
    written = time.monotonic()
    machine.run(*dd(f"if={node}", "of=/dev/null", "count=8", "iflag=direct"))
    read = time.monotonic()

    # At 2 and 4 MiB/s it takes 4 and 2 s; a tenth of a second's worth may come in a burst.
    assert written - started >= 3.5
    assert read - written >= 1.5


def test_flash_that_wraps_around_gives_its_excess_back_as_its_beginning(
    machine: Machine, hub: Hub, memory: Path
) -> None:
    fake = replace(
        blank_stick(memory, CAPACITY_BYTES), counterfeit=Counterfeit(Lie.WRAPAROUND, 8 * MIB)
    )
    hub.plug(fake, SOCKET)
    node = machine.disk(SOCKET)
    (machine.exchange / "pattern").write_bytes(b"\xa5" * MIB)
    machine.run(*dd(f"if={GUEST_EXCHANGE}/pattern", f"of={node}", "seek=17", "oflag=direct"))
    machine.run(*dd(f"if={node}", f"of={GUEST_EXCHANGE}/got", "skip=1", "count=1", "iflag=direct"))

    assert (machine.exchange / "got").read_bytes() == b"\xa5" * MIB


def test_flash_in_limbo_forgets_its_excess(machine: Machine, hub: Hub, memory: Path) -> None:
    fake = replace(blank_stick(memory, CAPACITY_BYTES), counterfeit=Counterfeit(Lie.LIMBO, 8 * MIB))
    hub.plug(fake, SOCKET)
    node = machine.disk(SOCKET)
    (machine.exchange / "pattern").write_bytes(b"\xa5" * 2 * MIB)
    machine.run(*dd(f"if={GUEST_EXCHANGE}/pattern", f"of={node}", "seek=7", "oflag=direct"))
    machine.run(*dd(f"if={node}", f"of={GUEST_EXCHANGE}/got", "skip=7", "count=2", "iflag=direct"))

    assert (machine.exchange / "got").read_bytes() == b"\xa5" * MIB + bytes(MIB)


@pytest.mark.parametrize("command", ["read", "write"])
def test_bad_sector_fails_with_eio_and_its_neighbours_do_not(
    machine: Machine, hub: Hub, memory: Path, command: str
) -> None:
    bad = BadSector(8 * MIB, command)
    hub.plug(replace(blank_stick(memory, CAPACITY_BYTES), bad_sectors=(bad,)), SOCKET)
    node = machine.disk(SOCKET)

    def touch(offset_mib: int) -> None:
        if command == "read":
            machine.run(
                *dd(f"if={node}", "of=/dev/null", f"skip={offset_mib}", "count=1", "iflag=direct")
            )
        else:
            machine.run(
                *dd("if=/dev/zero", f"of={node}", f"seek={offset_mib}", "count=1", "oflag=direct")
            )

    touch(7)
    touch(9)
    with pytest.raises(GuestCommandError, match="Input/output error"):
        touch(8)


def test_hung_stick_answers_nothing_until_it_is_pulled(
    machine: Machine, hub: Hub, memory: Path
) -> None:
    hub.plug(blank_stick(memory, CAPACITY_BYTES), SOCKET)
    node = machine.disk(SOCKET)
    hub.hang(SOCKET)
    writer = machine.start(*dd("if=/dev/zero", f"of={node}", "oflag=direct"))
    with pytest.raises(TimeoutError):
        writer.wait(3)
    hub.pull(SOCKET)

    assert writer.wait(120) == 1


def test_sixteen_sticks_of_one_serial_number_can_be_inserted_at_once(
    machine: Machine, hub: Hub, tmp_path: Path
) -> None:
    taken = sockets(16)
    for number, socket in enumerate(taken):
        hub.plug(blank_stick(tmp_path / f"{number}", CAPACITY_BYTES), socket)
    nodes = {machine.disk(socket) for socket in taken}

    assert len(nodes) == 16


def test_nothing_was_written_to_an_internal_disk(machine: Machine) -> None:
    machine.run("sync")

    assert machine.internal_written_bytes() == 0
