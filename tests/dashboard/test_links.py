from dataclasses import replace

import pytest

from station.dashboard.cells import strip_width
from station.dashboard.event import JobEnded
from station.dashboard.frame import compose
from station.dashboard.header import recent_line
from station.dashboard.snapshot import StationSnapshot, Tile
from station.verdict import PASSED
from tests.dashboard.samples import CRUZER, NOON, station, working


def at_work(number: int, bytes_per_s: float, root_port: int = 1) -> Tile:
    """A stick at work on port `number` of a USB 2 hub."""
    drive = replace(
        CRUZER,
        port=f"0000:00:14.0/{root_port}.{number}",
        link_mbps=480,
        upstream_mbps=480,
    )
    return replace(working(f"A{number}", drive), speed_bytes_per_s=bytes_per_s)


FULL = station(Tile("A0"), at_work(1, 14e6), at_work(2, 13e6), at_work(3, 11e6))
IDLE = station(Tile("A0"), at_work(1, 4e6), at_work(2, 3e6), at_work(3, 1e6))


def last_line(snapshot: StationSnapshot, width: int) -> str:
    recent = [JobEnded(NOON, f"A{number}", CRUZER, number, PASSED) for number in range(20)]
    strip = recent_line(recent, snapshot.links, width)
    assert strip_width(strip) == width
    return "".join(segment.text for segment in strip)


def test_what_sticks_on_one_hub_carry_together_is_the_load_of_its_link() -> None:
    (load,) = FULL.links

    assert load.labels == ("A1", "A2", "A3")
    assert load.bytes_per_s == 38e6
    assert load.is_full


@pytest.mark.parametrize(
    ("width", "said"),
    [
        (220, " A1…A3: USB 2 link full, 38 of ~40 MB/s: plug the next one elsewhere "),
        (80, " A1…A3: USB 2 link full, plug in elsewhere "),
        (50, " A1…A3: USB 2 link full "),
    ],
)
def test_a_full_link_is_told_at_the_end_of_the_last_line(width: int, said: str) -> None:
    assert last_line(FULL, width).endswith(said)
    assert last_line(FULL, width).startswith(" last ")


def test_there_is_no_half_a_warning_where_there_is_no_room() -> None:
    assert "full" not in last_line(FULL, 20)


def test_nothing_is_told_of_links_with_room() -> None:
    assert "link" not in last_line(IDLE, 220)


def test_of_two_full_links_the_fuller_one_is_told() -> None:
    both = station(at_work(1, 36e6), at_work(2, 39e6, root_port=2))

    assert " A2: USB 2 link full, 39 of ~40 MB/s" in last_line(both, 220)


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40), (220, 60), (40, 10)])
def test_no_tile_moves_when_a_link_gets_full(width: int, height: int) -> None:
    places = [
        {(patch.x, patch.y) for patch in compose(snapshot, [], width, height).patches}
        for snapshot in (FULL, IDLE)
    ]

    assert places[0] == places[1]
