"""What a volunteer plugs in: sticks good and bad, hubs, and keyboards in a stick's clothing."""

from dataclasses import dataclass
from enum import StrEnum, unique
from pathlib import Path


@unique
class Transport(StrEnum):
    """How a stick speaks SCSI over USB; the values are QEMU's drivers."""

    BULK_ONLY = "usb-bot"
    UAS = "usb-uas"


@unique
class Lie(StrEnum):
    """What a counterfeit does beyond the memory that it really has; terms of f3.

    The values are those that the nbdkit plugin `liar.py` takes.
    """

    LIMBO = "limbo"  # writes vanish, reads give zeros
    WRAPAROUND = "wraparound"  # the address starts again at 0


@dataclass(frozen=True, slots=True)
class Counterfeit:
    """A stick that claims more than it has.

    Attributes:
        lie: what becomes of the excess.
        real_bytes: size of the memory that is there.
    """

    lie: Lie
    real_bytes: int


@unique
class Misdeed(StrEnum):
    """What flash does to certain bytes; the values are those that the plugin `liar.py` takes."""

    FLIP_WRITTEN = "flip-written"  # stores the lowest bit of the first byte wrong
    FLIP_READ = "flip-read"  # gives the lowest bit of the first byte wrong; the memory is right
    LOSE = "lose"  # takes writes without effect
    PAUSE = "pause"  # answers the first write late


@dataclass(frozen=True, slots=True)
class BadFlash:
    """Bytes of the flash with which something goes wrong in silence.

    Attributes:
        does: what.
        start_bytes: the first byte.
        end_bytes: the byte after the last.
        pause_s: for PAUSE, how late it answers.
    """

    does: Misdeed
    start_bytes: int
    end_bytes: int
    pause_s: float = 0.0


@dataclass(frozen=True, slots=True)
class BadSector:
    """A sector on which commands fail with EIO.

    Attributes:
        offset_bytes: where it is; a multiple of 512.
        on: the command that fails: `read` or `write`.
        once: whether only the first one does.
    """

    offset_bytes: int
    on: str
    once: bool = False


@dataclass(frozen=True, slots=True)
class Speed:
    """What the flash carries, in bytes per second; 0 is without limit."""

    write_bytes_per_s: int = 0
    read_bytes_per_s: int = 0


@dataclass(frozen=True, slots=True)
class Stick:
    """A flash drive.

    Attributes:
        memory: image file that holds what is on the stick; its size is the capacity.
        sector_bytes: logical and physical sector size.
        transport: bulk-only or UAS.
        locked: whether the write-protect switch is on.
        speed: how fast the flash is.
        vendor: SCSI vendor string, at most 8 characters.
        product: SCSI product string, at most 16 characters.
        serial: USB serial number.
        counterfeit: how it lies; None for an honest one.
        bad_flash: where it goes wrong in silence; None for nowhere.
        bad_sectors: where it fails.
        fails_flush: whether each flush fails.
        cached: whether it keeps what it is given to itself until it is asked to flush.
    """

    memory: Path
    sector_bytes: int = 512
    transport: Transport = Transport.BULK_ONLY
    locked: bool = False
    speed: Speed = Speed()
    vendor: str = "Acme"
    product: str = "Flash"
    serial: str = "0001"
    counterfeit: Counterfeit | None = None
    bad_flash: BadFlash | None = None
    bad_sectors: tuple[BadSector, ...] = ()
    fails_flush: bool = False
    cached: bool = False


def blank_stick(memory: Path, capacity_bytes: int, fill: bytes = b"") -> Stick:
    """A stick with a new image file, of zeros or filled with a repeated byte."""
    with memory.open("xb") as file:
        file.truncate(capacity_bytes)
        if fill:
            block = fill * (1 << 20)
            for offset in range(0, capacity_bytes, len(block)):
                file.write(block[: capacity_bytes - offset])
    return Stick(memory)


@dataclass(frozen=True, slots=True)
class Keyboard:
    """A keyboard, whatever its case looks like."""


@dataclass(frozen=True, slots=True)
class NestedHub:
    """A hub with eight sockets."""


Pluggable = Stick | Keyboard | NestedHub
