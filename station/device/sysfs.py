r"""What sysfs tells of a disk and of the way it is attached.

Sources: the kernel's Documentation/ABI/stable/sysfs-block, testing/sysfs-block,
testing/sysfs-bus-usb. What the names of USB devices and ports mean is known to `usb/topology`.

Strings are a stick's own and may hold anything; bytes that are no UTF-8 come as `\xNN`.
"""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from station.errors import OperatorError

SYSFS = Path("/sys")

# The unit of `size`, whatever the drive's own sector is.
SYSFS_SECTOR_BYTES = 512

USB_CLASS_MASS_STORAGE = 0x08


@dataclass(frozen=True, slots=True, order=True)
class DeviceNumber:
    """A block device as the kernel numbers it; names can mislead (`sda` begins `sdaa`)."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}:{self.minor}"


@dataclass(frozen=True, slots=True)
class UsbAttachment:
    """The USB interface that a disk hangs on, and its device.

    Attributes:
        device_path: sysfs directory of the USB device, links resolved; its hubs stand above it.
        interface_class: bInterfaceClass; 0x08 is mass storage.
        vendor_id: idVendor, four hexadecimal digits.
        product_id: idProduct, four hexadecimal digits.
        manufacturer: string descriptor; empty where the device has none.
        product: string descriptor; empty where the device has none.
        serial: string descriptor; empty where the device has none.
        link_mbps: negotiated speed in megabits per second; None where unknown. Low speed, 1.5, is
            told as 1.
    """

    device_path: Path
    interface_class: int
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
        diskseq: sequence number of this very medium; None before Linux 5.15.
        vendor: INQUIRY vendor, else the USB manufacturer.
        model: INQUIRY product, else the USB product.
        serial: the USB serial number, else the drive's own; no identity.
        max_sectors: most 512-byte sectors in one command, where the transport tells (usb-storage).
        usb: the attachment; None for a disk that does not hang on USB.
    """

    unit: BlockUnit
    partitions: tuple[BlockUnit, ...]
    capacity_bytes: int
    sector_bytes: int
    read_only: bool
    diskseq: int | None
    vendor: str
    model: str
    serial: str
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
        diskseq=_optional_integer(path / "diskseq"),
        vendor=optional_text(device / "vendor") or (usb.manufacturer if usb else ""),
        model=optional_text(device / "model") or (usb.product if usb else ""),
        serial=(usb.serial if usb else "")
        or optional_text(device / "serial")
        or optional_text(path / "serial"),
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


def parse_device_number(text: str) -> DeviceNumber:
    """Read `MAJOR:MINOR`.

    Raises:
        ValueError: when it is anything else.
    """
    major, minor = text.split(":")
    return DeviceNumber(int(major), int(minor))


def _unit_at(path: Path) -> BlockUnit:
    return BlockUnit(
        name=path.name,
        number=parse_device_number(_text(path / "dev")),
        holders=tuple(sorted(holder.name for holder in (path / "holders").iterdir())),
    )


def _usb_attachment(disk_path: Path) -> UsbAttachment | None:
    """Climb from a disk to the nearest USB interface and its device."""
    for interface in disk_path.parents:
        if _subsystem(interface) == "usb":
            break
    else:
        return None
    device = interface.parent
    speed_mbps = read_speed_mbps(device)
    return UsbAttachment(
        device_path=device,
        interface_class=int(_text(interface / "bInterfaceClass"), 16),
        vendor_id=_text(device / "idVendor"),
        product_id=_text(device / "idProduct"),
        manufacturer=optional_text(device / "manufacturer"),
        product=optional_text(device / "product"),
        serial=optional_text(device / "serial"),
        link_mbps=None if speed_mbps is None else int(speed_mbps),
    )


def _subsystem(path: Path) -> str:
    link = path / "subsystem"
    return link.readlink().name if link.is_symlink() else ""


def read_speed_mbps(usb_device: Path) -> float | None:
    """Speed of a USB device's link in megabits per second; None while it is being set up.

    Args:
        usb_device: the device's folder in sysfs.
    """
    # `1.5`, `12`, `480`, `5000`, …; `unknown` until it is settled.
    try:
        return float(optional_text(usb_device / "speed"))
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
