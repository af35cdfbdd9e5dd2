from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.device.drive import DriveInfo
from station.usb.bus import Link, Transfer, link_loads, link_of

ROOT = "0000:00:14.0"


def stick(chain: str, upstream_mbps: int | None = 480) -> DriveInfo:
    return DriveInfo(
        "/dev/sdb",
        8_000_000_000,
        port=f"{ROOT}/{chain}",
        link_mbps=480,
        upstream_mbps=upstream_mbps,
    )


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        pytest.param(stick("1.1"), stick("1.4"), True, id="one hub"),
        pytest.param(stick("1.1"), stick("1.4.2"), True, id="a hub on the hub"),
        pytest.param(stick("1.1"), stick("2.1"), False, id="two hubs"),
        pytest.param(stick("1.1"), stick("1.2", 5000), False, id="both halves of a USB 3 hub"),
        pytest.param(stick("1.1"), stick("1.1:lun1"), True, id="two slots of a card reader"),
        pytest.param(stick("1.1"), stick("11.1"), False, id="ports 1 and 11"),
        pytest.param(
            stick("1.1"), replace(stick("1.1"), port="0000:05:00.0/1.1"), False, id="controllers"
        ),
    ],
)
def test_sticks_share_a_link_below_one_root_port(
    one: DriveInfo,
    other: DriveInfo,
    shared: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert (link_of(one) == link_of(other)) is shared


@pytest.mark.parametrize(
    "drive",
    [
        pytest.param(stick("1"), id="a root port for itself"),
        pytest.param(stick("1.1", None), id="speed unknown"),
        pytest.param(DriveInfo("stick.img", 512), id="an image file"),
        pytest.param(replace(stick("1.1"), port="port-3"), id="a simulated stick"),
    ],
)
def test_a_drive_that_shares_nothing_known_has_no_link(drive: DriveInfo) -> None:
    assert link_of(drive) is None


def test_a_usb_2_link_is_full_near_forty_megabytes_a_second() -> None:
    def load(bytes_per_s: float) -> bool:
        return link_loads([Transfer("A1", stick("1.1"), bytes_per_s)])[0].is_full

    assert Link(ROOT, 1, 480).capacity_bytes_per_s == 40_000_000
    assert [load(30e6), load(38e6), load(44e6)] == [False, True, True]


def test_a_link_goes_by_the_usb_that_its_speed_is_of() -> None:
    kinds = {mbps: Link(ROOT, 1, mbps).kind for mbps in (1, 12, 480, 5000, 20_000)}

    assert kinds == {1: "USB 1", 12: "USB 1", 480: "USB 2", 5000: "USB 3", 20_000: "USB 3"}


def test_a_link_at_superspeed_carries_some_four_hundred() -> None:
    link = Link(ROOT, 1, 5000)

    assert round(link.capacity_bytes_per_s / 1e6) == 417
    assert link.kind == "USB 3"


def test_the_busiest_link_for_its_capacity_comes_first() -> None:
    loads = link_loads(
        [
            Transfer("A1", stick("1.1"), 10e6),
            Transfer("B1", stick("2.1", 5000), 60e6),
            Transfer("A2", stick("1.2"), 12e6),
        ]
    )

    assert [(load.labels, load.bytes_per_s) for load in loads] == [
        (("A1", "A2"), 22e6),
        (("B1",), 60e6),
    ]


@given(
    st.lists(
        st.tuples(st.integers(1, 4), st.integers(1, 4), st.sampled_from([480, 5000, 10000])),
        max_size=30,
    )
)
def test_every_byte_is_counted_on_just_one_link(places: list[tuple[int, int, int]]) -> None:
    transfers = [
        Transfer(str(number), stick(f"{root}.{port}", mbps), number * 1e6)
        for number, (root, port, mbps) in enumerate(places)
    ]

    loads = link_loads(transfers)

    assert sorted(label for load in loads for label in load.labels) == sorted(
        transfer.label for transfer in transfers
    )
    assert sum(load.bytes_per_s for load in loads) == sum(each.bytes_per_s for each in transfers)
