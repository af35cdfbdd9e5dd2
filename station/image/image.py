"""The image: what every byte of one drive is to hold, and where it comes from."""

from dataclasses import dataclass

from station.image.block import Block
from station.image.extent import Extent, ExtentTable, Kind


@dataclass(frozen=True, slots=True)
class Image:
    """The whole of one drive.

    Attributes:
        sector_bytes: logical sector size of the drive.
        extents: all of the drive, from byte 0 to its capacity; the first one is the seal.
        blocks: the metadata that extents refer to.
        seal: what sector 0 holds in the end, `sector_bytes` bytes.
    """

    sector_bytes: int
    extents: ExtentTable
    blocks: tuple[Block, ...]
    seal: bytes

    @property
    def capacity_bytes(self) -> int:
        """Size of the drive."""
        return self.extents.end_bytes

    @property
    def transfer_bytes(self) -> int:
        """Bytes that one pass over the drive transfers: all but what is kept."""
        return self.capacity_bytes - self.extents.total_bytes(Kind.KEEP)


def plan_pattern(capacity_bytes: int, sector_bytes: int, value: int) -> Image:
    """One byte value all over the drive, sector 0 apart, which stays zero.

    The image of a wipe that comes before the load.
    """
    return Image(
        sector_bytes,
        ExtentTable.joined(
            [
                ExtentTable.part(
                    [
                        Extent(0, sector_bytes, Kind.SEAL, 0),
                        Extent(sector_bytes, capacity_bytes - sector_bytes, Kind.FILL, value),
                    ]
                )
            ]
        ),
        blocks=(),
        seal=bytes(sector_bytes),
    )
