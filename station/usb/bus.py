"""Which drives share a link, how much it carries, and whether it is what holds them up. Pure.

All USB 2 sticks below one root port share one high-speed link, however many hubs there are in
between and also when these are USB 3 hubs: each of those is two hubs, and its USB 2 half has a link
of its own to the computer. The same holds for SuperSpeed, apart from USB 2.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from station.device.drive import DriveInfo
from station.usb.topology import HIGH_SPEED_MBPS, parse_port_name

# Bulk transfers get through two thirds of the signalling rate: 40 of 60 MB/s on USB 2, 417 of 625
# on USB 3, as good hubs and hosts measure.
_USABLE_SHARE = 2 / 3
_BITS_PER_BYTE = 8
# Hosts differ; from here on one more stick would only slow the others down.
_FULL_FROM = 0.85


@dataclass(frozen=True, slots=True)
class Link:
    """The way from a root port down, which all sticks of one kind below it share.

    Attributes:
        controller: name of the host controller.
        root_port: number of the root port, as its USB 2 half counts.
        mbps: signalling rate in megabits per second.
    """

    controller: str
    root_port: int
    mbps: int

    @property
    def capacity_bytes_per_s(self) -> float:
        """What it carries at best, in round figures."""
        return self.mbps * 1_000_000 / _BITS_PER_BYTE * _USABLE_SHARE

    @property
    def kind(self) -> str:
        """What people call it: `USB 1`, `USB 2` or `USB 3`."""
        if self.mbps < HIGH_SPEED_MBPS:
            return "USB 1"
        return "USB 3" if self.mbps > HIGH_SPEED_MBPS else "USB 2"


@dataclass(frozen=True, slots=True)
class Transfer:
    """One drive at work.

    Attributes:
        label: of its port.
        drive: the drive.
        bytes_per_s: what it reads and writes together.
    """

    label: str
    drive: DriveInfo
    bytes_per_s: float


@dataclass(frozen=True, slots=True)
class LinkLoad:
    """How busy a link is.

    Attributes:
        link: the link.
        labels: of the ports whose drives share it, in the order of the table.
        bytes_per_s: what it carries now, measured.
    """

    link: Link
    labels: tuple[str, ...]
    bytes_per_s: float

    @property
    def ports(self) -> str:
        """The first and the last of the labels: `A1…A6`."""
        return first_to_last(self.labels)

    @property
    def carried(self) -> str:
        """What it carries and could carry, in round figures: `38 of ~40 MB/s`."""
        return f"{self.bytes_per_s / 1e6:.0f} of ~{self.link.capacity_bytes_per_s / 1e6:.0f} MB/s"

    @property
    def fraction(self) -> float:
        """Share of its capacity that is in use; may be above 1 where a host is very good."""
        return self.bytes_per_s / self.link.capacity_bytes_per_s

    @property
    def is_full(self) -> bool:
        """Whether the link holds its drives up, rather than their own flash."""
        return self.fraction >= _FULL_FROM


def first_to_last(labels: Sequence[str]) -> str:
    """Name a row of ports by its ends: `A1…A6`."""
    return labels[0] if len(labels) == 1 else f"{labels[0]}…{labels[-1]}"


def link_of(drive: DriveInfo) -> Link | None:
    """The link that a drive shares with what is plugged in beside it.

    None for a drive that has its root port for itself, and where the link isn't known.
    """
    if not drive.port or drive.upstream_mbps is None:
        return None
    try:
        controller, chain, _ = parse_port_name(drive.port)
    except ValueError:
        return None
    if len(chain) == 1:
        return None
    return Link(controller, chain[0], drive.upstream_mbps)


def link_loads(transfers: Iterable[Transfer]) -> tuple[LinkLoad, ...]:
    """Add up what each shared link carries, the busiest for its capacity first."""
    by_link: dict[Link, list[Transfer]] = {}
    for transfer in transfers:
        link = link_of(transfer.drive)
        if link is not None:
            by_link.setdefault(link, []).append(transfer)
    loads = (
        LinkLoad(
            link,
            tuple(transfer.label for transfer in shared),
            sum(transfer.bytes_per_s for transfer in shared),
        )
        for link, shared in by_link.items()
    )
    return tuple(sorted(loads, key=lambda load: -load.fraction))
