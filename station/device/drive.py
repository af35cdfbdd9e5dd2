"""The interface behind which the real and the simulated drive stand."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class DriveInfo:
    """What is known of an inserted medium before it is opened.

    The strings come from the stick itself and may hold anything; whoever shows them escapes them.

    Attributes:
        node: device node, path of an image file, or the name of a simulated stick.
        capacity_bytes: size that the medium claims.
        sector_bytes: logical sector size, 512 or 4096.
        diskseq: the kernel's sequence number of this very medium; None where there is none
            (image files).
        port: the socket, as the name below its controller (`usb/topology`); empty for a target
            that was named on the command line.
        vendor: vendor string.
        model: product string.
        serial: serial number; no identity, whole batches share one.
        usb_id: `vvvv:pppp` in hexadecimal, empty where there is none.
        link_mbps: negotiated speed of the USB link in megabits per second; None where unknown.
        upstream_mbps: speed of the link at the root port, which the drive shares with all of its
            kind below the same hub; None where unknown.
    """

    node: str
    capacity_bytes: int
    sector_bytes: int = 512
    diskseq: int | None = None
    port: str = ""
    vendor: str = ""
    model: str = ""
    serial: str = ""
    usb_id: str = ""
    link_mbps: int | None = None
    upstream_mbps: int | None = None


class Drive(Protocol):
    """One opened drive.

    Offsets and lengths are bytes and multiples of the sector size, and memory is aligned to it (the
    tail of an image file whose size is no multiple of a sector is the one exception). All methods
    raise OSError with the kernel's errno: ENODEV a medium that left, EIO a failed command, EROFS a
    locked one, ENOSPC past the end. One thread at a time uses a drive; `close` alone may come from
    any thread.
    """

    @property
    def capacity_bytes(self) -> int:
        """Size of the medium in bytes, as claimed."""

    @property
    def sector_bytes(self) -> int:
        """Logical sector size in bytes."""

    def write(self, offset_bytes: int, data: memoryview) -> None:
        """Write all of `data`, past the page cache."""

    def read(self, offset_bytes: int, into: memoryview) -> None:
        """Fill all of `into` from the medium, past the page cache."""

    def flush(self) -> None:
        """Return when what was written has left every cache that can be told to empty itself."""

    def close(self) -> None:
        """Let go of the drive."""
