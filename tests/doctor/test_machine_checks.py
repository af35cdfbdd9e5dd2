"""What the checks of the machine itself find, and that they find nothing on a fit one."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from station.doctor.automounters import check_automounters
from station.doctor.bundle import check_bundle
from station.doctor.clock import check_clock
from station.doctor.finding import Finding, Severity
from station.doctor.kernel import check_kernel
from station.doctor.ledger import check_ledger
from station.doctor.machine import Machine
from station.doctor.permissions import check_permissions
from station.doctor.space import check_space
from station.doctor.udev import check_udev
from station.ledger.ledger import Ledger
from tests.doctor.conftest import NOON
from tests.usb.usb_tree import UsbTree


def only(findings: list[Finding], severity: Severity = Severity.PROBLEM) -> str:
    (finding,) = findings
    assert finding.severity is severity
    assert finding.remedy
    return finding.problem


@pytest.mark.parametrize("release", ["5.15.0", "5.15", "6.1.0-18-amd64", "10.0-rc1"])
def test_a_kernel_that_numbers_media_is_fit(machine: Machine, release: str) -> None:
    (machine.proc / "sys/kernel/osrelease").write_text(release)

    assert check_kernel(machine) == []


@pytest.mark.parametrize("release", ["5.14.21", "4.19.0-26-amd64", "custom"])
def test_an_older_kernel_is_not(machine: Machine, release: str) -> None:
    (machine.proc / "sys/kernel/osrelease").write_text(release)

    assert f"Linux {release} gives disks no sequence numbers" in only(check_kernel(machine))


def test_udev_must_run(machine: Machine) -> None:
    assert check_udev(machine) == []

    (machine.root / "run/udev/control").unlink()
    assert "udev doesn't run" in only(check_udev(machine))


def add_node(tree: UsbTree, name: str) -> Path:
    node = tree.base / "dev" / name
    node.write_text("")
    return node


def test_a_stick_on_a_taught_port_must_be_open_to_this_user(
    machine: Machine, tree: UsbTree
) -> None:
    tree.add_stick("sdb", 1, "1")
    node = add_node(tree, "sdb")

    assert check_permissions(machine) == []
    closed = replace(machine, may_use=lambda path: path != node)
    assert only(check_permissions(closed)) == "this user may not write to /dev/sdb in A1"


def test_a_stick_on_another_port_may_be_closed(machine: Machine, tree: UsbTree) -> None:
    tree.add_hub(1, "1", 4)
    tree.add_stick("sdb", 1, "1.3")
    add_node(tree, "sdb")

    assert check_permissions(replace(machine, may_use=lambda _: False)) == []


def test_a_user_who_could_write_to_the_systems_disk_is_advised_against(
    machine: Machine, tree: UsbTree
) -> None:
    tree.add_disk("nvme0n1", "pci0000:00/0000:00:1d.0/nvme/nvme0")
    tree.add_disk("loop0", "virtual/block-loop")
    add_node(tree, "nvme0n1")
    add_node(tree, "loop0")

    assert "/dev/nvme0n1, which" in only(check_permissions(machine), Severity.ADVICE)
    assert check_permissions(replace(machine, may_use=lambda _: False)) == []


def run_process(machine: Machine, name: str) -> None:
    process = machine.proc / "4711"
    process.mkdir(exist_ok=True)
    (process / "comm").write_text(f"{name}\n")


def test_udisks_is_kept_off_by_the_installed_rules(machine: Machine) -> None:
    run_process(machine, "udisksd")
    assert "udisks runs" in only(check_automounters(machine))

    rules = machine.root / "etc/udev/rules.d/61-station.rules"
    rules.parent.mkdir(parents=True)
    rules.write_text("")
    assert check_automounters(machine) == []


def test_an_automounter_that_heeds_no_rules_has_to_stop(machine: Machine) -> None:
    run_process(machine, "devmon")
    assert "devmon runs" in only(check_automounters(machine))

    run_process(machine, "bash")
    assert check_automounters(machine) == []


@pytest.mark.parametrize(
    ("now", "complaint"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), "1970-01-01 00:00, which is long ago"),
        (NOON - timedelta(days=1), "before the ledger was last written to"),
    ],
)
def test_a_clock_that_goes_wrong_is_found(machine: Machine, now: datetime, complaint: str) -> None:
    ledger = Path(machine.ledger)
    ledger.write_text("")
    os.utime(ledger, (NOON.timestamp(), NOON.timestamp()))

    assert check_clock(machine) == []
    assert complaint in only(check_clock(replace(machine, now=now)))


def test_a_clock_that_no_time_server_was_asked_about_is_told(machine: Machine) -> None:
    timesync = machine.root / "run/systemd/timesync"
    timesync.mkdir(parents=True)
    assert "time server" in only(check_clock(machine), Severity.ADVICE)

    (timesync / "synchronized").write_text("")
    assert check_clock(machine) == []


def test_a_ledger_that_is_none_yet_is_fit_where_it_could_be_made(
    machine: Machine, tmp_path: Path
) -> None:
    inside = replace(machine, ledger=str(tmp_path / "new" / "folder" / "ledger.sqlite"))

    assert check_ledger(inside) == []
    assert list(tmp_path.glob("new")) == []
    closed = replace(inside, may_use=lambda path: path != tmp_path)
    assert f"{tmp_path} is closed to this user" in only(check_ledger(closed))


def test_a_ledger_must_be_open_to_this_user(machine: Machine) -> None:
    Ledger.open(machine.ledger).close()

    assert check_ledger(machine) == []
    ledger = Path(machine.ledger)
    closed = replace(machine, may_use=lambda path: path != ledger)
    assert f"{ledger} is closed" in only(check_ledger(closed))


def test_another_file_in_the_ledgers_place_is_told(machine: Machine) -> None:
    Path(machine.ledger).write_text("dear diary" * 100)

    assert machine.ledger in only(check_ledger(machine))


def test_a_full_disk_is_told(machine: Machine) -> None:
    assert check_space(machine) == []

    full = replace(machine, free_bytes=lambda _: 3_000_000)
    assert only(check_space(full)).startswith("3 MB are free")


@pytest.fixture
def loading(machine: Machine) -> Machine:
    """The machine with a profile of one bundle of one file of five bytes."""
    catalog = machine.catalog
    (catalog / "profiles").mkdir(parents=True)
    (catalog / "profiles/films.toml").write_text('title = "F"\n[[bundle]]\nmanifest = "films"\n')
    (catalog / "content_manifests/files").mkdir(parents=True)
    (catalog / "content_manifests/films.json").write_text(
        '{"format": 1, "name": "films", "folder": "files", "files": '
        f'[{{"path": "a", "size": 5, "blake3": "{"0" * 64}"}}]}}'
    )
    (catalog / "content_manifests/files/a").write_text("12345")
    return replace(machine, profile="films")


def test_a_bundle_must_be_complete(loading: Machine) -> None:
    assert check_bundle(loading) == []

    (loading.catalog / "content_manifests/files/a").unlink()
    assert "films: missing" in only(check_bundle(loading))


def test_a_profile_must_be_one(loading: Machine) -> None:
    assert "none" in only(check_bundle(replace(loading, profile="none")))
    assert check_bundle(replace(loading, profile=None)) == []


def test_content_that_is_made_on_first_use_needs_room(loading: Machine) -> None:
    manifest = loading.catalog / "content_manifests/films.json"
    text = manifest.read_text().replace('"format": 1,', '"format": 1, "generator": "sample",')
    manifest.write_text(text.replace('"size": 5', '"size": 4000000000'))
    (loading.catalog / "content_manifests/files/a").unlink()
    (loading.catalog / "content_manifests/files").rmdir()

    assert check_space(loading) == []
    tight = replace(loading, free_bytes=lambda _: 3_000_000_000)
    assert "takes 4 GB, and 3 GB are free" in only(check_space(tight))
