"""The machine that is examined, and what it is to do."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from station.device.sysfs import BlockDisk, disk_names, read_disk
from station.errors import OperatorError
from station.usb.labels import PortMap, load_port_map
from station.usb.ports import port_of_disk


def _may_use(path: Path) -> bool:
    return os.access(path, os.R_OK | os.W_OK)


def _free_bytes(path: Path) -> int:
    return shutil.disk_usage(path).free


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine as its kernel shows it. Checks read it and change nothing.

    Attributes:
        port_map: file of the map of the taught ports; need not be there.
        ledger: path or URL of the ledger.
        now: the time of day, with its zone.
        catalog: folder that holds `profiles/` and `content_manifests/`.
        profile: name of the profile that is to be loaded; None when none was named.
        content: folder of the files, in place of the manifests' own.
        root: what stands for `/`.
        may_use: whether this user may read and write a file, folder or node.
        free_bytes: how much this user can still write to the disk that a folder is on.
    """

    port_map: Path
    ledger: str
    now: datetime
    catalog: Path = Path()
    profile: str | None = None
    content: Path | None = None
    root: Path = Path("/")
    may_use: Callable[[Path], bool] = _may_use
    free_bytes: Callable[[Path], int] = _free_bytes

    @property
    def sysfs(self) -> Path:
        """Where sysfs is mounted."""
        return self.root / "sys"

    @property
    def proc(self) -> Path:
        """Where procfs is mounted."""
        return self.root / "proc"

    def taught(self) -> PortMap:
        """The taught ports; none where there is no map, or none that can be read.

        The check of the map tells of that; the others make do.
        """
        try:
            return load_port_map(self.port_map)
        except OperatorError:
            return PortMap()

    def place(self, port: str | None) -> str:
        """What people call a port: its label, or else its name."""
        labels = {name: each.label for each in self.taught().ports for name in each.names}
        return labels.get(port or "", port or "an unknown port")

    def disks(self) -> list[tuple[BlockDisk, str | None]]:
        """All disks that are there, each with its port; None for one that is not on USB."""
        found: list[tuple[BlockDisk, str | None]] = []
        for name in disk_names(self.sysfs):
            try:
                disk = read_disk(name, self.sysfs)
                found.append((disk, port_of_disk(self.sysfs / "block" / name, self.sysfs)))
            except OSError:
                # It is being pulled, or not complete yet.
                continue
        return found


def existing_parent(path: Path) -> Path:
    """The nearest folder above a path that is there."""
    return next(parent for parent in path.absolute().parents if parent.exists())
