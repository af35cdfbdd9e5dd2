"""What every hub, real or virtual, tells the supervisor."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from station.device.drive import Drive, DriveInfo
from station.usb.labels import Port

__all__ = ["Hub", "Inserted", "PlugEvent", "Port", "Removed"]


@dataclass(frozen=True, slots=True)
class Inserted:
    """A medium is there and its node is ready."""

    drive: DriveInfo


@dataclass(frozen=True, slots=True)
class Removed:
    """The medium with this disk sequence number has left the port."""

    port: str
    diskseq: int


PlugEvent = Inserted | Removed


class Hub(Protocol):
    """A source of plug events, and the one way to open what was plugged."""

    @property
    def ports(self) -> Sequence[Port]:
        """The sockets in the order in which they stand on the table."""

    @property
    def exhausted(self) -> bool:
        """Whether no event will ever come again."""

    def poll(self, timeout_s: float) -> list[PlugEvent]:
        """Wait for events, at most `timeout_s`; each is told once, in order."""

    def open(self, drive: DriveInfo) -> Drive:
        """Judge a drive and open it for a job.

        Raises:
            DriveRefusedError: when it must not be touched; nothing was written.
        """

    def show(self, drive: DriveInfo) -> None:
        """Let everybody see the partitions of a drive that passed and was closed."""

    def close(self) -> None:
        """Stop listening."""
