"""Where the map of the taught ports lies, and how it is written."""

import json
from pathlib import Path

from station.content.atomic import write_atomically
from station.errors import OperatorError
from station.usb.labels import PortMap, default_port_map, load_port_map

# The map of a station that was installed for everybody on the machine: see `station install`.
SITE_PORT_MAP = Path("/etc/station/ports.toml")

_HEADING = """\
# The sockets in the order in which they stand on the table, by `station ports teach`.
# A path is the controller and the chain of port numbers below it."""


def port_map_path(named: Path | None = None) -> Path:
    """The map that is used: the named one, else the user's own, else the machine's.

    When there is none at all, the user's own: that is where it would be.
    """
    if named is not None:
        return named
    own = default_port_map()
    return SITE_PORT_MAP if SITE_PORT_MAP.exists() and not own.exists() else own


def find_port_map(named: Path | None = None) -> PortMap:
    """Read the map that is used; an empty one when no ports were taught.

    Raises:
        OperatorError: when the map can't be read, or a named one is missing.
    """
    path = port_map_path(named)
    return load_port_map(path) if named is not None or path.exists() else PortMap()


def render_port_map(port_map: PortMap) -> str:
    """Write a map as TOML; `parse_port_map` reads the same map back."""
    # TOML's basic strings and arrays are JSON's, but for DEL, which no label holds.
    lines = [_HEADING]
    for port in port_map.ports:
        path = list(port.names) if port.other_names else port.name
        lines += ["", "[[port]]", f"label = {_toml(port.label)}", f"path = {_toml(path)}"]
        if port.hub:
            lines.append(f"hub = {_toml(port.hub)}")
    return "\n".join([*lines, ""])


def _toml(value: str | list[str]) -> str:
    return json.dumps(value, ensure_ascii=False)


def save_port_map(path: Path, port_map: PortMap) -> None:
    """Write a map so that it is there either in full or not at all.

    Raises:
        OperatorError: when it can't be written; a map that was there is as it was.
    """
    require_folder(path)
    write_atomically(path, render_port_map(port_map))


def require_folder(path: Path) -> None:
    """Make the folder of a map where it is missing.

    Raises:
        OperatorError: when it can't be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OperatorError(
            f"{path.parent} can't be made: {error.strerror}", "Name another file with --map."
        ) from error
