import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.usb.hubs import HubOnTable, hubs_on_table
from station.usb.labels import Port

ROOT = "0000:00:14.0"


def ports(*chains: str, hub: str = "") -> list[Port]:
    return [Port(f"{ROOT}/{chain}", f"L{chain}", hub=hub) for chain in chains]


@pytest.mark.parametrize(
    ("table", "hubs"),
    [
        pytest.param(ports("1.1", "1.2", "2.1"), [("L1.1…L1.2", 2), ("L2.1", 1)], id="root ports"),
        pytest.param(ports("1.1", "1.4.1", "1.4.4.2"), [("L1.1…L1.4.4.2", 3)], id="cascade"),
        pytest.param(ports("1", "2", "3.1"), [("L1…L2", 2), ("L3.1", 1)], id="the computer's own"),
        pytest.param(
            [*ports("1.1", hub="left"), *ports("1.2", hub="right")],
            [("left", 1), ("right", 1)],
            id="named",
        ),
        pytest.param(
            [*ports("1.1"), *ports("2.1"), *ports("1.2")],
            [("L1.1", 1), ("L2.1", 1), ("L1.2", 1)],
            id="the table's order comes first",
        ),
        pytest.param([Port("port-1", "a"), Port("port-2", "b")], [("a…b", 2)], id="simulated"),
    ],
)
def test_neighbours_on_one_hub_belong_together(
    table: list[Port], hubs: list[tuple[str, int]]
) -> None:
    assert [(hub.name, hub.size) for hub in hubs_on_table(table)] == hubs


def test_a_table_without_ports_has_no_hubs() -> None:
    assert hubs_on_table([]) == ()


@given(
    st.lists(
        st.builds(
            Port,
            st.sampled_from([f"{ROOT}/1.1", f"{ROOT}/2.1", f"{ROOT}/2", "port-1", "/dev/sdb"]),
            st.text(max_size=3),
            hub=st.sampled_from(["", "left", "right"]),
        ),
        max_size=20,
    )
)
def test_every_port_is_on_one_hub(table: list[Port]) -> None:
    hubs: tuple[HubOnTable, ...] = hubs_on_table(table)

    assert sum(hub.size for hub in hubs) == len(table)
    assert all(hub.size > 0 for hub in hubs)
