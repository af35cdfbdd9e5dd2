"""The real hub: USB disks that come and go, as udev tells.

Notices say where to look, and what is there decides (`hotplug/inventory`). So a lost, late or
doubled notice costs time and never a stick. Notices do get lost: the kernel drops them when more
come than the socket's queue holds, as they may when a hub with sixteen sticks comes up. Then, and
every few seconds in any case, all disks are looked at.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from station.device.drive import Drive, DriveInfo
from station.device.mounts import PROC
from station.device.partitions import show_partitions
from station.device.sysfs import SYSFS, read_disk
from station.errors import OperatorError, StationFaultError
from station.hotplug.events import Inserted, PlugEvent, Port
from station.hotplug.inventory import Inventory
from station.hotplug.monitor import DiskMonitor, DiskNotice, Phase, UdevMonitor
from station.usb.admission import admit
from station.usb.candidate import describe
from station.usb.guard import GuardPolicy
from station.usb.topology import port_order

UDEV_SOCKET = Path("/run/udev/control")

# A stick whose notice was lost without a trace is found this late.
LOOK_AT_ALL_INTERVAL_S = 2.0

# A burst that overflowed the queue goes on for a moment, and would overflow the next one as well.
_REST_AFTER_LOSS_S = 0.05


def require_udev(control_socket: Path = UDEV_SOCKET) -> None:
    """Pass a machine on which udev runs; elsewhere no stick would ever be told of.

    Raises:
        OperatorError: when it doesn't.
    """
    if not control_socket.exists():
        raise OperatorError(
            f"udev doesn't run here: there is no {control_socket}",
            "Start systemd-udevd, run outside of the container, or try --virtual 8.",
        )


class UdevHub:
    """The USB disks of this machine. `poll` and `close` belong to one thread, the rest to any.

    Args:
        ports: the taught ports, in the order in which they stand on the table.
        policy: what the guard lets pass.
        monitor: where notices come from; udev, when None.
        sysfs: where sysfs is mounted.
        proc: where procfs is mounted.
        clock: seconds since any moment, never going back.

    Raises:
        OperatorError: when udev doesn't run.
    """

    def __init__(  # noqa: PLR0913 - two things it needs, four seams for tests
        self,
        ports: Sequence[Port],
        policy: GuardPolicy,
        *,
        monitor: DiskMonitor | None = None,
        sysfs: Path = SYSFS,
        proc: Path = PROC,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if monitor is None:
            require_udev()
            monitor = UdevMonitor()
        self._taught = tuple(ports)
        self._untaught: tuple[Port, ...] = ()
        self._policy = policy
        self._monitor = monitor
        self._sysfs = sysfs
        self._proc = proc
        self._clock = clock
        self._inventory = Inventory()
        self._is_listening = False
        self._look_at_all_at = clock()
        self._losses = 0

    @property
    def ports(self) -> Sequence[Port]:
        """The taught ports in their order, then those at which anything else was plugged in."""
        return (*self._taught, *self._untaught)

    @property
    def exhausted(self) -> bool:
        """Never: a volunteer may always bring one more."""
        return False

    @property
    def losses(self) -> int:
        """How often notices were lost, and all disks looked at to make up for it."""
        return self._losses

    def poll(self, timeout_s: float) -> list[PlugEvent]:
        """Wait for drives to come or go, at most `timeout_s`.

        Raises:
            StationFaultError: when udev can't be listened to, or the kernel is too old.
        """
        deadline = self._clock() + timeout_s
        events: list[PlugEvent] = []
        while True:
            self._gather(deadline, events)
            if events or self._clock() >= deadline:
                self._note_ports(events)
                return events

    def open(self, drive: DriveInfo) -> Drive:
        """Judge a drive and open it for a job.

        Raises:
            DriveRefusedError: when it must not be touched; nothing was written.
            OperatorError: when this user may not open it.
            OSError: when it can't be opened for another reason.
        """
        return admit(
            _disk_name(drive.node), drive.diskseq, self._policy, sysfs=self._sysfs, proc=self._proc
        )

    def show(self, drive: DriveInfo) -> None:
        """Let everybody see the partitions of a drive that passed and was closed."""
        show_partitions(_disk_name(drive.node), drive.diskseq, self._sysfs)

    def close(self) -> None:
        """Stop listening."""
        self._is_listening = False
        self._monitor.close()

    def _gather(self, deadline: float, events: list[PlugEvent]) -> None:
        """Add what one round of listening brings."""
        if not self._is_listening:
            self._listen()
        now = self._clock()
        if now >= self._look_at_all_at:
            events += self._look_at_all()
            self._look_at_all_at = now + LOOK_AT_ALL_INTERVAL_S
        wait_s = min(deadline, self._look_at_all_at) - now
        try:
            # What is known is told at once: sixteen sticks at one moment are a long queue.
            while not events and (notice := self._monitor.poll(max(wait_s, 0.0))) is not None:
                events += self._look_at(notice)
                wait_s = 0.0
        except OSError:
            # ENOBUFS, or pyudev's own error for a socket in that state, which has no errno.
            self._losses += 1
            self._is_listening = False
            time.sleep(_REST_AFTER_LOSS_S)

    def _listen(self) -> None:
        """Listen afresh, and only then look: what comes in between is seen twice, not never."""
        try:
            self._monitor.restart()
        except OSError as error:
            raise StationFaultError(
                f"udev can't be listened to: {error.strerror or error}", "See `station doctor`."
            ) from error
        self._is_listening = True
        self._look_at_all_at = self._clock()

    def _look_at(self, notice: DiskNotice) -> list[PlugEvent]:
        drive = self._drive_at(notice)
        if drive is None:
            return self._inventory.see_nothing(_node(notice.name))
        return self._inventory.see(drive)

    def _look_at_all(self) -> list[PlugEvent]:
        present = self._monitor.present()
        drives = (self._known(notice) or self._drive_at(notice) for notice in present)
        return self._inventory.see_all(drive for drive in drives if drive is not None)

    def _known(self, notice: DiskNotice) -> DriveInfo | None:
        """The drive of a notice if it was announced already: nothing needs to be read of it."""
        drive = self._inventory.at_node(_node(notice.name))
        return drive if drive is not None and drive.diskseq == notice.diskseq else None

    def _drive_at(self, notice: DiskNotice) -> DriveInfo | None:
        """The drive that can be announced, or stays announced, at the disk of a notice."""
        drive = self._read_drive(notice.name)
        if drive is None:
            return None
        is_about_this_one = notice.diskseq == drive.diskseq
        if is_about_this_one and notice.phase is not Phase.PENDING:
            # On a removal sysfs may be a moment behind.
            return drive if notice.phase is Phase.READY else None
        # The notice is older than the medium, whose own is still to come: udev isn't done with it.
        known = self._inventory.at_node(drive.node)
        return drive if known is not None and known.diskseq == drive.diskseq else None

    def _read_drive(self, disk_name: str) -> DriveInfo | None:
        """What is at a node, when it is a USB disk with a medium."""
        try:
            disk = read_disk(disk_name, self._sysfs)
            if disk.usb is None or disk.capacity_bytes == 0:
                return None
            drive = describe(disk, self._sysfs)
        except OSError:
            # It is leaving, or not complete yet: nothing to announce. The next look will tell.
            return None
        if drive.diskseq is None:
            raise StationFaultError(
                "the kernel gives disks no sequence numbers, so a swap would pass unnoticed",
                "Use Linux 5.15 or newer.",
            )
        return drive

    def _note_ports(self, events: Sequence[PlugEvent]) -> None:
        known = {name for port in self.ports for name in port.names}
        new = {event.drive.port for event in events if isinstance(event, Inserted)} - known
        if new:
            ports = (*self._untaught, *(Port(name, name) for name in new))
            self._untaught = tuple(sorted(ports, key=lambda port: port_order(port.name)))


def _node(disk_name: str) -> str:
    return "/dev/" + disk_name.replace("!", "/")


def _disk_name(node: str) -> str:
    return node.removeprefix("/dev/").replace("/", "!")
