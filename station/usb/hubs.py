"""Which neighbouring ports are one hub on the table. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from station.usb.bus import first_to_last
from station.usb.labels import Port
from station.usb.topology import parse_port_name


@dataclass(frozen=True, slots=True)
class HubOnTable:
    """Ports that stand side by side on the table because they are on one hub.

    Attributes:
        name: what people call it, or else its labels: `A1…A8`.
        size: how many ports.
    """

    name: str
    size: int


def hubs_on_table(ports: Sequence[Port]) -> tuple[HubOnTable, ...]:
    """Part the ports, in their order, into hubs.

    A hub is what the map calls one. Ports of which it says nothing belong together when they are
    below the same root port: hubs in one case are several to the kernel, one behind the other.
    """
    hubs: list[HubOnTable] = []
    for _, members in groupby(ports, key=_hub_of):
        together = list(members)
        name = together[0].hub or first_to_last([port.label for port in together])
        hubs.append(HubOnTable(name, len(together)))
    return tuple(hubs)


def _hub_of(port: Port) -> tuple[str, str, int]:
    if port.hub:
        return port.hub, "", 0
    try:
        controller, (root_port, *below), _ = parse_port_name(port.name)
    except ValueError:
        # A simulated port, or a target that was named.
        return "", "", 0
    # What is plugged into the computer itself stands together.
    return "", controller, root_port if below else 0
