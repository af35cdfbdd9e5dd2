"""Teaching: which socket gets which label, from where sticks are pushed in. Does no I/O."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from station.errors import OperatorError
from station.text import printable
from station.usb.labels import LONGEST_LABEL, Port, PortMap
from station.usb.topology import controller_of_port, parse_port_name

_RANGE = re.compile(r"(?P<prefix>.*?)(?P<first>\d{1,4})-(?P=prefix)?(?P<last>\d{1,4})", re.ASCII)
_MOST_LABELS = 256


def parse_labels(text: str) -> dict[str, str]:
    """Read labels as people write them: `A1-A4,B1,left` is A1, A2, A3, A4, B1 and left.

    Returns:
        Each label, in order, with the name of the hub that it belongs to: one of several ranges is
        a hub, and goes by the range. It is empty where nothing of that kind was said.

    Raises:
        OperatorError: when one is empty, too long, can't be shown or comes twice, and when there
            are none or too many.
    """
    labels: list[str] = []
    hubs: list[str] = []
    parts = [part.strip() for part in text.split(",")]
    for part in parts:
        expanded = _expand(part)
        labels += expanded
        is_hub = len(expanded) > 1 and len(parts) > 1
        hubs += [part if is_hub else ""] * len(expanded)
        if len(labels) > _MOST_LABELS:
            raise OperatorError(
                f"{_quoted(text)} makes more than {_MOST_LABELS} labels", "Teach fewer sockets."
            )
    for number, label in enumerate(labels):
        if not label or len(label) > LONGEST_LABEL or label != printable(label):
            raise OperatorError(
                f"{_quoted(label)} is no label",
                f"Write up to {LONGEST_LABEL} letters and digits for each: A1-A8,B1-B8.",
            )
        if label in labels[:number]:
            raise OperatorError(f"the label {label} comes twice", "Give each socket its own.")
    return dict(zip(labels, hubs, strict=True))


def _expand(part: str) -> list[str]:
    found = _RANGE.fullmatch(part)
    if found is None:
        return [part]
    first, last = int(found["first"]), int(found["last"])
    if last < first:
        raise OperatorError(f"the labels {_quoted(part)} run backwards", "Write A1-A8.")
    # `01-08` stays two digits wide.
    width = len(found["first"]) if found["first"].startswith("0") else 1
    return [f"{found['prefix']}{number:0{width}}" for number in range(first, last + 1)]


def _quoted(text: str) -> str:
    return f"'{printable(text)}'"


@dataclass(frozen=True, slots=True)
class Taught:
    """A socket got its label."""

    port: Port


@dataclass(frozen=True, slots=True)
class KnownSocket:
    """The socket has a label already; it keeps it."""

    port: Port


@dataclass(frozen=True, slots=True)
class OtherDisk:
    """Another disk of the device at a socket that has a label: it gets none of its own."""

    port: Port
    name: str


@dataclass(frozen=True, slots=True)
class OtherSocket:
    """The socket has another label than the one that was asked for: it keeps it."""

    port: Port


@dataclass(frozen=True, slots=True)
class Stranger:
    """The socket that was asked for has both its halves, and this is neither: it gets no label."""

    port: Port
    name: str


Answer = Taught | KnownSocket | OtherDisk | OtherSocket | Stranger


class Teaching:
    """The labels that were given so far.

    Args:
        labels: in the order in which sockets will be shown, each with the name of its hub, which
            may be empty.
        slots: whether the slots of a card reader get labels of their own. Without it a socket has
            one label, whatever is plugged in, for some sticks are several disks.
    """

    def __init__(self, labels: Mapping[str, str], *, slots: bool = False) -> None:
        self._hubs = dict(labels)
        self._labels = tuple(labels)
        self._slots = slots
        self._ports: list[Port] = []

    @property
    def next_label(self) -> str | None:
        """The label of the socket that is to be shown now; None when all were."""
        return None if self.is_complete else self._labels[len(self._ports)]

    @property
    def is_complete(self) -> bool:
        """Whether every label has its socket."""
        return len(self._ports) == len(self._labels)

    @property
    def port_map(self) -> PortMap:
        """The sockets that were shown, in the order of their labels."""
        return PortMap(tuple(self._ports))

    def see(self, name: str) -> Answer:
        """Take note that a stick was pushed in at a port.

        Raises:
            ValueError: when all labels are given, or it is no name of a port.
        """
        label = self.next_label
        if label is None:
            raise ValueError("every label has its socket")
        for port in self._ports:
            if port.name == name:
                return KnownSocket(port)
            if not self._slots and _is_same_socket(name, port.name):
                return OtherDisk(port, name)
        port = Port(name, label, hub=self._hubs[label])
        self._ports.append(port)
        return Taught(port)


class Joining:
    """A second round, with a stick of the other kind: each socket's other half gets its label too.

    Args:
        port_map: what the first round taught.
    """

    def __init__(self, port_map: PortMap) -> None:
        self._ports = list(port_map.ports)
        self._shown = 0

    @property
    def next_label(self) -> str | None:
        """The label of the socket that is to be shown now; None when all were."""
        return None if self.is_complete else self._ports[self._shown].label

    @property
    def is_complete(self) -> bool:
        """Whether every socket was shown again."""
        return self._shown == len(self._ports)

    @property
    def port_map(self) -> PortMap:
        """The sockets in their order, with the halves that were found so far."""
        return PortMap(tuple(self._ports))

    def see(self, name: str) -> Answer:
        """Take note that a stick was pushed in at a port.

        Raises:
            ValueError: when all sockets were shown, or it is no name of a port.
        """
        if self.is_complete:
            raise ValueError("every socket was shown again")
        asked_for = self._ports[self._shown]
        owner = next((port for port in self._ports if name in port.names), None)
        if owner is not None and owner is not asked_for:
            return OtherSocket(owner)
        if owner is None:
            for port in self._ports:
                if any(_is_same_socket(name, known) for known in port.names):
                    return OtherDisk(port, name)
            if asked_for.other_names:
                return Stranger(asked_for, name)
        self._shown += 1
        if owner is not None:
            return KnownSocket(owner)
        joined = replace(asked_for, other_names=(name,))
        self._ports[self._shown - 1] = joined
        return Taught(joined)


def without_usb2_half(port_map: PortMap) -> list[str]:
    """Labels of the sockets of which only the USB 3 half is known."""
    return [
        port.label
        for port in port_map.ports
        if all(controller_of_port(name)[1] for name in port.names)
    ]


def _is_same_socket(one: str, other: str) -> bool:
    return parse_port_name(one)[:2] == parse_port_name(other)[:2]
