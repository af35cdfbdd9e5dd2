"""The hub of `station load`: drives that a person named, all there from the start."""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from station.device.direct import DirectDrive
from station.device.drive import Drive, DriveInfo
from station.device.partitions import show_partitions
from station.device.sysfs import disk_name_of
from station.errors import OperatorError
from station.hotplug.events import Inserted, PlugEvent, Port
from station.usb.admission import admit
from station.usb.candidate import read_candidate
from station.usb.guard import Candidate, GuardPolicy, judge
from station.verdict import DriveRefusedError


@dataclass(frozen=True, slots=True)
class _Target:
    """An opened drive, and what is known of it.

    Attributes:
        info: what is known of it.
        drive: the drive.
        disk_name: the kernel's name of it; None for an image file.
    """

    info: DriveInfo
    drive: Drive
    disk_name: str | None = None


class TargetHub:
    """Named block devices and image files, each a port of its own.

    All are judged and opened before any is handed out: when one is refused, none is written to.

    Args:
        targets: nodes and files.
        policy: what the guard lets pass; naming a target opens its port on purpose.
        sector_bytes: sector size of the drives that image files stand for.

    Raises:
        OperatorError: when a target is named twice, refused, or can't be opened.
    """

    def __init__(
        self, targets: Sequence[Path], policy: GuardPolicy, sector_bytes: int = 512
    ) -> None:
        self._policy = replace(policy, any_port=True)
        self._sector_bytes = sector_bytes
        self._targets: dict[str, _Target] = {}
        self._has_told = False
        with ExitStack() as on_failure:
            for target in targets:
                port = str(target.resolve())
                if port in self._targets:
                    raise OperatorError(f"{target} is named twice", "Name each target once.")
                opened = self._open(target, port)
                on_failure.callback(opened.drive.close)
                self._targets[port] = opened
            on_failure.pop_all()

    @property
    def drives(self) -> Sequence[DriveInfo]:
        """The targets, in the order in which they were named."""
        return tuple(target.info for target in self._targets.values())

    @property
    def ports(self) -> Sequence[Port]:
        """A port for each target, in the order in which they were named."""
        return tuple(Port(name, Path(name).name) for name in self._targets)

    @property
    def exhausted(self) -> bool:
        """Whether all targets were told of."""
        return self._has_told

    def poll(self, timeout_s: float) -> list[PlugEvent]:
        """Tell of all targets, the first time; later just rest, as none comes or goes."""
        if self._has_told:
            time.sleep(timeout_s)
            return []
        self._has_told = True
        return [Inserted(info) for info in self.drives]

    def open(self, drive: DriveInfo) -> Drive:
        """The drive, which was judged and opened at the start."""
        return self._targets[drive.port].drive

    def show(self, drive: DriveInfo) -> None:
        """Let everybody see the partitions of a USB disk that passed and was closed.

        An image file has none that anybody sees, and udev looks at other disks only where they are
        set up for it.
        """
        disk_name = self._targets[drive.port].disk_name
        if disk_name and drive.usb_id:
            show_partitions(disk_name, drive.diskseq)

    def close(self) -> None:
        """Let go of all targets."""
        for target in self._targets.values():
            target.drive.close()

    def _open(self, target: Path, port: str) -> _Target:
        try:
            if target.is_block_device():
                return self._open_device(target, port)
            return self._open_image(target, port)
        except DriveRefusedError as error:
            raise OperatorError(
                f"{target} is refused: {error.verdict.reason}: {error.verdict.detail}"
            ) from error
        except OSError as error:
            raise OperatorError(f"{target} can't be opened: {error.strerror}") from error

    def _open_device(self, target: Path, port: str) -> _Target:
        disk = disk_name_of(target)
        drive = admit(disk, None, self._policy)
        return _Target(replace(read_candidate(disk).drive, port=port), drive, disk)

    def _open_image(self, target: Path, port: str) -> _Target:
        drive = DirectDrive.open_image(target, self._sector_bytes)
        info = DriveInfo(
            node=str(target),
            capacity_bytes=drive.capacity_bytes,
            sector_bytes=drive.sector_bytes,
            port=port,
            model="image file",
        )
        # Of the guard's rules, those about size are what applies to a file.
        stand_in = Candidate(replace(info, diskseq=0), is_usb=True)
        if (objection := judge(stand_in, self._policy)) is not None:
            drive.close()
            raise DriveRefusedError(objection.reason, objection.detail)
        return _Target(info, drive)
