"""A sysfs and procfs in the shape of the kernel's, for disks that come and go."""

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

XHCI = "pci0000:00/0000:00:14.0"
MB = 1_000_448  # whole sectors

_SWAPS_HEADER = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"


@dataclass
class SysfsTree:
    """Folders below `base`; buses are made with `add_bus`, disks with `plug` and `add_disk`."""

    base: Path
    _minors: int = 0
    _mounts: list[str] = field(default_factory=list)
    _buses: dict[int, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for folder in ("block", "devices", "class/block", "dev/block", "bus/usb"):
            (self.sys / folder).mkdir(parents=True)
        (self.proc / "self").mkdir(parents=True)
        (self.proc / "swaps").write_text(_SWAPS_HEADER)
        (self.proc / "self" / "mountinfo").write_text("")

    @property
    def sys(self) -> Path:
        return self.base / "sys"

    @property
    def proc(self) -> Path:
        return self.base / "proc"

    def add_bus(self, number: int, mbps: int = 480, controller: str = XHCI) -> None:
        root_hub = self.sys / "devices" / controller / f"usb{number}"
        self._make_usb(root_hub)
        (root_hub / "speed").write_text(f"{mbps}\n")
        self._buses[number] = root_hub

    def device(self, bus: int, chain: str) -> Path:
        """Folder of the USB device at the end of a chain, hubs on the way included."""
        folder = self._buses[bus]
        numbers = chain.split(".") if chain else []
        for depth in range(1, len(numbers) + 1):
            prefix = ".".join(numbers[:depth])
            folder /= f"{bus}-{prefix}"
            self._make_usb(folder)
            if not (folder / "port").is_symlink():
                (folder / "port").symlink_to(self._port(bus, prefix))
        return folder

    def pair(self, one: tuple[int, str], other: tuple[int, str]) -> None:
        """Make two ports, each a bus and a chain, the halves of one socket."""
        folders = [self._port(*one), self._port(*other)]
        for port, peer in (folders, folders[::-1]):
            (port / "peer").symlink_to(peer)

    def plug(  # noqa: PLR0913 - the facts of a stick
        self,
        name: str,
        bus: int,
        chain: str,
        *,
        diskseq: int | None,
        capacity_bytes: int = 512 * MB,
        sector_bytes: int = 512,
        number: str | None = None,
        lun: int = 0,
        target: int = 0,
        interface: int = 0,
        interface_class: int = 8,
        read_only: bool = False,
        holders: tuple[str, ...] = (),
        **strings: str | bytes,
    ) -> Path:
        """A usb-storage disk; `strings` are its device's, such as `serial`, as it says them."""
        device = self.device(bus, chain)
        for attribute, text in {
            "idVendor": "0951",
            "idProduct": "1666",
            "manufacturer": "Kingston",
            "product": "DataTraveler",
            "serial": "0123456789",
            "speed": "480",
            **strings,
        }.items():
            data = text.encode() if isinstance(text, str) else text
            (device / attribute).write_bytes(data + b"\n")
        interface_folder = device / f"{bus}-{chain}:1.{interface}"
        self._make_usb(interface_folder)
        (interface_folder / "bInterfaceClass").write_text(f"{interface_class:02x}\n")
        scsi = interface_folder / "host6" / f"target6:0:{target}" / f"6:0:{target}:{lun}"
        scsi.mkdir(parents=True, exist_ok=True)
        (scsi / "vendor").write_text("Kingston\n")
        (scsi / "model").write_text("DataTraveler 2.0\n")
        disk = self._add_block(
            scsi / "block" / name,
            number,
            holders,
            size=capacity_bytes // 512,
            ro=int(read_only),
            diskseq=diskseq,
            sector_bytes=sector_bytes,
        )
        (disk / "device").symlink_to(scsi)
        return disk

    def add_disk(
        self,
        name: str,
        parent: str,
        *,
        diskseq: int | None = 1,
        number: str | None = None,
        holders: tuple[str, ...] = (),
    ) -> Path:
        """A disk that is not on USB."""
        folder = self.sys / "devices" / parent
        folder.mkdir(parents=True, exist_ok=True)
        disk = self._add_block(folder / "block" / name, number, holders, diskseq=diskseq)
        if not parent.startswith("virtual"):
            (disk / "device").symlink_to(folder)
        return disk

    def add_partition(
        self, disk: str, index: int, *, number: str | None = None, holders: tuple[str, ...] = ()
    ) -> None:
        name = f"{disk}{'p' if disk[-1].isdigit() else ''}{index}"
        folder = (self.sys / "block" / disk).resolve() / name
        self._add_unit(folder, number, holders)
        (folder / "partition").write_text(f"{index}\n")

    def mount(self, disk: str, partition: str, mount_point: str) -> None:
        number = ((self.sys / "block" / disk).resolve() / partition / "dev").read_text().strip()
        self._mounts.append(f"36 35 {number} / {mount_point} rw - vfat /dev/{partition} rw\n")
        (self.proc / "self" / "mountinfo").write_text("".join(self._mounts))

    def set_capacity(self, name: str, capacity_bytes: int, diskseq: int) -> None:
        """A medium comes to, or leaves, the slot of a card reader."""
        folder = self.sys / "block" / name
        (folder / "size").write_text(f"{capacity_bytes // 512}\n")
        (folder / "diskseq").write_text(f"{diskseq}\n")

    def pull(self, name: str) -> None:
        link = self.sys / "block" / name
        folder = link.resolve()
        link.unlink()
        shutil.rmtree(folder.parent.parent)

    def _add_block(  # noqa: PLR0913 - the facts of a disk
        self,
        folder: Path,
        number: str | None,
        holders: tuple[str, ...],
        *,
        diskseq: int | None,
        size: int = 1_000_000,
        ro: int = 0,
        sector_bytes: int = 512,
    ) -> Path:
        self._add_unit(folder, number, holders)
        (folder / "queue").mkdir()
        (folder / "queue" / "logical_block_size").write_text(f"{sector_bytes}\n")
        for attribute, value in {"size": size, "ro": ro, "diskseq": diskseq}.items():
            if value is not None:
                (folder / attribute).write_text(f"{value}\n")
        (self.sys / "block" / folder.name).symlink_to(folder)
        return folder

    def _add_unit(self, folder: Path, number: str | None, holders: tuple[str, ...]) -> None:
        """What a disk and a partition have in common."""
        if number is None:
            self._minors += 1
            number = f"8:{self._minors}"
        (folder / "holders").mkdir(parents=True)
        (folder / "dev").write_text(f"{number}\n")
        for holder in holders:
            (folder / "holders" / holder).symlink_to(f"../../{holder}")
        for link in (self.sys / "class/block" / folder.name, self.sys / "dev/block" / number):
            # What a disk that was pulled leaves behind.
            link.unlink(missing_ok=True)
            link.symlink_to(folder)

    def _port(self, bus: int, chain: str) -> Path:
        """Folder of a port; it stands below the interface of the hub that it is part of."""
        hub, _, number = chain.rpartition(".")
        hub_folder = self.device(bus, hub)
        hub_interface = f"{hub_folder.name}:1.0" if hub else f"{bus}-0:1.0"
        name = f"{hub_folder.name}-port{number}"
        folder = hub_folder / hub_interface / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _make_usb(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "subsystem").is_symlink():
            target = os.path.relpath(self.sys / "bus" / "usb", folder)
            (folder / "subsystem").symlink_to(target)
