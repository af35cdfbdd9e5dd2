"""The numbers by which one stick's volume differs from every other's."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VolumeIdentity:
    """Random for each stick: a constant one would tell that sticks come from one hand.

    Attributes:
        volume_id: serial number of the FAT volume, 32 bits, not zero.
        disk_signature: signature in the MBR, 32 bits, not zero; unused on a superfloppy.
    """

    volume_id: int
    disk_signature: int

    def __post_init__(self) -> None:
        for number in (self.volume_id, self.disk_signature):
            if not 0 < number < 1 << 32:
                raise ValueError(f"{number} is no positive 32-bit number")
