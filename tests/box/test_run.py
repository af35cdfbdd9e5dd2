"""The real station in the box: what comes of real sticks of the kernel's."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.box.build import CHECKOUT
from tests.box.hub import Hub
from tests.box.machine import GUEST_EXCHANGE, GuestProcess, Machine
from tests.box.sockets import sockets
from tests.box.stick import Speed, Transport, blank_stick

pytestmark = pytest.mark.timeout(1200)

MIB = 1 << 20
CAPACITY_BYTES = 64 * MIB
GUEST_ROOT = "/srv/station"
PROFILE = """
[volume]
label = "BOX"
[drive]
min_capacity = "60MB"
[[bundle]]
manifest = "films"
"""
FILES = {"film.mp4": 6 * MIB + 1, "songs/가나다.mp3": 12_345, "songs/leer": 0, "notes.txt": 100}
_VERDICT_TIMEOUT_S = 900.0


@pytest.fixture(scope="module")
def bundle(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of films on the guest's own disk; the folder is the same one on the host."""
    root = tmp_path_factory.mktemp("root")
    films = root / "films"
    for name, size_bytes in FILES.items():
        (films / name).parent.mkdir(parents=True, exist_ok=True)
        (films / name).write_bytes(os.urandom(size_bytes))
    (root / "profiles").mkdir()
    (root / "profiles" / "box.toml").write_text(PROFILE)
    (root / "content_manifests").mkdir()
    subprocess.run(
        [
            *(sys.executable, "-m", "station", "manifest", "create", films),
            *("-o", root / "content_manifests" / "films.json"),
        ],
        check=True,
        cwd=CHECKOUT,
    )
    subprocess.run(
        ["tar", "-cf", machine.exchange / "root.tar", f"--directory={root}", "."], check=True
    )
    machine.run("mkdir", "--parents", GUEST_ROOT)
    machine.run("tar", "-xf", GUEST_EXCHANGE / "root.tar", "-C", GUEST_ROOT)
    return films


@pytest.fixture(scope="module")
def run(machine: Machine, bundle: Path) -> Iterator[GuestProcess]:
    """The station, waiting for sticks."""
    assert bundle.is_dir()
    process = machine.start(
        *("station", "run", "--root", GUEST_ROOT, "--ledger", f"{GUEST_ROOT}/ledger"),
        *("--profile", "box", "--any-port", "--view", "json"),
    )
    yield process
    if process.poll() is None:
        machine.signal(process, "INT")
        process.wait(_VERDICT_TIMEOUT_S)


def wait_for(run: GuestProcess, serial: str, *events: str) -> dict[str, object]:
    """The first of these events of the stick with this serial number."""
    deadline = time.monotonic() + _VERDICT_TIMEOUT_S
    while time.monotonic() < deadline:
        # A last line without an end is still being written.
        for line in run.stdout.read_text().split("\n")[:-1]:
            event: dict[str, object] = json.loads(line)
            drive = event["drive"]
            if event["event"] in events and isinstance(drive, dict) and drive["serial"] == serial:
                return event
        assert run.poll() is None, run.stderr.read_text()
        time.sleep(0.2)
    raise TimeoutError(f"no {events} of {serial}: {run.stdout.read_text()}{run.stderr.read_text()}")


@pytest.mark.parametrize(
    ("serial", "sector_bytes", "transport"),
    [
        ("bulk-only", 512, Transport.BULK_ONLY),
        ("4096-byte", 4096, Transport.BULK_ONLY),
        ("uas", 512, Transport.UAS),
    ],
)
def test_stick_that_passed_mounts_and_holds_every_file_of_the_bundle(  # noqa: PLR0913, PLR0917 - fixtures, and a row of the table
    machine: Machine,
    hub: Hub,
    memory: Path,
    bundle: Path,
    run: GuestProcess,
    serial: str,
    sector_bytes: int,
    transport: Transport,
) -> None:
    (socket,) = sockets(1)
    capacity_bytes = CAPACITY_BYTES * sector_bytes // 512
    blank = blank_stick(memory, capacity_bytes, fill=b"\xd1")
    stick = replace(blank, serial=serial, sector_bytes=sector_bytes, transport=transport)
    hub.plug(stick, socket)
    verdict = wait_for(run, serial, "verdict", "refused")

    assert (verdict["verdict"], verdict["reason"]) == ("pass", None)

    partition = f"{socket.disk}-part1"
    machine.run("udevadm", "wait", "--timeout=60", partition)
    machine.run("mount", "-t", "vfat", "-o", "ro,utf8", partition, "/mnt")
    try:
        sums = machine.run("sh", "-c", "cd /mnt && find * -type f -exec b3sum {} +")
    finally:
        machine.run("umount", "/mnt")
    expected = subprocess.run(
        ["b3sum", *FILES], cwd=bundle, check=True, capture_output=True, text=True
    ).stdout

    assert sorted(sums.splitlines()) == sorted(expected.splitlines())

    hub.pull(socket)
    wait_for(run, serial, "removed")

    assert b"\xd1" * 512 not in memory.read_bytes()


def test_stick_that_is_pulled_while_it_is_loaded_is_removed(
    machine: Machine, hub: Hub, memory: Path, run: GuestProcess
) -> None:
    (socket,) = sockets(1)
    stick = blank_stick(memory, CAPACITY_BYTES, fill=b"\xd1")
    hub.plug(replace(stick, serial="pulled", speed=Speed(write_bytes_per_s=MIB)), socket)
    machine.disk(socket)
    wait_for(run, "pulled", "progress")
    hub.pull(socket)
    verdict = wait_for(run, "pulled", "verdict", "refused")

    assert (verdict["verdict"], verdict["reason"]) == ("fail", "removed")
    assert memory.read_bytes()[:512] == bytes(512)


@pytest.mark.parametrize("name", ["virtio-system", "ata-QEMU_HARDDISK_internal"])
@pytest.mark.usefixtures("bundle")
def test_internal_disk_is_refused_before_any_write(machine: Machine, name: str) -> None:
    process = machine.start(
        *("station", "load", f"/dev/disk/by-id/{name}", "--root", GUEST_ROOT),
        *("--ledger", f"{GUEST_ROOT}/ledger-of-load", "--profile", "box", "--yes"),
    )

    assert process.wait(_VERDICT_TIMEOUT_S) == 2, process.stderr.read_text()
    assert machine.internal_written_bytes() == 0
