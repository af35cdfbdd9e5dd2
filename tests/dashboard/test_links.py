from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.dashboard.cells import strip_width
from station.dashboard.event import JobEnded
from station.dashboard.frame import compose
from station.dashboard.header import hub_line, recent_line
from station.dashboard.snapshot import StationSnapshot, Tile
from station.usb.hubs import HubOnTable
from station.verdict import PASSED
from tests.dashboard.samples import CRUZER, NOON, hostile_text, station, working


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


@pytest.mark.parametrize(
    ("snapshot", "width", "said"),
    [
        (FULL, 100, " USB 2 link full, 38 of ~40 MB/s "),
        (FULL, 35, " USB 2 link full "),
        (FULL, 20, " full "),
        (IDLE, 100, " USB 2: 8 of ~40 MB/s "),
        (IDLE, 33, " 8 of ~40 MB/s "),
        (IDLE, 20, "━"),
    ],
)
def test_how_busy_a_hubs_link_is_stands_at_the_end_of_its_line(
    snapshot: StationSnapshot, width: int, said: str
) -> None:
    strip = hub_line("left", snapshot.links[0], width)

    assert strip_width(strip) == width
    assert "".join(segment.text for segment in strip).startswith("━━ left ━")
    assert "".join(segment.text for segment in strip).endswith(said)


@given(hostile_text, st.integers(0, 200))
def test_no_name_of_a_hub_can_break_its_line(name: str, width: int) -> None:
    for load in (None, FULL.links[0]):
        strip = hub_line(name, load, width)

        assert strip_width(strip) == width
        assert "".join(segment.text for segment in strip).isprintable()


def test_the_full_link_is_shown_at_its_own_hub_alone() -> None:
    sticks = [at_work(number, 5e6, root_port) for root_port in (1, 2) for number in range(1, 9)]
    ports = [
        replace(tile, label=f"{'AB'[index // 8]}{tile.label[1:]}")
        for index, tile in enumerate(sticks)
    ]
    ports[8:] = [replace(tile, speed_bytes_per_s=1e6) for tile in ports[8:]]
    table = replace(station(*ports), hubs=(HubOnTable("left", 8), HubOnTable("right", 8)))
    row = "".join(segment.text for segment in compose(table, [], 120, 40).rows()[3])

    assert row.index("left") < row.index("link full, 40 of ~40 MB/s") < row.index("right")
    assert row.rstrip().endswith("USB 2: 8 of ~40 MB/s")


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40), (220, 60), (40, 10)])
def test_no_tile_moves_when_a_link_gets_full(width: int, height: int) -> None:
    places = [
        {(patch.x, patch.y) for patch in compose(snapshot, [], width, height).patches}
        for snapshot in (FULL, IDLE)
    ]

    assert places[0] == places[1]
