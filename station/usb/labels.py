"""The map of the sockets on the table: what people call each port.

    [[port]]                        # in the order in which the sockets stand on the table
    label = "A1"
    path = "0000:00:14.0/1.4.3"     # or both halves of the socket: ["…/1.4.3", "…/usb3/2.4.3"]
    hub = "left"                    # may be left out: then hubs are told apart by their root port

A path is the name that `usb/topology` gives to the socket.
"""

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from station.errors import OperatorError
from station.text import printable

LONGEST_LABEL = 16
# Room for a range of labels, which a hub is called by where nobody gave it another name.
_LONGEST_HUB = 40
# A socket is on two buses at the most.
_MOST_PATHS = 2
_LARGEST_MAP_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Port:
    """A socket that has a tile.

    Attributes:
        name: sysfs path below the controller, or a virtual name; unique.
        label: what people call it; the name itself until the port was taught.
        other_names: of the socket's other half, where the kernel doesn't know both for one.
        hub: what people call the hub that it belongs to; empty where nobody said.
    """

    name: str
    label: str
    other_names: tuple[str, ...] = ()
    hub: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """All names of the socket."""
        return (self.name, *self.other_names)


def default_port_map() -> Path:
    """The map in the user's configuration folder."""
    return Path(platformdirs.user_config_dir("station"), "ports.toml")


@dataclass(frozen=True, slots=True)
class PortMap:
    """The taught ports, in the order in which they stand on the table."""

    ports: tuple[Port, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """All names of all taught ports."""
        return frozenset(name for port in self.ports for name in port.names)


# Controllers: letters, digits and `:.-_@/`; then the chain; then which disk of the device.
_Path = Annotated[str, Field(pattern=r"^[\w:.@/-]+/\d+(\.\d+)*(:[a-z]+\d+)*$", max_length=512)]


class _PortEntry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    label: Annotated[str, Field(min_length=1, max_length=LONGEST_LABEL)]
    path: Annotated[list[_Path], Field(min_length=1, max_length=_MOST_PATHS)]
    hub: Annotated[str, Field(max_length=_LONGEST_HUB)] = ""

    @field_validator("path", mode="before")
    @classmethod
    def _as_list(cls, path: object) -> object:
        return [path] if isinstance(path, str) else path


class _MapFile(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    port: Annotated[list[_PortEntry], Field(min_length=1)]


def load_port_map(path: Path) -> PortMap:
    """Read a port map.

    Raises:
        OperatorError: when the file can't be read, is no port map, or names a port or label twice.
    """
    try:
        if path.stat().st_size > _LARGEST_MAP_BYTES:
            raise OperatorError(f"{path} is too large for a port map", "Name another file.")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise OperatorError(
            f"the port map {path} can't be read: {error.strerror}",
            "Teach the ports with `station ports teach`, or name another file.",
        ) from error
    except UnicodeDecodeError as error:
        raise OperatorError(f"{path} is no UTF-8 text", "Save it as UTF-8.") from error
    return parse_port_map(text, source=str(path))


def parse_port_map(text: str, source: str) -> PortMap:
    """Read the text of a port map.

    Args:
        text: the TOML text.
        source: what to call it in an error.

    Raises:
        OperatorError: when it is no port map, or names a port or label twice.
    """
    try:
        entries = _MapFile.model_validate(_toml(text, source)).port
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise OperatorError(
            f"{source}: {_key(first['loc'])}: {first['msg'].lower()}",
            'Write each port as [[port]] with label = "A1" and path = "0000:00:14.0/1.4.3".',
        ) from error
    for number, entry in enumerate(entries, start=1):
        for key, name in (("label", entry.label), ("hub", entry.hub)):
            if name != printable(name) or name != name.strip():
                raise OperatorError(
                    f"{source}: port {number}: the {key} {name!r} can't be shown",
                    "Use plain letters and digits.",
                )
    _require_unique(source, "label", ((entry.label,) for entry in entries))
    _require_unique(source, "path", (entry.path for entry in entries))
    return PortMap(
        tuple(
            Port(entry.path[0], entry.label, tuple(entry.path[1:]), entry.hub) for entry in entries
        )
    )


def _toml(text: str, source: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise OperatorError(f"{source} is nested too deeply", "A port has two keys.") from None
    except ValueError as error:
        # Also of a number with more digits than Python reads.
        raise OperatorError(
            f"{source} is no TOML: {printable(str(error))}", "Correct the line."
        ) from error


def _require_unique(source: str, key: str, entries: Iterable[Sequence[str]]) -> None:
    """Pass values, some for each port, of which none comes twice."""
    first_use: dict[str, int] = {}
    for number, values in enumerate(entries, start=1):
        for value in values:
            if value in first_use:
                raise OperatorError(
                    f"{source}: ports {first_use[value]} and {number} have the same {key}"
                    f" {value!r}",
                    "Give each socket its own entry.",
                )
            first_use[value] = number


def _key(location: tuple[int | str, ...]) -> str:
    """Where in the file: `port 3, label`; ports are counted from 1, as people do."""
    parts = [str(part + 1) if isinstance(part, int) else part for part in location]
    match parts:
        case ["port", number, key, *_]:
            return f"port {number}, {key}"
        case ["port", number]:
            return f"port {number}"
        case _:
            return ".".join(parts) or "the file"
