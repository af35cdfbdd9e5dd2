"""`station plan`: what a drive of some capacity would hold, and how long it would take."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from station.cli.console import out, print_json
from station.cli.options import ContentFolder, JsonFlag, ProfileName, Root, SectorSize
from station.content.catalog import Catalog
from station.content.offers import offers_as_listed
from station.image.extent import Kind
from station.image.planner import VolumePlan
from station.job.order import Order, OrderBook
from station.job.state import Stage
from station.text import printable
from station.units import format_duration, format_size, format_speed, parse_size

# What an old stick on USB 2 does, as the example that takes no option.
_USUAL_WRITE = "10MB"
_USUAL_READ = "25MB"


@dataclass(frozen=True, slots=True)
class Region:
    """A stretch of the drive that people have a name for.

    Attributes:
        name: what it is.
        start_bytes: where it begins.
        length_bytes: how long it is.
    """

    name: str
    start_bytes: int
    length_bytes: int


def plan(  # noqa: PLR0913 - one parameter an option
    *,
    profile: ProfileName,
    capacity: Annotated[
        str, typer.Option(metavar="SIZE", help="Capacity of the drive, such as 8GB.")
    ],
    root: Root = Path(),
    content: ContentFolder = None,
    sector_size: SectorSize = 512,
    write_speed: Annotated[
        str, typer.Option(metavar="SIZE", help="What the drive writes in a second.")
    ] = _USUAL_WRITE,
    read_speed: Annotated[
        str, typer.Option(metavar="SIZE", help="What the drive reads in a second.")
    ] = _USUAL_READ,
    json: JsonFlag = False,
) -> None:
    """Show what a drive would hold: bundles, geometry, image map, and how long it takes."""
    capacity_bytes = parse_size(capacity)
    speeds = {Stage.VERIFY: parse_size(read_speed)}
    write_bytes_per_s = parse_size(write_speed)
    catalog = Catalog(root)
    chosen = catalog.profile(profile)
    book = OrderBook(chosen, offers_as_listed(catalog, chosen, content))
    order = book.order_for(capacity_bytes, sector_size)
    times_s = {
        stage: length_bytes / max(speeds.get(stage, write_bytes_per_s), 1)
        for stage, length_bytes in order.stage_bytes.items()
    }
    if json:
        print_json(_as_json(order, times_s))
        return
    _print_bundles(order)
    _print_geometry(order.volume)
    _print_map(order.volume)
    total = format_duration(sum(times_s.values()))
    stages = ", ".join(f"{stage} {format_duration(time_s)}" for stage, time_s in times_s.items())
    out.print(
        f"\nTime at {format_speed(write_bytes_per_s)} writing and"
        f" {format_speed(speeds[Stage.VERIFY])} reading: {total} ({stages})"
    )


def regions(volume: VolumePlan) -> list[Region]:
    """The image map, as coarse as people want to see it: neighbours of one kind are one."""
    geometry = volume.geometry
    data_bytes = geometry.data_offset_bytes
    directories_end = data_bytes + volume.directories.length_bytes
    borders = [
        ("seal", 0),
        ("zeros", geometry.sector_bytes),
        # A superfloppy's boot record begins with the seal itself.
        ("boot record and reserved sectors", geometry.partition_bytes or geometry.sector_bytes),
        ("FAT 1", geometry.fat_offset_bytes(0)),
        ("FAT 2", geometry.fat_offset_bytes(1)),
        ("directories", data_bytes),
        ("files", directories_end),
        ("zeros", volume.content_end_bytes),
    ]
    for kept in volume.extents.of_kind(Kind.KEEP):
        borders += [("free, left as it is", kept.start_bytes), ("zeros", kept.end_bytes)]
    ends = [start for _, start in borders[1:]] + [geometry.capacity_bytes]
    return [
        Region(name, start, end - start)
        for (name, start), end in zip(borders, ends, strict=True)
        if end > start
    ]


def _print_bundles(order: Order) -> None:
    table = Table("bundle", "files", "size", "", title="Bundles", title_justify="left", box=None)
    for offer, is_taken in [
        *((offer, True) for offer in order.selection.taken),
        *((offer, False) for offer in order.selection.left_out),
    ]:
        kind = "required" if offer.is_required else "optional"
        table.add_row(
            printable(offer.name),
            f"{len(offer.files):,}",
            format_size(offer.total_bytes),
            f"{kind}, taken" if is_taken else f"{kind}, left out: does not fit any more",
        )
    out.print(table)


def _print_geometry(volume: VolumePlan) -> None:
    geometry = volume.geometry
    table = Table(title="\nFAT32 volume", title_justify="left", box=None, show_header=False)
    free_bytes = volume.free_clusters * geometry.cluster_bytes
    for name, value in [
        ("drive", f"{format_size(geometry.capacity_bytes)}, {geometry.sector_bytes}-byte sectors"),
        ("layout", f"{geometry.layout}, partition at sector {geometry.partition_sector}"),
        ("label", volume.label or "none"),
        ("clusters", f"{geometry.cluster_count:,} of {geometry.cluster_bytes:,} bytes"),
        ("FAT", f"2 of {geometry.fat_sectors:,} sectors, {geometry.reserved_sectors} reserved"),
        ("data area", f"at byte {geometry.data_offset_bytes:,}"),
        ("free", format_size(free_bytes)),
    ]:
        table.add_row(name, value)
    out.print(table)


def _print_map(volume: VolumePlan) -> None:
    table = Table(title="\nImage map", title_justify="left", box=None)
    table.add_column("from byte", justify="right")
    table.add_column("bytes", justify="right")
    table.add_column("share", justify="right")
    table.add_column("holds")
    capacity_bytes = volume.geometry.capacity_bytes
    for region in regions(volume):
        share = f"{100 * region.length_bytes / capacity_bytes:.2f} %"
        table.add_row(f"{region.start_bytes:,}", f"{region.length_bytes:,}", share, region.name)
    out.print(table)


def _as_json(order: Order, times_s: dict[Stage, float]) -> dict[str, object]:
    volume, geometry = order.volume, order.volume.geometry
    return {
        "capacity_bytes": geometry.capacity_bytes,
        "sector_bytes": geometry.sector_bytes,
        "bundles": [
            {
                "name": offer.name,
                "required": offer.is_required,
                "taken": offer in order.selection.taken,
                "files": len(offer.files),
                "bytes": offer.total_bytes,
            }
            for offer in (*order.selection.taken, *order.selection.left_out)
        ],
        "volume": {
            "layout": str(geometry.layout),
            "label": volume.label,
            "partition_sector": geometry.partition_sector,
            "partition_sectors": geometry.partition_sectors,
            "reserved_sectors": geometry.reserved_sectors,
            "fat_sectors": geometry.fat_sectors,
            "cluster_bytes": geometry.cluster_bytes,
            "cluster_count": geometry.cluster_count,
            "free_clusters": volume.free_clusters,
        },
        "map": [
            {"name": region.name, "start_bytes": region.start_bytes, "bytes": region.length_bytes}
            for region in regions(volume)
        ],
        "seconds": {str(stage): time_s for stage, time_s in times_s.items()},
    }
