"""The facts that the guard judges, collected from the kernel."""

from pathlib import Path

from station.device.drive import DriveInfo
from station.device.mounts import PROC, read_claims
from station.device.sysfs import SYSFS, BlockDisk, UsbAttachment, read_disk, read_speed_mbps
from station.usb.guard import Candidate
from station.usb.ports import port_of_disk
from station.usb.topology import is_root_hub_name


def read_candidate(
    disk_name: str,
    announced_diskseq: int | None = None,
    *,
    sysfs: Path = SYSFS,
    proc: Path = PROC,
) -> Candidate:
    """Collect what the guard has to know of a disk.

    Args:
        disk_name: kernel name of the whole disk, such as `sdb`.
        announced_diskseq: sequence number of the medium that is expected there; None for a target
            that a person named.
        sysfs: where sysfs is mounted.
        proc: where procfs is mounted.

    Raises:
        OSError: when the disk has left, or the kernel's tables can't be read.
    """
    disk = read_disk(disk_name, sysfs)
    return Candidate(
        drive=describe(disk, sysfs),
        is_usb=disk.usb is not None and disk.usb.is_mass_storage,
        read_only=disk.read_only,
        claims=tuple(str(claim) for claim in read_claims(disk, sysfs, proc)),
        announced_diskseq=announced_diskseq,
    )


def describe(disk: BlockDisk, sysfs: Path = SYSFS) -> DriveInfo:
    """Tell what a disk is and at which port it is.

    Raises:
        OSError: when the disk has left.
    """
    usb = disk.usb
    port = port_of_disk(sysfs / "block" / disk.name, sysfs) if usb is not None else None
    return DriveInfo(
        node=disk.node,
        capacity_bytes=disk.capacity_bytes,
        sector_bytes=disk.sector_bytes,
        diskseq=disk.diskseq,
        port=port or "",
        vendor=disk.vendor,
        model=disk.model,
        serial=disk.serial,
        usb_id=f"{usb.vendor_id}:{usb.product_id}" if usb is not None else "",
        link_mbps=usb.link_mbps if usb is not None else None,
        upstream_mbps=_upstream_mbps(usb) if usb is not None else None,
    )


def _upstream_mbps(usb: UsbAttachment) -> int | None:
    """Speed at the root port, which is that of the topmost hub, or of the drive itself."""
    for folder in (usb.device_path, *usb.device_path.parents):
        if is_root_hub_name(folder.parent.name):
            speed_mbps = read_speed_mbps(folder)
            return None if speed_mbps is None else int(speed_mbps)
    return None
