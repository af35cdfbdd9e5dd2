import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.usb.topology import (
    Socket,
    Unit,
    UsbLocation,
    is_device_name,
    parse_disk_path,
    parse_port_path,
    port_order,
)

PCI = "/devices/pci0000:00/0000:00:14.0"


@pytest.mark.parametrize(
    ("devpath", "name"),
    [
        pytest.param(
            f"{PCI}/usb1/1-2/1-2:1.0/host6/target6:0:0/6:0:0:0/block/sdb",
            "0000:00:14.0/2",
            id="stick in a root port",
        ),
        pytest.param(
            f"{PCI}/usb1/1-1/1-1.4/1-1.4.3/1-1.4.3:1.0/host6/target6:0:0/6:0:0:0/block/sdb",
            "0000:00:14.0/1.4.3",
            id="stick below two hubs",
        ),
        pytest.param(
            f"{PCI}/usb1/1-10/1-10:1.0/host6/target6:0:0/6:0:0:3/block/sde",
            "0000:00:14.0/10:lun3",
            id="slot of a card reader",
        ),
        pytest.param(
            f"{PCI}/usb1/1-1/1-1:1.2/host6/target6:0:1/6:0:1:1/block/sde",
            "0000:00:14.0/1:if2:target1:lun1",
            id="composite device in front of real SCSI",
        ),
        pytest.param(
            "/devices/pci0000:00/0000:00:1c.0/0000:0a:00.0/usb3/3-1/3-1:1.0/host1/target1:0:0"
            "/1:0:0:0/block/sdaa",
            "0000:0a:00.0/1",
            id="controller behind a bridge",
        ),
        pytest.param(
            "/devices/platform/axi/1000120000.pcie/1f00200000.usb/xhci-hcd.0/usb1/1-1/1-1:1.0/host0"
            "/target0:0:0/0:0:0:0/block/sda",
            "axi/1000120000.pcie/1f00200000.usb/xhci-hcd.0/1",
            id="platform controller",
        ),
    ],
)
def test_a_port_is_named_by_controller_and_chain_and_slot(devpath: str, name: str) -> None:
    location = parse_disk_path(devpath)

    assert location is not None
    assert f"{location.socket.name}{location.unit.suffix}" == name


@pytest.mark.parametrize(
    "devpath",
    [
        "/devices/pci0000:00/0000:00:04.0/virtio2/block/vda",
        "/devices/pci0000:00/0000:01:00.0/nvme/nvme0/nvme0n1",
        "/devices/pci0000:00/0000:00:17.0/ata1/host0/target0:0:0/0:0:0:0/block/sda",
        "/devices/virtual/block/loop0",
        f"{PCI}/usb1",
        "/",
        "",
    ],
)
def test_a_disk_that_is_not_on_usb_has_no_port(devpath: str) -> None:
    assert parse_disk_path(devpath) is None


def test_the_number_of_the_bus_is_no_part_of_the_name() -> None:
    one = parse_disk_path(f"{PCI}/usb1/1-4/1-4:1.0/host6/target6:0:0/6:0:0:0/block/sdb")
    other = parse_disk_path(f"{PCI}/usb7/7-4/7-4:1.0/host6/target6:0:0/6:0:0:0/block/sdb")

    assert one is not None
    assert other is not None
    assert one.socket.name == other.socket.name


@pytest.mark.parametrize(
    ("devpath", "socket"),
    [
        (f"{PCI}/usb2/2-0:1.0/usb2-port4", Socket("0000:00:14.0", 2, (4,))),
        (f"{PCI}/usb2/2-4/2-4:1.0/2-4-port11", Socket("0000:00:14.0", 2, (4, 11))),
        (f"{PCI}/usb2/2-4/2-4:1.0", None),
        ("/devices/virtual/port1", None),
        ("", None),
    ],
)
def test_the_port_of_a_hub_is_read_from_its_path(devpath: str, socket: Socket | None) -> None:
    assert parse_port_path(devpath) == socket


def test_ports_are_sorted_as_people_count() -> None:
    names = ["0000:00:14.0/10", "0000:00:14.0/2.11", "0000:00:14.0/2.2:lun1", "0000:00:14.0/2.2"]

    assert sorted(names, key=port_order) == names[::-1]


sockets = st.builds(
    Socket,
    controller=st.sampled_from(["0000:00:14.0", "10000:e1:00.0", "soc/fe980000.usb"]),
    bus=st.integers(1, 40),
    chain=st.lists(st.integers(1, 255), min_size=1, max_size=7).map(tuple),
)
units = st.builds(
    Unit,
    interface=st.integers(0, 31),
    target=st.integers(0, 15),
    lun=st.integers(0, 15),
)


def sysfs_path(location: UsbLocation) -> str:
    socket, unit = location.socket, location.unit
    chain = [str(number) for number in socket.chain]
    devices = [f"{socket.bus}-{'.'.join(chain[: depth + 1])}" for depth in range(len(chain))]
    parent = "pci0000:00" if ":" in socket.controller else "platform"
    return (
        f"/devices/{parent}/{socket.controller}/usb{socket.bus}/{'/'.join(devices)}"
        f"/{devices[-1]}:1.{unit.interface}/host3/target3:0:{unit.target}"
        f"/3:0:{unit.target}:{unit.lun}/block/sdc"
    )


@given(st.builds(UsbLocation, sockets, units))
def test_a_location_survives_the_way_through_sysfs(location: UsbLocation) -> None:
    assert parse_disk_path(sysfs_path(location)) == location


@given(st.builds(UsbLocation, sockets, units), st.builds(UsbLocation, sockets, units))
def test_different_places_have_different_names(one: UsbLocation, other: UsbLocation) -> None:
    def name(location: UsbLocation) -> str:
        return location.socket.name + location.unit.suffix

    def place(location: UsbLocation) -> tuple[object, ...]:
        return (location.socket.controller, location.socket.chain, location.unit)

    assert (name(one) == name(other)) == (place(one) == place(other))


@given(st.text())
def test_any_path_is_read_or_turned_away(devpath: str) -> None:
    assert parse_disk_path(devpath) is None or "usb" in devpath


@pytest.mark.parametrize(
    ("name", "is_device"),
    [
        ("1-1.4", True),
        ("12-3", True),
        *((name, False) for name in ("usb1", "1-1:1.0", "1-", "1-1.", "-1", "1-1.4\n", "1-port4")),
    ],
)
def test_a_device_below_a_port_is_told_from_hubs_interfaces_and_ports(
    name: str,
    is_device: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert is_device_name(name) is is_device
