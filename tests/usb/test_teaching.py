import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.errors import OperatorError
from station.usb.labels import Port, PortMap, parse_port_map
from station.usb.map_file import render_port_map
from station.usb.teaching import (
    Joining,
    KnownSocket,
    OtherDisk,
    OtherSocket,
    Stranger,
    Taught,
    Teaching,
    parse_labels,
)

ROOT = "0000:00:14.0"


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("A1", ("A1",)),
        ("A1-A3,B1-B2", ("A1", "A2", "A3", "B1", "B2")),
        ("A1-3", ("A1", "A2", "A3")),
        ("08-10", ("08", "09", "10")),
        ("8-11", ("8", "9", "10", "11")),
        (" A1 , left ", ("A1", "left")),
        ("hub-a1", ("hub-a1",)),
        ("왼쪽 1-왼쪽 2", ("왼쪽 1", "왼쪽 2")),
    ],
)
def test_labels_are_read_as_people_write_them(text: str, labels: tuple[str, ...]) -> None:
    assert tuple(parse_labels(text)) == labels


@pytest.mark.parametrize(
    ("text", "hubs"),
    [
        ("A1-A2,B1-B2", ["A1-A2", "A1-A2", "B1-B2", "B1-B2"]),
        ("A1-A2", ["", ""]),
        ("A1-A2,left", ["A1-A2", "A1-A2", ""]),
    ],
)
def test_each_of_several_ranges_is_a_hub(text: str, hubs: list[str]) -> None:
    assert list(parse_labels(text).values()) == hubs


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "'' is no label"),
        ("A1,,A2", "'' is no label"),
        ("A3-A1", "run backwards"),
        ("A1-A3,A2", "the label A2 comes twice"),
        ("A" * 17, "is no label"),
        ("\x1b[2J", r"'\\x1b\[2J' is no label"),
        ("1-9999", "more than 256"),
    ],
)
def test_bad_labels_are_refused_before_a_stick_is_pushed_in(text: str, complaint: str) -> None:
    with pytest.raises(OperatorError, match=complaint):
        parse_labels(text)


def test_sockets_get_the_labels_in_the_order_in_which_they_are_shown() -> None:
    teaching = Teaching({"A1": "", "A2": ""})

    assert teaching.see(f"{ROOT}/1.4") == Taught(Port(f"{ROOT}/1.4", "A1"))
    assert teaching.next_label == "A2"
    assert teaching.see(f"{ROOT}/1.2") == Taught(Port(f"{ROOT}/1.2", "A2"))
    assert teaching.is_complete
    assert teaching.next_label is None


def test_the_same_socket_twice_keeps_its_label_and_uses_up_no_other() -> None:
    teaching = Teaching({"A1": "", "A2": ""})
    teaching.see(f"{ROOT}/1.4")

    assert teaching.see(f"{ROOT}/1.4") == KnownSocket(Port(f"{ROOT}/1.4", "A1"))
    assert teaching.next_label == "A2"


def test_a_second_disk_in_one_stick_gets_no_label() -> None:
    teaching = Teaching({"A1": "", "A2": ""})
    teaching.see(f"{ROOT}/1.4")

    answer = teaching.see(f"{ROOT}/1.4:lun1")

    assert answer == OtherDisk(Port(f"{ROOT}/1.4", "A1"), f"{ROOT}/1.4:lun1")
    assert teaching.next_label == "A2"


def test_slots_of_a_card_reader_get_labels_of_their_own_when_asked_for() -> None:
    teaching = Teaching({"SD": "", "CF": ""}, slots=True)
    teaching.see(f"{ROOT}/1.4")
    teaching.see(f"{ROOT}/1.4:lun1")

    assert [port.label for port in teaching.port_map.ports] == ["SD", "CF"]


CHAINS = st.lists(st.integers(1, 15), min_size=1, max_size=6).map(
    lambda chain: f"{ROOT}/{'.'.join(map(str, chain))}"
)
LABELS = st.text(min_size=1, max_size=16).filter(
    lambda label: label.isprintable() and label == label.strip() and "\\" not in repr(label)
)


@given(st.lists(LABELS, min_size=1, max_size=20, unique=True), st.lists(CHAINS, max_size=60))
def test_no_socket_ever_gets_two_labels_and_the_map_reads_back_as_it_was(
    labels: list[str], shown: list[str]
) -> None:
    teaching = Teaching({label: label.upper()[:16] for label in labels})
    for name in shown:
        if not teaching.is_complete:
            teaching.see(name)

    port_map = teaching.port_map
    assert len(port_map.names) == len(port_map.ports)
    assert [port.label for port in port_map.ports] == labels[: len(port_map.ports)]
    if port_map.ports:
        assert parse_port_map(render_port_map(port_map), "map") == port_map


A1 = Port(f"{ROOT}/5.1", "A1")
A2 = Port(f"{ROOT}/5.2", "A2")


def test_a_second_round_gives_each_sockets_other_half_its_label() -> None:
    joining = Joining(PortMap((A1, A2)))
    halves = [f"{ROOT}/usb3/1.1", f"{ROOT}/usb3/1.2"]

    assert [type(joining.see(half)) for half in halves] == [Taught, Taught]
    assert joining.is_complete
    assert [port.names for port in joining.port_map.ports] == [
        (A1.name, halves[0]),
        (A2.name, halves[1]),
    ]


def test_a_socket_whose_halves_the_kernel_knows_for_one_stays_as_it_is() -> None:
    joining = Joining(PortMap((A1, A2)))

    assert joining.see(A1.name) == KnownSocket(A1)
    assert joining.next_label == "A2"
    assert joining.port_map.ports == (A1, A2)


def test_another_taught_socket_than_the_one_asked_for_is_not_joined_to_it() -> None:
    joining = Joining(PortMap((A1, A2)))

    assert joining.see(A2.name) == OtherSocket(A2)
    assert joining.next_label == "A1"
    assert joining.port_map.ports == (A1, A2)


def test_the_second_disk_of_a_stick_is_not_joined_to_the_next_socket() -> None:
    joining = Joining(PortMap((A1, A2)))
    joining.see(f"{ROOT}/usb3/1.1")

    assert isinstance(joining.see(f"{ROOT}/usb3/1.1:lun1"), OtherDisk)
    assert joining.next_label == "A2"


def test_a_socket_takes_no_third_half() -> None:
    both = Port(A1.name, "A1", (f"{ROOT}/usb3/1.1",))
    joining = Joining(PortMap((both,)))

    assert joining.see(f"{ROOT}/9") == Stranger(both, f"{ROOT}/9")
    assert joining.port_map.ports == (both,)


@given(st.lists(CHAINS, min_size=1, max_size=12, unique=True), st.lists(CHAINS, max_size=60))
def test_whatever_is_shown_in_the_second_round_no_half_belongs_to_two_sockets(
    taught: list[str], shown: list[str]
) -> None:
    before = PortMap(tuple(Port(name, f"L{number}") for number, name in enumerate(taught)))
    joining = Joining(before)
    for name in shown:
        if not joining.is_complete:
            joining.see(name)

    after = joining.port_map
    assert [(port.name, port.label) for port in after.ports] == [
        (port.name, port.label) for port in before.ports
    ]
    assert len(after.names) == sum(len(port.names) for port in after.ports)
    assert parse_port_map(render_port_map(after), "map") == after
