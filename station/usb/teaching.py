"""Teaching: which socket gets which label, from where sticks are pushed in. Does no I/O."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from station.errors import OperatorError
from station.text import printable
from station.usb.labels import LONGEST_LABEL, Port, PortMap
from station.usb.topology import parse_port_name

_RANGE = re.compile(r"(?P<prefix>.*?)(?P<first>\d{1,4})-(?P=prefix)?(?P<last>\d{1,4})", re.ASCII)
_MOST_LABELS = 256


def parse_labels(text: str) -> tuple[str, ...]:
    """Read labels as people write them: `A1-A4,B1,left` is A1, A2, A3, A4, B1 and left.

    Raises:
        OperatorError: when one is empty, too long, can't be shown or comes twice, and when there
            are none or too many.
    """
    labels: list[str] = []
    for part in text.split(","):
        labels += _expand(part.strip())
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
    return tuple(labels)


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


Answer = Taught | KnownSocket | OtherDisk


class Teaching:
    """The labels that were given so far.

    Args:
        labels: in the order in which sockets will be shown; each once.
        slots: whether the slots of a card reader get labels of their own. Without it a socket has
            one label, whatever is plugged in, for some sticks are several disks.
    """

    def __init__(self, labels: Sequence[str], *, slots: bool = False) -> None:
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
            if not self._slots and parse_port_name(port.name)[:2] == parse_port_name(name)[:2]:
                return OtherDisk(port, name)
        port = Port(name, label)
        self._ports.append(port)
        return Taught(port)
