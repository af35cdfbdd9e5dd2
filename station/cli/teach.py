"""The dialogue of `station ports teach`: asks for one socket after the other."""

from collections.abc import Callable, Sequence
from typing import Protocol

from station.device.drive import DriveInfo
from station.hotplug.events import Inserted, PlugEvent
from station.units import format_size
from station.usb.labels import PortMap
from station.usb.teaching import (
    Joining,
    KnownSocket,
    OtherDisk,
    OtherSocket,
    Stranger,
    Taught,
    Teaching,
)
from station.usb.topology import HIGH_SPEED_MBPS

_POLL_S = 0.5


class PlugEvents(Protocol):
    """What of a hub teaching needs: it listens, and opens nothing."""

    def poll(self, timeout_s: float) -> Sequence[PlugEvent]:
        """Wait for events, at most `timeout_s`."""


def teach_sockets(
    hub: PlugEvents, teaching: Teaching | Joining, say: Callable[[str], None]
) -> PortMap:
    """Ask for a stick in each socket until every label has one.

    Args:
        hub: tells where sticks are pushed in; nothing was asked of it yet.
        teaching: the labels, or the sockets to go through once more.
        say: shows a line; it may hold text from a stick and has to be made safe.

    Raises:
        StationFaultError: when udev can't be listened to.
    """
    # What is in already was not pushed in for this: it may well be somebody's backup.
    for event in hub.poll(0.0):
        if isinstance(event, Inserted):
            say(f"Already in, and left out: {_described(event.drive)} at {event.drive.port}.")
    say(f"Push a stick into socket {teaching.next_label}.")
    while not teaching.is_complete:
        for event in hub.poll(_POLL_S):
            if isinstance(event, Inserted) and not teaching.is_complete:
                say(_answer(teaching, event.drive))
    return teaching.port_map


def _answer(teaching: Teaching | Joining, drive: DriveInfo) -> str:
    seen = teaching.see(drive.port)
    then = "" if teaching.is_complete else f" Now socket {teaching.next_label}."
    match seen:
        case Taught(port):
            return f"{port.label} is {drive.port}: {_described(drive)}.{then}"
        case KnownSocket(port):
            return f"That was {port.label} again.{then}"
        case OtherDisk(port, name):
            return (
                f"{name} is another disk of the device in {port.label}: it gets no label."
                f" --slots gives one to each slot of a card reader.{then}"
            )
        case OtherSocket(port):
            return f"That was {port.label}.{then}"
        case Stranger(port, name):
            return f"{name} is not {port.label}, whose halves are both known.{then}"


def _described(drive: DriveInfo) -> str:
    parts = [drive.vendor, drive.model, format_size(drive.capacity_bytes)]
    if drive.link_mbps is not None:
        parts.append("on USB 3" if drive.link_mbps > HIGH_SPEED_MBPS else "on USB 2")
    return " ".join(" ".join(parts).split())
