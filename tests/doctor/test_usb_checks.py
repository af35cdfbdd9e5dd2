"""What the checks of the USB hubs find, and that they find nothing where all is well."""

import pytest

from station.doctor.endpoints import check_endpoints
from station.doctor.finding import Finding, Severity
from station.doctor.kernel_limits import check_kernel_limits
from station.doctor.machine import Machine
from station.doctor.power import check_power
from station.doctor.taught_ports import check_taught_ports
from station.doctor.usb_speed import check_usb_speed
from tests.doctor.conftest import ROOT, teach
from tests.usb.usb_tree import UsbTree


def only(findings: list[Finding], severity: Severity) -> Finding:
    (finding,) = findings
    assert finding.severity is severity
    return finding


def test_taught_sockets_that_are_there_are_fit(machine: Machine) -> None:
    assert check_taught_ports(machine) == []


def test_ports_must_be_taught(machine: Machine) -> None:
    machine.port_map.unlink()

    found = only(check_taught_ports(machine), Severity.PROBLEM)
    assert "no ports were taught" in found.problem
    assert "station ports teach" in found.remedy


def test_a_broken_map_is_told(machine: Machine) -> None:
    machine.port_map.write_text("port = 3")

    assert "ports.toml" in only(check_taught_ports(machine), Severity.PROBLEM).problem


def test_sockets_of_a_hub_that_is_not_plugged_in_are_told(machine: Machine, tree: UsbTree) -> None:
    teach(machine.port_map, "1", "2.1", "2.2")
    assert (
        only(check_taught_ports(machine), Severity.PROBLEM).problem
        == "2 of 3 taught sockets are not there: A2, A3"
    )

    tree.add_hub(1, "2", 4)
    assert check_taught_ports(machine) == []


def test_a_socket_whose_usb_2_half_is_unknown_is_told_until_it_is_joined(
    machine: Machine, tree: UsbTree
) -> None:
    tree.add_root(6, 1, mbps=5000, controller="pci0000:00/0000:00:1a.0")
    teach(machine.port_map, "1")
    alone = '[[port]]\nlabel = "B1"\npath = "0000:00:1a.0/usb3/1"\n'
    machine.port_map.write_text(machine.port_map.read_text() + alone)
    assert "show up in B1:" in only(check_taught_ports(machine), Severity.ADVICE).problem

    joined = alone.replace('"0000:00:1a.0/usb3/1"', f'["0000:00:1a.0/usb3/1", "{ROOT}/2"]')
    machine.port_map.write_text(joined)
    assert check_taught_ports(machine) == []


@pytest.mark.parametrize(
    ("chain", "remedy"),
    [
        pytest.param("2", "push it in again swiftly", id="in a USB 3 socket"),
        pytest.param("1", "That socket has no USB 3", id="in a USB 2 socket"),
    ],
)
def test_a_usb_3_stick_that_runs_on_usb_2_is_told_with_what_helps_there(
    machine: Machine, tree: UsbTree, chain: str, remedy: str
) -> None:
    tree.add_stick("sdb", 1, chain, version="2.10")

    found = only(check_usb_speed(machine), Severity.ADVICE)
    assert found.problem.startswith(f"the stick in A{chain} could do USB 3")
    assert remedy in found.remedy


def test_sticks_at_their_full_speed_are_fit(machine: Machine, tree: UsbTree) -> None:
    tree.add_stick("sdb", 1, "1", version="2.00", diskseq=1)
    tree.add_stick("sdc", 2, "1", mbps=5000, version="3.20", diskseq=2)
    tree.add_keyboard(1, "2")

    assert check_usb_speed(machine) == []


def test_sixteen_sockets_on_a_controller_are_fit(machine: Machine, tree: UsbTree) -> None:
    tree.add_hub(1, "1", 16)
    teach(machine.port_map, *(f"1.{number}" for number in range(1, 17)))

    assert check_endpoints(machine) == []


def test_more_sockets_than_a_controller_may_take_are_told(machine: Machine, tree: UsbTree) -> None:
    tree.add_hub(1, "1", 16)
    tree.add_hub(1, "2", 16)
    tree.add_stick("sdb", 1, "1.1")
    teach(machine.port_map, *(f"{hub}.{number}" for hub in (1, 2) for number in range(1, 17)))

    found = only(check_endpoints(machine), Severity.ADVICE)
    assert f"controller {ROOT} would have 34 devices with 100 endpoints" in found.problem


def test_a_joined_socket_takes_one_stick(machine: Machine, tree: UsbTree) -> None:
    tree.add_hub(1, "1", 15)
    tree.add_hub(1, "2", 15)
    machine.port_map.write_text(
        "".join(
            f'[[port]]\nlabel = "{number}"\npath = ["{ROOT}/1.{number}", "{ROOT}/2.{number}"]\n'
            for number in range(1, 16)
        )
    )

    assert check_endpoints(machine) == []


@pytest.mark.parametrize(
    ("self_powered", "stick_ma", "severity"),
    [
        pytest.param(True, 500, None, id="supply"),
        pytest.param(False, 100, Severity.ADVICE, id="no supply, enough for now"),
        pytest.param(False, 300, Severity.PROBLEM, id="no supply, too little"),
    ],
)
def test_a_hub_needs_the_power_that_its_sticks_draw(
    machine: Machine,
    tree: UsbTree,
    self_powered: bool,  # noqa: FBT001 - a column of the table
    stick_ma: int,
    severity: Severity | None,
) -> None:
    tree.add_hub(1, "1", 4, self_powered=self_powered)
    tree.add_stick("sdb", 1, "1.1", max_power_ma=stick_ma, diskseq=1)
    tree.add_stick("sdc", 1, "1.2", max_power_ma=stick_ma, diskseq=2)
    teach(machine.port_map, "1.1", "1.2")

    assert [finding.severity for finding in check_power(machine)] == (
        [] if severity is None else [severity]
    )


def test_a_hub_for_other_things_may_live_on_its_cable(machine: Machine, tree: UsbTree) -> None:
    tree.add_hub(1, "2", 4, self_powered=False)
    teach(machine.port_map, "1")

    assert check_power(machine) == []


def test_short_commands_are_told(machine: Machine, tree: UsbTree) -> None:
    tree.add_stick("sdb", 1, "1", max_sectors=240, diskseq=1)
    assert check_kernel_limits(machine) == []

    tree.add_stick("sdc", 1, "2", max_sectors=64, diskseq=2)
    found = only(check_kernel_limits(machine), Severity.ADVICE)
    assert found.problem.startswith("the kernel sends /dev/sdc in A2 at most 32 KiB a command")


@pytest.mark.parametrize(
    ("text", "is_told"), [("1\n", False), ("1000ms\n", False), ("5\n", True), ("5000ms\n", True)]
)
def test_a_long_pause_before_a_new_stick_is_told(
    machine: Machine,
    text: str,
    is_told: bool,  # noqa: FBT001 - a column of the table
) -> None:
    delay = machine.sysfs / "module/usb_storage/parameters/delay_use"
    delay.parent.mkdir(parents=True)
    delay.write_text(text)

    assert bool(check_kernel_limits(machine)) is is_told


@pytest.mark.parametrize(("text", "is_told"), [("2000\n", False), ("0\n", True)])
def test_a_kernel_that_never_looks_for_cards_is_told(
    machine: Machine,
    text: str,
    is_told: bool,  # noqa: FBT001 - a column of the table
) -> None:
    interval = machine.sysfs / "module/block/parameters/events_dfl_poll_msecs"
    interval.parent.mkdir(parents=True)
    interval.write_text(text)

    assert bool(check_kernel_limits(machine)) is is_told
