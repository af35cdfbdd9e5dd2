r"""What sysfs tells of a disk and of the way it is attached.

Sources: the kernel's Documentation/ABI/stable/sysfs-block, testing/sysfs-block,
testing/sysfs-bus-usb; the shape of USB device names is that of drivers/usb/core/usb.c
(`usb_alloc_dev`): `BUS-PORT.PORT…` for a device, `:CONFIGURATION.INTERFACE` behind it.

Strings are a stick's own and may hold anything; bytes that are no UTF-8 come as `\xNN`.
"""

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from station.errors import OperatorError

SYSFS = Path("/sys")

# The unit of `size` and `stat`, whatever the drive's own sector is (Documentation/block/stat.rst).
SYSFS_SECTOR_BYTES = 512

USB_CLASS_MASS_STORAGE = 0x08

_USB_DEVICE_NAME = re.compile(r"(?P<bus>\d+)-(?P<chain>\d+(?:\.\d+)*)", re.ASCII)
_SCSI_DEVICE_NAME = re.compile(r"\d+:\d+:\d+:(?P<lun>\d+)", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class DeviceNumber:
    """A block device as the kernel numbers it; names can mislead (`sda` begins `sdaa`)."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}:{self.minor}"


@dataclass(frozen=True, slots=True)
class UsbAttachment:
    """The USB interface that a disk hangs on, and the way to it.

    Attributes:
        controller: the host controller's own name, such as its PCI address `0000:00:14.0`; stays
            the same between boots, which the bus number need not.
        bus: number of the bus.
        port_chain: port numbers from the root hub down, `1.4.3`.
        device_path: sysfs directory of the USB device, links resolved; hubs and their `portN`
            directories stand above it.
        interface_class: bInterfaceClass; 0x08 is mass storage.
        driver: driver bound to the interface, `usb-storage` or `uas`; empty when none is.
        vendor_id: idVendor, four hexadecimal digits.
        product_id: idProduct, four hexadecimal digits.
        manufacturer: string descriptor; empty where the device has none.
        product: string descriptor; empty where the device has none.
        serial: string descriptor; empty where the device has none.
        link_mbps: negotiated speed in megabits per second; None where unknown. Low speed, 1.5, is
            told as 1.
    """

    controller: str
    bus: int
    port_chain: str
    device_path: Path
    interface_class: int
    driver: str
    vendor_id: str
    product_id: str
    manufacturer: str
    product: str
    serial: str
    link_mbps: int | None

    @property
    def is_mass_storage(self) -> bool:
        """Whether the interface claims to be a disk and nothing else."""
        return self.interface_class == USB_CLASS_MASS_STORAGE


@dataclass(frozen=True, slots=True)
class BlockUnit:
    """What can be mounted or claimed by itself: a whole disk or one of its partitions.

    Attributes:
        name: kernel name, such as `sdb1`.
        number: its device number.
        holders: kernel names of the devices stacked on it (device mapper, md, bcache).
    """

    name: str
    number: DeviceNumber
    holders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BlockDisk:
    """One whole disk.

    Attributes:
        unit: the disk itself; its name, number and holders.
        partitions: the partitions that the kernel knows on it.
        capacity_bytes: size of the medium; 0 for a card reader's empty slot.
        sector_bytes: logical sector size.
        read_only: whether the kernel refuses writes.
        removable: whether the medium can leave the drive (a stick may say either).
        diskseq: sequence number of this very medium; None before Linux 5.15.
        vendor: INQUIRY vendor, else the USB manufacturer.
        model: INQUIRY product, else the USB product.
        serial: the USB serial number, else the drive's own; no identity.
        lun: SCSI logical unit; None for a disk that is not SCSI.
        max_sectors: most 512-byte sectors in one command, where the transport tells (usb-storage).
        usb: the attachment; None for a disk that does not hang on USB.
    """

    unit: BlockUnit
    partitions: tuple[BlockUnit, ...]
    capacity_bytes: int
    sector_bytes: int
    read_only: bool
    removable: bool
    diskseq: int | None
    vendor: str
    model: str
    serial: str
    lun: int | None
    max_sectors: int | None
    usb: UsbAttachment | None

    @property
    def name(self) -> str:
        """Kernel name, such as `sdb`."""
        return self.unit.name

    @property
    def node(self) -> str:
        """Device node, such as `/dev/sdb`."""
        # A slash in a kernel name (`cciss/c0d0`) is an exclamation mark in sysfs.
        return "/dev/" + self.unit.name.replace("!", "/")


@dataclass(frozen=True, slots=True)
class Traffic:
    """Bytes that really went to and came from a disk since it appeared, past every cache."""

    read_bytes: int
    written_bytes: int


def disk_names(sysfs: Path = SYSFS) -> tuple[str, ...]:
    """Kernel names of all whole disks, sorted; virtual ones (loop, dm) too."""
    return tuple(sorted(entry.name for entry in (sysfs / "block").iterdir()))


def read_disk(name: str, sysfs: Path = SYSFS) -> BlockDisk:
    """Read all that is known of a whole disk.

    Raises:
        OSError: ENOENT or ENODEV when there is no such disk, or it left while it was read.
    """
    path = (sysfs / "block" / name).resolve(strict=True)
    device = path / "device"
    usb = _usb_attachment(path)
    scsi = _SCSI_DEVICE_NAME.fullmatch(device.resolve().name)
    return BlockDisk(
        unit=_unit_at(path),
        partitions=tuple(
            _unit_at(entry)
            for entry in sorted(path.iterdir())
            if entry.is_dir() and not entry.is_symlink() and (entry / "partition").exists()
        ),
        capacity_bytes=_integer(path / "size") * SYSFS_SECTOR_BYTES,
        sector_bytes=_integer(path / "queue" / "logical_block_size"),
        read_only=_integer(path / "ro") != 0,
        removable=_integer(path / "removable") != 0,
        diskseq=_optional_integer(path / "diskseq"),
        vendor=optional_text(device / "vendor") or (usb.manufacturer if usb else ""),
        model=optional_text(device / "model") or (usb.product if usb else ""),
        serial=(usb.serial if usb else "")
        or optional_text(device / "serial")
        or optional_text(path / "serial"),
        lun=int(scsi["lun"]) if scsi else None,
        max_sectors=_optional_integer(device / "max_sectors"),
        usb=usb,
    )


def disk_name_of(node: str | Path, sysfs: Path = SYSFS) -> str:
    """Kernel name of the whole disk that a device node, or a link to one, stands for.

    Raises:
        OperatorError: when there is no such node, or it is no whole disk.
        OSError: when it can't be looked at for another reason.
    """
    try:
        status = Path(node).stat()
    except FileNotFoundError as error:
        raise OperatorError(f"there is no {node}", "`lsblk` lists the disks.") from error
    number = block_device_number(status)
    if number is None:
        raise OperatorError(f"{node} is no block device", "`lsblk` lists the disks.")
    path = (sysfs / "dev" / "block" / str(number)).resolve()
    if (path / "partition").exists():
        raise OperatorError(
            f"{node} is a partition", f"Name the whole disk: /dev/{path.parent.name}."
        )
    return path.name


def read_unit(name: str, sysfs: Path = SYSFS) -> BlockUnit:
    """Read what can be mounted or claimed: a disk or partition, by its kernel name.

    Raises:
        OSError: when there is none of that name.
    """
    return _unit_at(sysfs / "class" / "block" / name)


def block_device_number(status: os.stat_result) -> DeviceNumber | None:
    """The device that a node stands for; None when the node is no block device."""
    if not stat.S_ISBLK(status.st_mode):
        return None
    return DeviceNumber(os.major(status.st_rdev), os.minor(status.st_rdev))


def read_traffic(name: str, sysfs: Path = SYSFS) -> Traffic:
    """Count what was read from and written to a disk.

    Raises:
        OSError: when there is no such disk.
    """
    return parse_stat(_text(sysfs / "block" / name / "stat"))


def parse_stat(text: str) -> Traffic:
    """Read a disk's `stat`: sectors read are its third field, sectors written its seventh."""
    fields = text.split()
    return Traffic(
        read_bytes=int(fields[2]) * SYSFS_SECTOR_BYTES,
        written_bytes=int(fields[6]) * SYSFS_SECTOR_BYTES,
    )


def parse_device_number(text: str) -> DeviceNumber:
    """Read `MAJOR:MINOR`.

    Raises:
        ValueError: when it is anything else.
    """
    major, minor = text.split(":")
    return DeviceNumber(int(major), int(minor))


def parse_usb_device_name(name: str) -> tuple[int, str] | None:
    """Take `1-1.4.3` apart into bus and port chain; None for a root hub (`usb1`) or interface."""
    match = _USB_DEVICE_NAME.fullmatch(name)
    return (int(match["bus"]), match["chain"]) if match else None


def _unit_at(path: Path) -> BlockUnit:
    return BlockUnit(
        name=path.name,
        number=parse_device_number(_text(path / "dev")),
        holders=tuple(sorted(holder.name for holder in (path / "holders").iterdir())),
    )


def _usb_attachment(disk_path: Path) -> UsbAttachment | None:
    """Climb from a disk to the nearest USB interface, its device and its controller."""
    for interface in disk_path.parents:
        if _subsystem(interface) == "usb":
            break
    else:
        return None
    device = interface.parent
    position = parse_usb_device_name(device.name)
    if position is None or not (interface / "bInterfaceClass").exists():
        raise OSError(f"{interface} is no USB interface below a port")
    bus, port_chain = position
    return UsbAttachment(
        controller=_controller_of(device),
        bus=bus,
        port_chain=port_chain,
        device_path=device,
        interface_class=int(_text(interface / "bInterfaceClass"), 16),
        driver=(interface / "driver").resolve().name if (interface / "driver").exists() else "",
        vendor_id=_text(device / "idVendor"),
        product_id=_text(device / "idProduct"),
        manufacturer=optional_text(device / "manufacturer"),
        product=optional_text(device / "product"),
        serial=optional_text(device / "serial"),
        link_mbps=_link_mbps(optional_text(device / "speed")),
    )


def _controller_of(usb_device: Path) -> str:
    """Name of what stands above the root hub: the last parent that is not on the USB itself."""
    return next(parent for parent in usb_device.parents if _subsystem(parent) != "usb").name


def _subsystem(path: Path) -> str:
    link = path / "subsystem"
    return link.readlink().name if link.is_symlink() else ""


def _link_mbps(speed: str) -> int | None:
    # `1.5`, `12`, `480`, `5000`, …; `unknown` while a device is being set up.
    try:
        return int(float(speed))
    except ValueError:
        return None


def _text(path: Path) -> str:
    return path.read_bytes().decode(errors="backslashreplace").strip(" \t\r\n\0")


def _integer(path: Path) -> int:
    return int(_text(path))


def optional_text(path: Path) -> str:
    """An attribute that not every disk has; empty where it is missing."""
    try:
        return _text(path)
    except FileNotFoundError:
        return ""


def _optional_integer(path: Path) -> int | None:
    text = optional_text(path)
    return int(text) if text else None
