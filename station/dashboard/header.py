"""The lines above and below the tiles: what concerns the station as a whole."""

from collections.abc import Sequence

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

from station.dashboard import theme
from station.dashboard.cells import Strip, blank, centre, cut, first_fitting, fit, shown
from station.dashboard.event import JobEnded
from station.dashboard.snapshot import StationSnapshot
from station.dashboard.theme import LOOKS
from station.dashboard.words import Act, advice_on
from station.units import format_duration, format_speed
from station.usb.bus import LinkLoad

# How much of the last line a full link may take from the newest verdicts, in percent.
_LINK_SHARE = 60

# What is left of a hub's line beside its name and its link.
_SHORTEST_RULE_CELLS = 2

# A piece of text and how it is drawn.
_Piece = tuple[str, Style]


def title_line(snapshot: StationSnapshot, width: int) -> Strip:
    """Draw the profile and the batch, with the station's own load and the time it runs."""
    names = f" {shown(snapshot.profile)}"
    if snapshot.batch:
        names = f"{names} · batch {shown(snapshot.batch)}"
    clock = format_duration(snapshot.elapsed_s)
    load = f"cpu {snapshot.cpu_percent:.0f} %  mem {snapshot.memory_percent:.0f} %"
    right = first_fitting((f"{load}   {clock} ", f"{clock} "), max(0, width - cell_len(names) - 2))
    room = max(0, width - cell_len(right))
    return (
        Segment(fit(names, room), theme.TITLE_STRONG),
        Segment(cut(right, width), theme.TITLE),
    )


def counts_line(snapshot: StationSnapshot, width: int) -> Strip:
    """Draw the verdicts of today and what all sticks together carry."""
    left: list[_Piece] = [
        (f" {LOOKS[Act.PULL].mark} {snapshot.passed} passed", theme.GOOD_COUNT),
        (f"  {LOOKS[Act.BIN].mark} {snapshot.failed} failed", theme.BAD_COUNT),
        (f"  {LOOKS[Act.BACK].mark} {snapshot.refused} refused", theme.ASIDE_COUNT),
        (" today", theme.FAINT),
    ]
    right: list[_Piece] = [
        (f"write {format_speed(snapshot.write_bytes_per_s)}", theme.STRONG),
        (f"  read {format_speed(snapshot.read_bytes_per_s)} ", theme.STRONG),
    ]
    # What has no room is left out whole: half a figure misleads.
    for pieces in ((left, right), (left[:-1], right), (left, []), (left[:-1], []), (left[:2], [])):
        used = sum(cell_len(text) for text, _ in (*pieces[0], *pieces[1]))
        if used <= width:
            return (
                *_segments(pieces[0]),
                *blank(width - used),
                *_segments(pieces[1]),
            )
    return blank(width)


def _segments(pieces: Sequence[_Piece]) -> Strip:
    return tuple(Segment(text, style) for text, style in pieces)


_LEGENDS = (
    "WAIT: leave it in    PULL: done, take it out    BIN: throw it away    REDO: plug in again",
    "WAIT leave it in · PULL done · BIN throw away · REDO plug in again",
    "WAIT · PULL · BIN · REDO",
)
_BANNERS = (
    "DRAINING: finishing the sticks under way, insert no more",
    "DRAINING: insert no more",
    "DRAINING",
)


def legend_line(snapshot: StationSnapshot, width: int) -> Strip:
    """Draw what the large words mean or, in its place, that no more sticks are accepted."""
    if snapshot.draining:
        return (Segment(centre(first_fitting(_BANNERS, width), width), theme.BANNER),)
    return (Segment(centre(first_fitting(_LEGENDS, width), width), theme.FAINT),)


def recent_line(recent: Sequence[JobEnded], links: Sequence[LinkLoad], width: int) -> Strip:
    """Draw the newest verdicts, newest first: a tile forgets its own when its stick is pulled.

    At the right end stands the USB link that holds its sticks up, when there is one: the next stick
    is better plugged in elsewhere.
    """
    bottleneck = next((load for load in links if load.is_full), None)
    note = "" if bottleneck is None else _full_link(bottleneck, width * _LINK_SHARE // 100)
    room = width - cell_len(note)
    segments = [Segment(cut(" last ", room), theme.FAINT)] if recent else []
    used = sum(cell_len(segment.text) for segment in segments)
    for event in recent:
        advice = advice_on(event.verdict)
        look = LOOKS[advice.act]
        text = f" {event.time.astimezone():%H:%M} {shown(event.port)} {look.mark} {advice.result} "
        if used + cell_len(text) > room:
            break
        segments.append(Segment(text, theme.PLAIN))
        used += cell_len(text)
    end = (Segment(note, theme.STRONG),) if note else ()
    return (*segments, *blank(room - used), *end)


def _full_link(load: LinkLoad, width: int) -> str:
    """Say which sticks share a link that is full; empty where there is no room to say it."""
    said = f" {shown(load.ports)}: {load.link.kind} link full"
    return first_fitting(
        (
            f"{said}, {load.carried}: plug the next one elsewhere ",
            f"{said}, plug in elsewhere ",
            f"{said} ",
            "",
        ),
        width,
    )


def hub_line(name: str, busiest: LinkLoad | None, width: int) -> Strip:
    """Draw the line above the tiles of one hub: its name, and how busy its link is.

    Args:
        name: of the hub.
        busiest: load of the busiest link of its sticks; None while that isn't known.
        width: in cells.
    """
    head = cut(f"━━ {shown(name)} ", width)
    room = max(0, width - cell_len(head) - _SHORTEST_RULE_CELLS)
    note, style = "", theme.FAINT
    if busiest is not None:
        kind, carried = busiest.link.kind, busiest.carried
        notes: tuple[str, ...] = (f" {kind}: {carried} ", f" {carried} ", "")
        if busiest.is_full:
            style = theme.BANNER
            notes = (f" {kind} link full, {carried} ", f" {kind} link full ", " full ", "")
        note = first_fitting(notes, room)
    rule = "━" * (width - cell_len(head) - cell_len(note))
    return Segment(head, theme.STRONG), Segment(rule, theme.FAINT), Segment(note, style)
