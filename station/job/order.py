"""What is to be done with drives of one capacity, worked out once for all of them."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from station.content.choice import choose
from station.content.profile import ErasePolicy, Profile, ReadBack
from station.content.selection import Offer, Selection
from station.content.source import Source
from station.image.extent import Kind
from station.image.geometry import plan_geometry
from station.image.planner import VolumePlan, plan_volume
from station.job.scan import SharedScan
from station.job.state import Stage

# The alternating bits of a pattern and its complement; the image, mostly zeros, comes after them.
WIPE_PATTERNS = (0x55, 0xAA)


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """One job's work, the same for all drives of one capacity.

    Attributes:
        selection: the bundles that such a drive takes.
        volume: the plan of its image.
        source: the files, by the indexes that the plan uses.
        scan: the drives that load these files now.
        digests: BLAKE3 of each file.
        erase: how the drive is erased.
        read_back: how much of the erased part is read back.
        probes: whether a counterfeit is looked for before anything else.
    """

    selection: Selection
    volume: VolumePlan
    source: Source
    scan: SharedScan
    digests: tuple[bytes, ...]
    erase: ErasePolicy
    read_back: ReadBack
    probes: bool = True

    @property
    def stage_bytes(self) -> Mapping[Stage, int]:
        """About what each stage transfers, in the order in which the stages come."""
        volume = self.volume
        capacity_bytes = volume.geometry.capacity_bytes
        erased_bytes = capacity_bytes - volume.content_end_bytes
        load_bytes = capacity_bytes - volume.extents.total_bytes(Kind.KEEP)
        verify_bytes = load_bytes
        if self.read_back is ReadBack.SAMPLE and load_bytes == capacity_bytes:
            verify_bytes -= erased_bytes * 9 // 10
        wipe_bytes = capacity_bytes * len(WIPE_PATTERNS)
        return MappingProxyType(
            ({Stage.WIPE: wipe_bytes} if self.erase is ErasePolicy.TWO_PASS else {})
            | {Stage.LOAD: load_bytes, Stage.VERIFY: verify_bytes}
        )


class OrderBook:
    """Works out each order once, and shares it among the drives of the same capacity.

    Args:
        profile: what drives are to become.
        offers: the profile's bundles, in order of priority.
    """

    def __init__(self, profile: Profile, offers: Sequence[Offer]) -> None:
        self._profile = profile
        self._offers = offers
        self._lock = threading.Lock()
        self._orders: dict[tuple[int, int], Order] = {}
        self._sources: dict[tuple[str, ...], tuple[Source, SharedScan]] = {}

    def order_for(self, capacity_bytes: int, sector_bytes: int) -> Order:
        """The order for a drive.

        Raises:
            DriveTooSmallError: when the profile does not fit on such a drive.
            DriveTooLargeError: when FAT32 can't address all of it.
            OperatorError: when the bundles' files can't stand side by side.
        """
        with self._lock:
            key = (capacity_bytes, sector_bytes)
            if key not in self._orders:
                self._orders[key] = self._work_out(capacity_bytes, sector_bytes)
            return self._orders[key]

    def close(self) -> None:
        """Let go of all files."""
        for source, _scan in self._sources.values():
            source.close()

    def _work_out(self, capacity_bytes: int, sector_bytes: int) -> Order:
        profile = self._profile
        geometry = plan_geometry(capacity_bytes, sector_bytes, profile.volume.layout)
        label = profile.volume.label
        selection = choose(self._offers, geometry, has_label=bool(label))
        files = selection.files
        volume = plan_volume(
            [file.entry for file in files],
            geometry,
            label=label,
            keeps_free_space=profile.erase.policy is ErasePolicy.QUICK,
        )
        # Drives of other capacities that take the same bundles read the same open files, together.
        names = tuple(offer.name for offer in selection.taken)
        if names not in self._sources:
            source = Source(files)
            self._sources[names] = source, SharedScan(source)
        source, scan = self._sources[names]
        return Order(
            selection,
            volume,
            source,
            scan,
            tuple(file.blake3 for file in files),
            profile.erase.policy,
            profile.erase.read_back,
            profile.drive.probe,
        )
