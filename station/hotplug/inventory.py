"""Which drives are where: turns what is seen at the nodes into events, each told once. Does no I/O.

It goes by what is there, not by what a message says happened. Messages may be late, doubled, out of
order or lost; any later look at the same node brings the inventory in line again. Three rules hold,
whatever is seen:

- a disk sequence number is inserted at most once, and removed at most once, afterwards;
- a node and a port hold at most one drive each: whatever was there before leaves first;
- after a look at everything, what is inserted and not removed is just what was seen.
"""

from collections.abc import Iterable

from station.device.drive import DriveInfo
from station.hotplug.events import Inserted, PlugEvent, Removed
from station.usb.topology import port_order


class Inventory:
    """The drives that were announced and have not left."""

    def __init__(self) -> None:
        self._by_diskseq: dict[int, DriveInfo] = {}
        # The kernel never gives a number twice in one boot: what has left doesn't come back.
        self._gone: set[int] = set()

    @property
    def drives(self) -> tuple[DriveInfo, ...]:
        """The drives that are there, in the order in which they came."""
        return tuple(self._by_diskseq.values())

    def at_node(self, node: str) -> DriveInfo | None:
        """The drive at a device node."""
        return next((drive for drive in self.drives if drive.node == node), None)

    def see(self, drive: DriveInfo) -> list[PlugEvent]:
        """Take note of a drive that is at its node now.

        Raises:
            ValueError: for a drive without a disk sequence number.
        """
        diskseq = _diskseq(drive)
        if diskseq in self._by_diskseq or diskseq in self._gone:
            return []
        displaced = [
            known
            for known in self.drives
            if known.node == drive.node or (drive.port and known.port == drive.port)
        ]
        events = [event for known in displaced for event in self._leave(known)]
        self._by_diskseq[diskseq] = drive
        return [*events, Inserted(drive)]

    def see_nothing(self, node: str) -> list[PlugEvent]:
        """Take note that no medium is at a device node now."""
        known = self.at_node(node)
        return [] if known is None else self._leave(known)

    def see_all(self, drives: Iterable[DriveInfo]) -> list[PlugEvent]:
        """Take note of all drives that are there now; those not named have left.

        Raises:
            ValueError: for a drive without a disk sequence number.
        """
        seen = sorted(drives, key=lambda drive: (port_order(drive.port), _diskseq(drive)))
        present = {_diskseq(drive) for drive in seen}
        missing = [known for known in self.drives if _diskseq(known) not in present]
        events = [event for known in missing for event in self._leave(known)]
        for drive in seen:
            events += self.see(drive)
        return events

    def _leave(self, drive: DriveInfo) -> list[PlugEvent]:
        diskseq = _diskseq(drive)
        del self._by_diskseq[diskseq]
        self._gone.add(diskseq)
        return [Removed(drive.port, diskseq)]


def _diskseq(drive: DriveInfo) -> int:
    if drive.diskseq is None:
        raise ValueError(f"{drive.node} has no disk sequence number")
    return drive.diskseq
