"""The one way to a drive that is to be written to: judged, opened, and judged again."""

from collections.abc import Callable
from pathlib import Path

from station.device.direct import DirectDrive
from station.device.drive import Drive, DriveInfo
from station.device.mounts import PROC
from station.device.sysfs import SYSFS
from station.usb.candidate import read_candidate
from station.usb.guard import Candidate, GuardPolicy, judge
from station.verdict import DriveRefusedError, RefusalReason

Opener = Callable[[str, int | None], Drive]


def admit(  # noqa: PLR0913 - what is judged, by what, and three seams for tests
    disk_name: str,
    announced_diskseq: int | None,
    policy: GuardPolicy,
    *,
    open_device: Opener = DirectDrive.open_device,
    sysfs: Path = SYSFS,
    proc: Path = PROC,
) -> Drive:
    """Open a disk for writing, when the guard has no objection.

    The disk is judged before it is opened, so that a disk in use isn't even touched, and once more
    while it is held open exclusively: nobody can lay a new claim to it from then on, and the
    descriptor belongs to the very medium that was judged.

    Args:
        disk_name: kernel name of the whole disk, such as `sdb`.
        announced_diskseq: sequence number of the medium that is meant; None for a target that a
            person named, which is the medium that is there now.
        policy: what the operator allows.
        open_device: opens a node exclusively; raises when it holds another medium.
        sysfs: where sysfs is mounted.
        proc: where procfs is mounted.

    Raises:
        DriveRefusedError: when it must not be touched; nothing was written.
        OperatorError: when this user may not open it.
        OSError: when it can't be opened for another reason.
    """

    def require_admissible(diskseq: int | None) -> DriveInfo:
        candidate = _read(disk_name, diskseq, sysfs=sysfs, proc=proc)
        objection = judge(candidate, policy)
        if objection is not None:
            raise DriveRefusedError(objection.reason, objection.detail)
        return candidate.drive

    judged = require_admissible(announced_diskseq)
    drive = open_device(judged.node, judged.diskseq)
    try:
        require_admissible(judged.diskseq)
        _require_capacity(drive, judged)
    except BaseException:
        drive.close()
        raise
    return drive


def _require_capacity(drive: Drive, judged: DriveInfo) -> None:
    """Pass an opened drive of the size that was judged: the size limits hold for it as well."""
    if drive.capacity_bytes != judged.capacity_bytes:
        raise DriveRefusedError(
            RefusalReason.CHANGED,
            f"{judged.node} was judged with {judged.capacity_bytes} bytes and has"
            f" {drive.capacity_bytes} when opened: pull it and plug it in again",
        )


def _read(disk_name: str, announced_diskseq: int | None, *, sysfs: Path, proc: Path) -> Candidate:
    try:
        return read_candidate(disk_name, announced_diskseq, sysfs=sysfs, proc=proc)
    except OSError as error:
        # A drive that can't be judged is not written to, whatever the cause.
        raise DriveRefusedError(
            RefusalReason.CHANGED,
            f"{disk_name} left while it was judged ({error.strerror or error})",
        ) from error
