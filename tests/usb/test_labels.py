from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.errors import OperatorError
from station.usb.labels import Port, load_port_map, parse_port_map

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
