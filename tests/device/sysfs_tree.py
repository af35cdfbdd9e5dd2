"""A sysfs in a folder, in the shapes of a real one."""

import os
from pathlib import Path


class SysfsTree:
    """Builds devices below `root` as Linux 6 lays them out."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for folder in ("block", "class/block", "dev/block", "bus", "class"):
            (root / folder).mkdir(parents=True, exist_ok=True)

    def device(self, path: str, subsystem: str = "", **attributes: str | bytes) -> Path:
        """A directory below devices/ with a subsystem link and attribute files."""
        folder = self.root / "devices" / path
        folder.mkdir(parents=True, exist_ok=True)
        for name, value in attributes.items():
            data = value.encode() if isinstance(value, str) else value
            (folder / name).write_bytes(data + b"\n")
        if subsystem and not (folder / "subsystem").exists():
            target = self.root / "bus" / subsystem
            target.mkdir(exist_ok=True)
            (folder / "subsystem").symlink_to(os.path.relpath(target, folder))
        return folder

    def block(  # noqa: PLR0913 - each is one attribute
        self,
        path: str,
        number: str,
        *,
        sectors: int = 2048,
        sector_bytes: int = 512,
        diskseq: int | None = 7,
        holders: tuple[str, ...] = (),
        **attributes: str,
    ) -> Path:
        """A disk whose parent device exists already, unless it is virtual."""
        folder = self.device(path, **{"ro": "0", "removable": "1", **attributes})
        (folder / "size").write_text(f"{sectors}\n")
        (folder / "queue").mkdir()
        (folder / "queue" / "logical_block_size").write_text(f"{sector_bytes}\n")
        if diskseq is not None:
            (folder / "diskseq").write_text(f"{diskseq}\n")
        self._unit(folder, number, holders)
        (self.root / "block" / folder.name).symlink_to(folder)
        if folder.parent.name == "block":
            (folder / "device").symlink_to("../..")
        return folder

    def partition(self, disk: Path, number: str, *, holders: tuple[str, ...] = ()) -> Path:
        """The next partition of a disk."""
        index = sum((entry / "partition").exists() for entry in disk.iterdir()) + 1
        folder = disk / f"{disk.name}{'p' if disk.name[-1].isdigit() else ''}{index}"
        folder.mkdir()
        (folder / "partition").write_text(f"{index}\n")
        self._unit(folder, number, holders)
        return folder

    def _unit(self, folder: Path, number: str, holders: tuple[str, ...]) -> None:
        (folder / "dev").write_text(f"{number}\n")
        (folder / "holders").mkdir()
        for holder in holders:
            (folder / "holders" / holder).symlink_to(f"../../{holder}")
        (self.root / "class" / "block" / folder.name).symlink_to(folder)
        (self.root / "dev" / "block" / number).symlink_to(folder)

    def usb_stick(  # noqa: PLR0913 - each is one property of the stick
        self,
        name: str = "sdb",
        number: str = "8:16",
        *,
        controller: str = "pci0000:00/0000:00:14.0",
        bus: int = 1,
        chain: str = "1.4.3",
        lun: int = 0,
        interface_class: str = "08",
        speed: str = "480",
        serial: str | bytes = "4C530001",
        vendor: str | bytes = "SanDisk ",
        **options: object,
    ) -> Path:
        """A usb-storage disk behind as many hubs as its chain has dots."""
        self.device(controller, "pci" if "pci" in controller else "platform")
        path = f"{controller}/usb{bus}"
        self.device(path, "usb", idVendor="1d6b", idProduct="0002", serial="0000:00:14.0")
        ports = chain.split(".")
        for depth in range(1, len(ports)):
            path += f"/{bus}-{'.'.join(ports[:depth])}"
            self.device(path, "usb", idVendor="2109", idProduct="2817", product="USB2.0 Hub")
        path += f"/{bus}-{chain}"
        self.device(
            path,
            "usb",
            idVendor="0781",
            idProduct="5567",
            manufacturer="SanDisk Corp.",
            product="Cruzer Blade",
            serial=serial,
            speed=speed,
        )
        path += f"/{bus}-{chain}:1.0"
        interface = self.device(
            path, "usb", bInterfaceClass=interface_class, bInterfaceProtocol="50"
        )
        driver = self.root / "bus" / "usb" / "drivers" / "usb-storage"
        driver.mkdir(parents=True, exist_ok=True)
        if not (interface / "driver").exists():
            (interface / "driver").symlink_to(driver)
        for part in ("host6", "target6:0:0"):
            path += f"/{part}"
            self.device(path, "scsi")
        path += f"/6:0:0:{lun}"
        self.device(path, "scsi", vendor=vendor, model="Cruzer Blade    ", max_sectors="240")
        return self.block(f"{path}/block/{name}", number, **options)  # type: ignore[arg-type]
