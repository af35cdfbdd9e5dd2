"""Who uses a disk: mounts, swap, and devices stacked on it.

Devices are matched by number, never by name: `sda` begins `sdaa`, and a name in a mount table may
be a link, `/dev/root`, or gone.

This answers beforehand, with a name for the operator. What it can't see (mounts in other
namespaces, the second disk of a btrfs) the exclusive open refuses: `station.device.opening`.

Sources: proc_pid_mountinfo(5); swapon(8) and mm/swapfile.c for /proc/swaps.
"""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum, unique
from pathlib import Path

from station.device.sysfs import (
    SYSFS,
    BlockDisk,
    BlockUnit,
    DeviceNumber,
    block_device_number,
    parse_device_number,
    read_unit,
)

PROC = Path("/proc")

_OCTAL_ESCAPE = re.compile(r"\\([0-7]{3})")
_DEVICE_FOLDER = "/dev/"


@unique
class ClaimKind(StrEnum):
    """How a device is used."""

    MOUNT = "mounted at"
    SWAP = "used as swap"
    HOLDER = "held by"


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of mountinfo.

    Attributes:
        number: device number of the file system; its major is 0 where it has no single block device
            (tmpfs, NFS, but btrfs as well).
        mount_point: where it is mounted.
        source: what was mounted, in the file system's own words; often a device node.
    """

    number: DeviceNumber
    mount_point: str
    source: str


@dataclass(frozen=True, slots=True)
class Use:
    """A block device that is mounted or swapped on."""

    number: DeviceNumber
    kind: ClaimKind
    user: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """One reason why a disk is not free.

    Attributes:
        device: kernel name of what is used: the disk, a partition, or a device stacked on either.
        kind: how it is used.
        user: mount point, or kernel name of the holder; empty for swap.
    """

    device: str
    kind: ClaimKind
    user: str = ""

    def __str__(self) -> str:
        return f"{self.device} is {self.kind} {self.user}".rstrip()


def read_claims(disk: BlockDisk, sysfs: Path = SYSFS, proc: Path = PROC) -> tuple[Claim, ...]:
    """Tell who uses a disk, one of its partitions, or a device stacked on them.

    Raises:
        OSError: when the kernel's tables can't be read.
    """
    uses = read_uses(proc)
    return tuple(
        dict.fromkeys(
            claim
            for unit in (disk.unit, *disk.partitions)
            for claim in _claims_on(unit, uses, sysfs)
        )
    )


def read_uses(proc: Path = PROC) -> tuple[Use, ...]:
    """List every block device that is mounted in this process's namespace or swapped on.

    Raises:
        OSError: when the kernel's tables can't be read.
    """
    mounts = parse_mountinfo(os.fsdecode((proc / "self" / "mountinfo").read_bytes()))
    swaps = parse_swaps(os.fsdecode((proc / "swaps").read_bytes()))
    return (
        *(
            Use(number, ClaimKind.MOUNT, _showable(mount.mount_point))
            for mount in mounts
            for number in _numbers_of(mount)
        ),
        *(
            Use(number, ClaimKind.SWAP)
            for path in swaps
            if (number := _number_of_node(path)) is not None
        ),
    )


def parse_mountinfo(text: str) -> tuple[Mount, ...]:
    """Read /proc/PID/mountinfo.

    A line is `36 35 8:17 / /mnt rw,noatime shared:1 - ext4 /dev/sdb1 rw`: after six fields come
    none or more optional ones, up to a lone hyphen.
    """
    mounts = []
    for line in text.split("\n"):
        if not line:
            continue
        fields = line.split(" ")
        separator = fields.index("-", 6)
        mounts.append(
            Mount(
                number=parse_device_number(fields[2]),
                mount_point=_unescaped(fields[4]),
                source=_unescaped(fields[separator + 2]),
            )
        )
    return tuple(mounts)


def parse_swaps(text: str) -> tuple[str, ...]:
    """Read /proc/swaps: the paths of swap partitions.

    Swap files are left out: they lie on a file system, which is mounted.
    """
    rows = (line.split() for line in text.split("\n")[1:] if line)
    return tuple(_unescaped(row[0]) for row in rows if row[1] == "partition")


def _claims_on(unit: BlockUnit, uses: Iterable[Use], sysfs: Path) -> Iterator[Claim]:
    for use in uses:
        if use.number == unit.number:
            yield Claim(unit.name, use.kind, use.user)
    for holder in unit.holders:
        yield Claim(unit.name, ClaimKind.HOLDER, holder)
        # A mount point says more to the operator than `dm-3` does.
        yield from _claims_on(read_unit(holder, sysfs), uses, sysfs)


def _numbers_of(mount: Mount) -> Iterator[DeviceNumber]:
    yield mount.number
    if mount.number.major != 0 or not mount.source.startswith(_DEVICE_FOLDER):
        return
    # btrfs has an anonymous number; its source still names one of its devices.
    number = _number_of_node(mount.source)
    if number is not None:
        yield number


def _number_of_node(path: str) -> DeviceNumber | None:
    try:
        return block_device_number(Path(path).stat())
    except OSError:
        # The node was deleted or renamed while in use; the exclusive open still sees the claim.
        return None


def _unescaped(field: str) -> str:
    r"""Undo the kernel's `\040` for a blank (mangle_path in fs/seq_file.c)."""
    return _OCTAL_ESCAPE.sub(lambda match: chr(int(match[1], 8)), field)


def _showable(path: str) -> str:
    return os.fsencode(path).decode(errors="backslashreplace")
