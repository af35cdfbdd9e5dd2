from operator import itemgetter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.errors import OperatorError
from station.usb.labels import Port, PortMap, load_port_map, parse_port_map
from station.usb.map_file import render_port_map

MAP = """
[[port]]
label = "B1"
path = "0000:00:14.0/1.4.3"

[[port]]
label = "왼쪽 2"
path = "soc/fe980000.usb/1.1:lun1"
"""


def test_ports_come_in_the_order_in_which_they_stand_on_the_table() -> None:
    port_map = parse_port_map(MAP, "ports.toml")

    assert port_map.ports == (
        Port("0000:00:14.0/1.4.3", "B1"),
        Port("soc/fe980000.usb/1.1:lun1", "왼쪽 2"),
    )
    assert port_map.names == {"0000:00:14.0/1.4.3", "soc/fe980000.usb/1.1:lun1"}


def test_a_socket_may_have_two_paths_and_a_hub_with_a_name() -> None:
    text = """
    [[port]]
    label = "A1"
    path = ["0000:00:14.0/5.1", "0000:00:14.0/usb3/1.1"]
    hub = "left"
    """
    port_map = parse_port_map(text, "ports.toml")

    assert port_map.ports == (Port("0000:00:14.0/5.1", "A1", ("0000:00:14.0/usb3/1.1",), "left"),)
    assert port_map.names == {"0000:00:14.0/5.1", "0000:00:14.0/usb3/1.1"}


names = st.builds(
    lambda controller, chain: f"{controller}/{'.'.join(map(str, chain))}",
    st.sampled_from(["0000:00:14.0", "0000:00:14.0/usb3", "soc/fe980000.usb"]),
    st.lists(st.integers(1, 15), min_size=1, max_size=5),
)
words = st.text('ABC왼쪽 12"\\', min_size=1, max_size=16).filter(lambda text: text == text.strip())


@given(
    st.lists(
        st.tuples(names, words), min_size=1, max_size=9, unique_by=(itemgetter(0), itemgetter(1))
    ),
    st.lists(names, max_size=9, unique=True),
    st.lists(words | st.just(""), min_size=9, max_size=9),
)
def test_every_map_reads_back_as_it_was_written(
    sockets: list[tuple[str, str]], halves: list[str], hubs: list[str]
) -> None:
    taken = {name for name, _ in sockets}
    spare = [half for half in halves if half not in taken]
    port_map = PortMap(
        tuple(
            Port(name, label, tuple(spare[number : number + 1]), hubs[number])
            for number, (name, label) in enumerate(sockets)
        )
    )

    assert parse_port_map(render_port_map(port_map), "ports.toml") == port_map


def test_a_map_is_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "ports.toml"
    path.write_text(MAP, encoding="utf-8")

    assert load_port_map(path) == parse_port_map(MAP, "ports.toml")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("", "port: field required", id="empty"),
        pytest.param("port = []", "port: list should have at least 1", id="no ports"),
        pytest.param("[[port]\n", "no TOML: .*line 1", id="no TOML"),
        pytest.param('[[port]]\nlabel = "A"\n', "port 1, path: field required", id="no path"),
        pytest.param(
            MAP.replace("label", "lable", 1), "port 1, (label: field|lable: extra)", id="misspelt"
        ),
        pytest.param(MAP.replace('"B1"', "1"), "port 1, label: .*string", id="number as label"),
        pytest.param(MAP.replace("B1", ""), "port 1, label: .*at least 1", id="empty label"),
        pytest.param(MAP.replace("B1", "B" * 17), "port 1, label: .*at most 16", id="long label"),
        pytest.param(MAP.replace("B1", r"\u001b[2J"), "port 1: the label", id="escape in label"),
        pytest.param(MAP.replace("B1", " B1"), "port 1: the label", id="blank before label"),
        pytest.param(MAP.replace("B1", "왼쪽 2"), "ports 1 and 2 have the same label", id="label"),
        pytest.param(
            MAP.replace("soc/fe980000.usb/1.1:lun1", "0000:00:14.0/1.4.3"),
            "ports 1 and 2 have the same path",
            id="path",
        ),
        pytest.param(
            MAP.replace("0000:00:14.0/1.4.3", "/dev/sdb"), "port 1, path: .*pattern", id="a node"
        ),
        pytest.param(
            MAP.replace('"0000:00:14.0/1.4.3"', '["0000:00:14.0/1", "soc/fe980000.usb/1.1:lun1"]'),
            "ports 1 and 2 have the same path",
            id="half of another socket",
        ),
        pytest.param(
            MAP.replace('"0000:00:14.0/1.4.3"', "[]"), "port 1, path", id="no path at all"
        ),
        pytest.param(
            MAP.replace('label = "B1"', 'label = "B1"\nhub = "\\u001b[2J"'),
            "port 1: the hub",
            id="escape in hub",
        ),
        pytest.param(MAP.replace("/1.4.3", ""), "port 1, path: .*pattern", id="no chain"),
    ],
)
def test_a_bad_map_is_refused_with_what_is_wrong_and_where(text: str, complaint: str) -> None:
    with pytest.raises(OperatorError, match=f"^ports.toml.*{complaint}"):
        parse_port_map(text, "ports.toml")


def test_a_missing_map_is_refused_with_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="station ports teach"):
        load_port_map(tmp_path / "ports.toml")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        pytest.param(b"\xff\xfe", "no UTF-8", id="binary"),
        pytest.param(b"#" * (2 << 20), "too large", id="huge"),
    ],
)
def test_a_file_that_can_be_no_map_is_refused(
    tmp_path: Path, content: bytes, complaint: str
) -> None:
    path = tmp_path / "ports.toml"
    path.write_bytes(content)

    with pytest.raises(OperatorError, match=complaint):
        load_port_map(path)


@given(st.text())
def test_any_text_is_a_map_or_an_operators_error(text: str) -> None:
    for candidate in (text, f"port = [{{label = {text!r}, path = '0000:00:14.0/1'}}]"):
        try:
            ports = parse_port_map(candidate, "ports.toml").ports
        except OperatorError:
            continue

        assert len(ports) >= 1
