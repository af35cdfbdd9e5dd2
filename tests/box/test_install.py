"""An installed station in the box: its own user, no capability, and no keyboard on its ports."""

import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from station.install.files import INSTALLED_PATHS, LEDGER_PATH
from station.install.sysusers import STATION_USER
from station.ledger.records import JobRow
from station.verdict import Outcome
from tests.box.bundle import GUEST_ROOT, PROFILE
from tests.box.hub import Hub
from tests.box.machine import GUEST_EXCHANGE, Machine
from tests.box.sockets import Controller, Socket, map_of
from tests.box.station_run import read_ledger
from tests.box.stick import Keyboard, blank_stick

pytestmark = pytest.mark.timeout(1800)

MIB = 1 << 20
CAPACITY_BYTES = 64 * MIB
STICKS, TYPISTS = (Socket(Controller.XHCI_0, (number,)) for number in (1, 2))
STICKS_ELSEWHERE, TYPISTS_ELSEWHERE = (Socket(Controller.XHCI_0, (number,)) for number in (3, 4))
SERVICE = f"station@{PROFILE}.service"
PATIENCE_S = 600.0
NO_DRIVER = ""


@dataclass(frozen=True, slots=True)
class Interface:
    """A USB interface: whether the kernel lets it live, and the driver that it has."""

    authorized: bool
    driver: str


@dataclass(frozen=True, slots=True)
class Installation:
    """What was found between `station install` and `station uninstall`, and after it.

    Attributes:
        user: who the station ran as.
        capabilities: masks of the station's process, by the name of the set.
        said: what the station wrote to the journal.
        openings: what became of the attempt to open a node as the station's user: an empty text,
            or what the system said.
        taught_keyboard: the keyboard on a taught port.
        other_keyboard: the one on a port of the same controller that was not taught.
        jobs: what stands in the ledger.
        left: which installed files are there after the removal.
        freed_keyboard: the keyboard on the port that was taught before.
    """

    user: str
    capabilities: dict[str, int]
    said: str
    openings: dict[str, str]
    taught_keyboard: Interface
    other_keyboard: Interface
    jobs: list[JobRow]
    left: list[str]
    freed_keyboard: Interface


def keyboard_in(machine: Machine, socket: Socket) -> Interface | None:
    """The keyboard in a socket; None while the kernel has not found it."""
    found = machine.run(
        *("sh", "-c", "for i in $0; do cat $i/authorized && readlink $i/driver; done; true"),
        f"/sys/bus/pci/devices/{socket.controller.pci_address}"
        f"/usb*/*-{socket.port}/*-{socket.port}:1.0",
    ).split()
    if not found:
        return None
    return Interface(found[0] == "1", Path(found[1]).name if len(found) > 1 else NO_DRIVER)


def await_driver(machine: Machine, socket: Socket) -> Interface:
    deadline = time.monotonic() + PATIENCE_S
    while (keyboard := keyboard_in(machine, socket)) is None or keyboard.driver == NO_DRIVER:
        assert time.monotonic() < deadline, f"{socket.name} holds {keyboard}"
        time.sleep(0.5)
    return keyboard


def opening(machine: Machine, node: str | Path) -> str:
    """Try to open a node as the station's user does; tell what the system says to it."""
    process = machine.start(
        *("setpriv", f"--reuid={STATION_USER}", f"--regid={STATION_USER}", "--init-groups"),
        *("dd", f"of={node}", "count=0", "conv=notrunc"),
    )
    return "" if process.wait(PATIENCE_S) == 0 else process.stderr.read_text()


def await_verdict(machine: Machine, job: int) -> str:
    """Wait for the service's verdict on a job and return all that it wrote."""
    deadline = time.monotonic() + PATIENCE_S
    journal = ("journalctl", "--unit", SERVICE, "--output=cat", "--no-pager")
    while f"[job {job}]" not in (said := machine.run(*journal)):
        assert machine.succeeds("systemctl", "is-active", SERVICE), said
        assert time.monotonic() < deadline, said
        time.sleep(1)
    return said


@pytest.fixture(scope="module")
def installation(
    machine: Machine, module_hub: Hub, bundle: Path, tmp_path_factory: pytest.TempPathFactory
) -> Installation:
    assert bundle.is_dir()
    port_map = map_of({"A1": STICKS, "A2": TYPISTS})
    (machine.exchange / "taught.toml").write_text(port_map)
    machine.run(
        *("station", "install", "--map", GUEST_EXCHANGE / "taught.toml", "--root", GUEST_ROOT)
    )
    machine.run("systemctl", "start", SERVICE)

    module_hub.plug(Keyboard(), TYPISTS)
    module_hub.plug(Keyboard(), TYPISTS_ELSEWHERE)
    other_keyboard = await_driver(machine, TYPISTS_ELSEWHERE)
    taught_keyboard = keyboard_in(machine, TYPISTS)
    assert taught_keyboard is not None

    folder = tmp_path_factory.mktemp("installed")
    module_hub.plug(blank_stick(folder / "stick", CAPACITY_BYTES), STICKS)
    await_verdict(machine, 1)
    module_hub.plug(blank_stick(folder / "elsewhere", CAPACITY_BYTES), STICKS_ELSEWHERE)
    said = await_verdict(machine, 2)
    pid = machine.run("systemctl", "show", "--property=MainPID", "--value", SERVICE).strip()
    status = machine.run("cat", f"/proc/{pid}/status").splitlines()
    capabilities = {
        name: int(mask, base=16)
        for name, _, mask in (line.partition(":") for line in status)
        if name.startswith("Cap")
    }
    user = machine.run("stat", "--format=%U", f"/proc/{pid}").strip()
    openings = {
        name: opening(machine, path)
        for name, path in (
            ("system disk", "/dev/vda"),
            ("data disk", "/dev/disk/by-id/ata-QEMU_HARDDISK_internal"),
            ("stick elsewhere", machine.disk(STICKS_ELSEWHERE)),
            ("stick", machine.disk(STICKS)),
        )
    }
    machine.run("systemctl", "stop", SERVICE)
    jobs = read_ledger(machine, LEDGER_PATH)

    machine.run("station", "uninstall")
    return Installation(
        user=user,
        capabilities=capabilities,
        said=said,
        openings=openings,
        taught_keyboard=taught_keyboard,
        other_keyboard=other_keyboard,
        jobs=jobs,
        left=[str(path) for path in INSTALLED_PATHS if machine.succeeds("test", "-e", str(path))],
        freed_keyboard=await_driver(machine, TYPISTS),
    )


def test_service_runs_as_its_own_user_without_any_capability(installation: Installation) -> None:
    assert installation.user == STATION_USER
    assert installation.capabilities == dict.fromkeys(
        ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"), 0
    )


def test_stick_passes_without_root_on_a_taught_port_alone(installation: Installation) -> None:
    verdicts = [
        (job.start.drive.port, job.end and job.end.verdict.outcome) for job in installation.jobs
    ]

    assert verdicts == [
        (STICKS.taught, Outcome.PASS),
        (STICKS_ELSEWHERE.taught, Outcome.REFUSED),
    ], installation.said


@pytest.mark.parametrize("disk", ["system disk", "data disk", "stick elsewhere"])
def test_kernel_denies_the_station_every_disk_but_those_on_its_ports(
    installation: Installation, machine: Machine, disk: str
) -> None:
    assert "Permission denied" in installation.openings[disk]
    assert machine.internal_written_bytes() == 0


def test_station_may_open_the_stick_on_its_port(installation: Installation) -> None:
    assert installation.openings["stick"] == ""


def test_keyboard_on_a_taught_port_is_not_authorized(installation: Installation) -> None:
    assert installation.taught_keyboard == Interface(authorized=False, driver=NO_DRIVER)


def test_keyboard_elsewhere_on_the_same_controller_works(installation: Installation) -> None:
    assert installation.other_keyboard == Interface(authorized=True, driver="usbhid")


def test_uninstall_removes_what_install_made(installation: Installation) -> None:
    assert installation.left == []


def test_keyboard_works_on_every_port_once_the_station_is_gone(
    installation: Installation,
) -> None:
    assert installation.freed_keyboard == Interface(authorized=True, driver="usbhid")
