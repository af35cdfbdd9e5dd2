"""The virtual hub: simulated sticks that are plugged and pulled after a script.

It tells the same events as the real one, and its sticks go through the same guard and the very
pipeline that real ones go through.
"""

import heapq
import os
import shutil
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Condition

from station.device.drive import Drive, DriveInfo
from station.device.fault import Fault, ReadOnly, Vanish
from station.device.pace import Clock, DriveSpeed, WallClock
from station.device.simulated import SimulatedDrive
from station.errors import OperatorError
from station.hotplug.events import Inserted, PlugEvent, Port, Removed
from station.units import MIB, format_size
from station.usb.guard import Candidate, GuardPolicy, judge
from station.usb.topology import port_order
from station.verdict import DriveRefusedError, RefusalReason

_DONOR_TEXT = b"Holiday photos, letters and passwords of the person who gave this stick away.\n"
_DONOR_BLOCK_BYTES = 4096
_PORTS_OF_A_HUB = 8


@dataclass(frozen=True, slots=True)
class VirtualStick:
    """One stick, what is wrong with it, and what is done to it.

    Attributes:
        port: name of the socket, and of the image file that is the stick's medium.
        capacity_bytes: what it claims to hold; whole sectors.
        speed: how fast it is; None as fast as the disk that holds the image.
        faults: what is wrong with it.
        sector_bytes: logical sector size.
        vendor: vendor string.
        model: product string.
        serial: serial number.
        usb_id: `vvvv:pppp`.
        link_mbps: speed of its USB link in megabits per second.
        plug_at_s: when it is plugged in, counted from the first poll.
        pull_when: pulled by its volunteer once so much was written, as a share of the capacity; at
            the end of its job at the latest. None leaves it in.
        plug_again_after_s: how long after it left it is plugged in again at the same port, once,
            and left in; None never.
    """

    port: str
    capacity_bytes: int
    speed: DriveSpeed | None = None
    faults: tuple[Fault, ...] = ()
    sector_bytes: int = 512
    vendor: str = "Virtual"
    model: str = "Stick"
    serial: str = ""
    usb_id: str = ""
    link_mbps: int | None = 480
    plug_at_s: float = 0.0
    pull_when: float | None = None
    plug_again_after_s: float | None = None

    @property
    def is_locked(self) -> bool:
        """Whether its lock switch is on."""
        return any(isinstance(fault, ReadOnly) for fault in self.faults)

    @property
    def leaves(self) -> bool:
        """Whether it is pulled or vanishes at some time."""
        vanishes = any(isinstance(fault, Vanish) for fault in self.faults)
        return vanishes or self.pull_when is not None


@dataclass(order=True, slots=True)
class _Plan:
    """A stick that is to be plugged in."""

    due_s: float
    number: int
    stick: VirtualStick = field(compare=False)
    image: str = field(compare=False)


@dataclass(slots=True)
class _Plugged:
    """A stick that is in its socket."""

    stick: VirtualStick
    drive: DriveInfo
    image: Path
    job_ended: bool = False

    @property
    def may_leave(self) -> bool:
        """Whether the script still holds that it leaves by itself."""
        return self.stick.leaves and not self.job_ended


class VirtualHub:
    """Simulated sticks on virtual ports. All methods may be called from any thread.

    Args:
        sticks: the script; each port takes one stick.
        folder: where the images are made: `PORT.img`, `PORT-again.img` for the second time.
        policy: what the guard lets pass; virtual ports count as taught.
        clock: what time is to the script and the sticks.

    Raises:
        OperatorError: when images are there already, or the folder's disk is too small for them.
        ValueError: when two sticks share a port.
    """

    def __init__(
        self,
        sticks: Sequence[VirtualStick],
        folder: Path,
        policy: GuardPolicy | None = None,
        *,
        clock: Clock | None = None,
    ) -> None:
        names = sorted((stick.port for stick in sticks), key=port_order)
        if len(set(names)) != len(names):
            raise ValueError("two sticks at one port")
        _require_room(sticks, folder)
        self._folder = folder
        self._ports = tuple(
            Port(name, name, hub=f"hub {1 + index // _PORTS_OF_A_HUB}")
            for index, name in enumerate(names)
        )
        self._policy = replace(policy or GuardPolicy(), taught_ports=frozenset(names))
        self._clock = clock if clock is not None else WallClock()
        # Guards all that follows; notified when a stick leaves, a job ends, or the hub closes.
        self._changed = Condition()
        self._script = tuple(sticks)
        self._plans: list[_Plan] = []
        self._begun = False
        self._closed = False
        self._plugged: dict[int, _Plugged] = {}
        self._leaving: list[int] = []
        self._last_diskseq = 0

    @property
    def ports(self) -> Sequence[Port]:
        """The sockets, in natural order."""
        return self._ports

    @property
    def exhausted(self) -> bool:
        """Whether the script is over: every stick was plugged in, and none will leave any more."""
        with self._changed:
            if self._closed:
                return True
            to_come = self._plans or self._leaving or not self._begun
            return not to_come and not any(stick.may_leave for stick in self._plugged.values())

    def poll(self, timeout_s: float) -> list[PlugEvent]:
        """Wait for sticks to come or go, at most `timeout_s`. The first call begins the script.

        Raises:
            OSError: when an image can't be made.
        """
        with self._changed:
            now_s = self._clock.now_s()
            deadline_s = now_s + timeout_s
            if not self._begun:
                self._begin(now_s)
            while not self._closed:
                events = [*self._removals(now_s), *self._insertions(now_s)]
                if events or now_s >= deadline_s:
                    return events
                wake_s = min([deadline_s, *(plan.due_s for plan in self._plans[:1])])
                self._clock.wait(self._changed, wake_s - now_s)
                now_s = self._clock.now_s()
            return []

    def open(self, drive: DriveInfo) -> Drive:
        """Judge a stick and open it for a job.

        Raises:
            DriveRefusedError: when it must not be touched; nothing was written.
            OSError: when its image can't be opened.
        """
        with self._changed:
            plugged = self._plugged.get(drive.diskseq or 0)
            if plugged is None:
                raise DriveRefusedError(RefusalReason.CHANGED, f"{drive.node} was pulled")
            try:
                self._require_admissible(plugged, drive)
                return _PluggedDrive(self, plugged, self._clock)
            except BaseException:
                # No job will come of it, so the script needn't wait for one to end.
                self._end_job(plugged)
                raise

    def show(self, drive: DriveInfo) -> None:
        """Nothing to do: nobody else sees a simulated stick."""

    def close(self) -> None:
        """End the script; sticks under way stay in."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def stick_left(self, diskseq: int) -> None:
        """Take note that a stick vanished; it is told of by the next `poll`."""
        with self._changed:
            if diskseq in self._plugged and diskseq not in self._leaving:
                self._leaving.append(diskseq)
                self._changed.notify_all()

    def job_ended(self, diskseq: int) -> None:
        """Take note that a stick's drive was closed."""
        with self._changed:
            if (plugged := self._plugged.get(diskseq)) is not None:
                self._end_job(plugged)

    def _require_admissible(self, plugged: _Plugged, announced: DriveInfo) -> None:
        candidate = Candidate(
            drive=plugged.drive,
            is_usb=True,
            read_only=plugged.stick.is_locked,
            announced_diskseq=announced.diskseq,
        )
        if (objection := judge(candidate, self._policy)) is not None:
            raise DriveRefusedError(objection.reason, objection.detail)

    def _end_job(self, plugged: _Plugged) -> None:
        plugged.job_ended = True
        if plugged.stick.pull_when is not None and plugged.drive.diskseq is not None:
            self.stick_left(plugged.drive.diskseq)
        self._changed.notify_all()

    def _begin(self, now_s: float) -> None:
        self._begun = True
        for number, stick in enumerate(self._script):
            plan = _Plan(now_s + stick.plug_at_s, number, stick, f"{stick.port}.img")
            heapq.heappush(self._plans, plan)

    def _removals(self, now_s: float) -> list[PlugEvent]:
        events: list[PlugEvent] = []
        for diskseq in self._leaving:
            stick = self._plugged.pop(diskseq).stick
            events.append(Removed(stick.port, diskseq))
            if stick.plug_again_after_s is not None:
                due_s = now_s + stick.plug_again_after_s
                again = replace(stick, pull_when=None, plug_again_after_s=None)
                plan = _Plan(due_s, len(self._script) + diskseq, again, f"{stick.port}-again.img")
                heapq.heappush(self._plans, plan)
        self._leaving.clear()
        return events

    def _insertions(self, now_s: float) -> list[PlugEvent]:
        events: list[PlugEvent] = []
        while self._plans and self._plans[0].due_s <= now_s:
            plan = heapq.heappop(self._plans)
            stick = plan.stick
            image = self._folder / plan.image
            make_donated_image(image, stick.capacity_bytes)
            self._last_diskseq += 1
            drive = DriveInfo(
                node=plan.image,
                capacity_bytes=stick.capacity_bytes,
                sector_bytes=stick.sector_bytes,
                diskseq=self._last_diskseq,
                port=stick.port,
                vendor=stick.vendor,
                model=stick.model,
                serial=stick.serial,
                usb_id=stick.usb_id,
                link_mbps=stick.link_mbps,
            )
            self._plugged[self._last_diskseq] = _Plugged(stick, drive, image)
            events.append(Inserted(drive))
        return events


class _PluggedDrive(SimulatedDrive):
    """A simulated drive that tells its hub when it left and when its job ended."""

    def __init__(self, hub: VirtualHub, plugged: _Plugged, clock: Clock) -> None:
        stick, diskseq = plugged.stick, plugged.drive.diskseq or 0
        super().__init__(
            plugged.image,
            stick.capacity_bytes,
            sector_bytes=stick.sector_bytes,
            speed=stick.speed,
            faults=stick.faults,
            on_vanish=lambda: hub.stick_left(diskseq),
            clock=clock,
        )
        self._hub = hub
        self._diskseq = diskseq
        self._pulled_after_bytes: float | None = None
        if stick.pull_when is not None:
            self._pulled_after_bytes = stick.capacity_bytes * stick.pull_when

    def write(self, offset_bytes: int, data: memoryview) -> None:
        """Write all of `data`, unless the volunteer pulls the stick now."""
        pulled_after_bytes = self._pulled_after_bytes
        if pulled_after_bytes is not None and self.bytes_written >= pulled_after_bytes:
            self.pull()
        super().write(offset_bytes, data)

    def close(self) -> None:
        """Let go of the drive."""
        super().close()
        self._hub.job_ended(self._diskseq)


def make_donated_image(path: Path, capacity_bytes: int) -> None:
    """Make the medium of a stick as a donor gives it: a partition table, and traces of a life.

    The file is sparse apart from some blocks at its beginning, middle and end.

    Raises:
        FileExistsError: rather than overwrite an image.
        OSError: when it can't be made.
    """
    # An entry of type 0C (FAT32) from sector 2048 on, and the signature: what a stick's sector 0
    # looks like to any computer. Not a byte of it may be left when the stick has passed.
    sectors = max(capacity_bytes // 512 - 2048, 1)
    entry = struct.pack("<B3sB3sII", 0x80, b"\x20\x21\x00", 0x0C, b"\xfe\xff\xff", 2048, sectors)
    master_boot_record = _DONOR_TEXT.ljust(446, b"\xd1") + entry.ljust(64, b"\0") + b"\x55\xaa"
    block = (_DONOR_TEXT * (_DONOR_BLOCK_BYTES // len(_DONOR_TEXT) + 1))[:_DONOR_BLOCK_BYTES]
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    try:
        os.ftruncate(fd, capacity_bytes)
        for offset_bytes in (0, MIB, capacity_bytes // 2, capacity_bytes - _DONOR_BLOCK_BYTES):
            os.pwrite(fd, block, max(offset_bytes, 0))
        os.pwrite(fd, master_boot_record, 0)
        os.ftruncate(fd, capacity_bytes)
    finally:
        os.close(fd)


def _require_room(sticks: Sequence[VirtualStick], folder: Path) -> None:
    """Pass a folder in which all images can be made, so that a full disk looks like no bad stick.

    Raises:
        OperatorError: for any other.
    """
    images = {f"{stick.port}.img": stick.capacity_bytes for stick in sticks} | {
        f"{stick.port}-again.img": stick.capacity_bytes
        for stick in sticks
        if stick.plug_again_after_s is not None
    }
    if present := sorted((name for name in images if (folder / name).exists()), key=port_order):
        raise OperatorError(
            f"{folder} already holds {present[0]}", "Name an empty folder for the stick images."
        )
    needed_bytes = sum(images.values())
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < needed_bytes:
        raise OperatorError(
            f"the images of {len(sticks)} simulated sticks may grow to {format_size(needed_bytes)},"
            f" {folder} has {format_size(free_bytes)} free",
            "Bring up fewer sticks, or name a folder on a larger disk with --keep.",
        )
