"""What udev says of disks: the one file that knows pyudev."""

import os
import socket
from dataclasses import dataclass
from enum import Enum, StrEnum, auto, unique
from typing import Protocol

import pyudev

_DISKSEQ_LINK = "/dev/disk/by-diskseq/"


@unique
class Source(StrEnum):
    """Who is listened to."""

    UDEV = "udev"  # after udev's rules have run: the node is ready, its permissions are set
    KERNEL = "kernel"  # before; for machines without udev, such as test environments


@unique
class Phase(Enum):
    """How far udev is with a medium."""

    PENDING = auto()  # there, and a notice of its readiness is still to come
    READY = auto()  # there, and its node can be used
    LEAVING = auto()  # pulled


@dataclass(frozen=True, slots=True)
class DiskNotice:
    """Something happened to a disk, or it was found.

    Attributes:
        name: kernel name of the disk, such as `sdb`.
        diskseq: sequence number of the medium that the notice is about; None before Linux 5.15, and
            when the disk left while it was looked at.
        phase: how far udev is with that medium.
    """

    name: str
    diskseq: int | None
    phase: Phase


class DiskMonitor(Protocol):
    """A source of notices. Notices may be lost; `poll` says so by raising OSError."""

    def restart(self) -> None:
        """Listen afresh; what comes from now on is not lost unless `poll` says so.

        Raises:
            OSError: when the kernel doesn't let us listen.
        """

    def poll(self, timeout_s: float) -> DiskNotice | None:
        """Wait for the next notice, at most `timeout_s`; None when there was none for us.

        Raises:
            OSError: when notices were lost, or can't be received.
        """

    def present(self) -> list[DiskNotice]:
        """All disks that are there now."""

    def close(self) -> None:
        """Stop listening."""


class UdevMonitor:
    """Notices from udev over netlink.

    Args:
        source: who is listened to.
        receive_buffer_bytes: size of the socket's receive buffer; the default of the system when
            None. A tiny one loses notices on purpose.
    """

    def __init__(
        self, source: Source = Source.UDEV, receive_buffer_bytes: int | None = None
    ) -> None:
        self._source = source
        self._receive_buffer_bytes = receive_buffer_bytes
        self._context = pyudev.Context()
        self._monitor: pyudev.Monitor | None = None

    def restart(self) -> None:
        """Listen afresh on a socket of its own."""
        # The old socket goes first: its queue holds nothing that a look at every disk won't show.
        self._monitor = None
        monitor = pyudev.Monitor.from_netlink(self._context, self._source.value)
        monitor.filter_by("block", "disk")
        if self._receive_buffer_bytes is not None:
            # pyudev's own call forces the size, which takes a privilege; making it smaller doesn't.
            with socket.socket(fileno=os.dup(monitor.fileno())) as duplicate:
                duplicate.setsockopt(
                    socket.SOL_SOCKET, socket.SO_RCVBUF, self._receive_buffer_bytes
                )
        monitor.start()
        self._monitor = monitor

    def poll(self, timeout_s: float) -> DiskNotice | None:
        """Wait for the next notice; also returns None early, for a message that was not for us."""
        if self._monitor is None:
            raise OSError("not listening")
        # pyudev takes a negative number for forever.
        device = self._monitor.poll(max(timeout_s, 0.0))
        if device is None:
            return None
        return DiskNotice(
            name=device.sys_name,
            diskseq=_diskseq(device),
            phase=Phase.LEAVING if device.action == "remove" else Phase.READY,
        )

    def present(self) -> list[DiskNotice]:
        """All disks that sysfs lists now, with what udev has in its database about each."""
        return [
            DiskNotice(device.sys_name, _diskseq(device), self._phase_of(device))
            for device in self._context.list_devices(subsystem="block", DEVTYPE="disk")
        ]

    def close(self) -> None:
        """Stop listening."""
        self._monitor = None

    def _phase_of(self, device: pyudev.Device) -> Phase:
        if self._source is Source.KERNEL or is_processed(device):
            return Phase.READY
        return Phase.PENDING


def _diskseq(device: pyudev.Device) -> int | None:
    text = device.properties.get("DISKSEQ")
    return int(text) if text else None


def is_processed(device: pyudev.Device) -> bool:
    """Whether udev's rules have run for the very medium that is at the node now.

    The database goes by device number. When a drive was replaced a moment ago, it may still hold
    the old one, and the links that it lists give it away.
    """
    if not device.is_initialized:
        return False
    numbers = [
        link.removeprefix(_DISKSEQ_LINK)
        for link in device.device_links
        if link.startswith(_DISKSEQ_LINK)
    ]
    return not numbers or str(_diskseq(device)) in numbers
