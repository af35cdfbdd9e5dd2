"""Which bundles a drive takes: the required ones, then each optional one that still fits."""

from collections.abc import Iterable, Sequence

from station.content.selection import Offer, Selection
from station.errors import DriveTooSmallError
from station.image.footprint import Footprint
from station.image.geometry import Geometry
from station.image.tree import FileEntry
from station.units import format_size


def choose(offers: Sequence[Offer], geometry: Geometry, *, has_label: bool) -> Selection:
    """Choose bundles for drives of one geometry, in the order in which a profile names them.

    An optional bundle that does not fit is passed over, and a smaller one after it may still be
    taken.

    Raises:
        DriveTooSmallError: when the required bundles do not fit, or no bundle at all.
    """
    footprint = Footprint(geometry.cluster_bytes, has_label=has_label)
    required = [offer for offer in offers if offer.is_required]
    footprint = footprint.with_files(_entries(required))
    if footprint.clusters > geometry.cluster_count:
        raise DriveTooSmallError(
            f"the required bundles ({', '.join(offer.name for offer in required)}) need"
            f" {format_size(footprint.clusters * geometry.cluster_bytes)}, a drive of"
            f" {format_size(geometry.capacity_bytes)} has room for"
            f" {format_size(geometry.data_bytes)}",
            "Use larger drives, or make a bundle optional in the profile.",
        )
    taken = set(map(id, required))
    for offer in offers:
        if offer.is_required:
            continue
        grown = footprint.with_files(_entries([offer]))
        if grown.clusters <= geometry.cluster_count:
            footprint = grown
            taken.add(id(offer))
    if offers and not taken:
        smallest = min(offers, key=lambda offer: offer.total_bytes)
        raise DriveTooSmallError(
            f"none of the bundles fits: the smallest, {smallest.name}, needs"
            f" {format_size(smallest.total_bytes)}, a drive of"
            f" {format_size(geometry.capacity_bytes)} has room for"
            f" {format_size(geometry.data_bytes)}",
            "An empty stick is of no use to anybody: use larger drives.",
        )
    return Selection(
        tuple(offer for offer in offers if id(offer) in taken),
        tuple(offer for offer in offers if id(offer) not in taken),
    )


def _entries(offers: Iterable[Offer]) -> Iterable[FileEntry]:
    return (file.entry for offer in offers for file in offer.files)
