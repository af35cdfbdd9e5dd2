"""The udev rules of an installed station, as text.

They do three things, on the taught ports and nowhere else:

- give the disks there to the group of the station, so that it needs no root;
- keep everything else off these disks: automounters, and whatever would put arrays or volume groups
  found on a donated stick together;
- let no interface live there but mass storage, so that a stick which is also a keyboard can't type.

For the third, new interfaces on the buses concerned start out unauthorised, and the rules let in
those that may live. A keyboard on another port of such a bus is let in like any other device.

Sources: udev(7); Linux, Documentation/usb/authorization.rst; udisks(8).
"""

import re
from collections.abc import Iterable, Sequence

from station.errors import OperatorError
from station.text import printable
from station.usb.route import BusRoute, PortRoutes

# After 60-persistent-storage, which looks for file systems, and before 64-md-raid-assembly,
# 69-lvm and 80-udisks2, which act on what it found.
RULES_FILE = "61-station.rules"

# What has no meaning in a rule, neither as a pattern nor as a substitution.
_PLAIN_PATH = re.compile(r"/devices/[\w:.@/-]+")
_PLAIN_NAME = re.compile(r"[\w:.@/-]+")

_ROOT_HUB = 'KERNELS=="usb[0-9]*"'
# Speeds of the root hubs of USB 1 and USB 2, in megabits per second.
_USB2_SPEEDS = "480|12"

_HEAD = """\
# Written by `station install`; it is written anew each time. `station uninstall` removes it.

ACTION=="remove", GOTO="station_end"
SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_device", GOTO="station_bus"
SUBSYSTEM=="usb", ENV{DEVTYPE}=="usb_interface", ACTION=="add", GOTO="station_interface"
SUBSYSTEM=="block", GOTO="station_disk"
GOTO="station_end"

LABEL="station_bus"
# What is plugged in at one of these buses is off until a rule below lets it in.
"""
_INTERFACES = """
GOTO="station_end"

LABEL="station_interface"
"""
_INTERFACE_TAIL = """
# Mass storage is class 08.
ENV{STATION_PORT}=="?*", ATTR{bInterfaceClass}!="08", ATTR{authorized}="0", GOTO="station_end"
# Elsewhere on these buses everything may live, as without a station.
DRIVER=="", ATTR{authorized}="1", RUN+="@probe@"
GOTO="station_end"

LABEL="station_disk"
"""
_DISK_TAIL = """
ENV{STATION_PORT}=="", GOTO="station_end"
GROUP="@group@", MODE="0660", TAG-="uaccess"
ENV{UDISKS_IGNORE}="1"
# As if nothing were on it: then nothing is put together or mounted from it.
ENV{ID_FS_TYPE}="", ENV{ID_FS_USAGE}=""

LABEL="station_end"
"""
# The kernel looks for a driver when an interface appears, not when it is let in later.
_PROBE = "/bin/sh -c 'echo $kernel >/sys/bus/usb/drivers_probe'"


def render_udev_rules(ports: Sequence[PortRoutes], group: str) -> str:
    """Write the rules for the taught ports.

    Args:
        ports: the taught ports and the ways to them.
        group: who gets their disks.

    Raises:
        OperatorError: when a controller's path can't be written in a rule.
    """
    for port in ports:
        _require_plain(port)
    controllers = sorted({route.controller_path for port in ports for route in port.routes})
    buses = "|".join(f"{path}/usb[0-9]*" for path in controllers)
    lines = [
        _HEAD,
        f'KERNEL=="usb[0-9]*", DEVPATH=="{buses}", ATTR{{interface_authorized_default}}="0"',
        _INTERFACES,
        f'DEVPATH!="{buses}", GOTO="station_end"\n',
        *_unique(_interface_rule(port, route) for port in ports for route in port.routes),
        _INTERFACE_TAIL.replace("@probe@", _PROBE),
        *_unique(_disk_rule(port, route) for port in ports for route in port.routes),
        _DISK_TAIL.replace("@group@", group),
    ]
    return "".join(lines)


def _interface_rule(port: PortRoutes, route: BusRoute) -> str:
    """Recognise the interfaces of a device in a socket, but not those below a hub in it."""
    # All slots of a card reader are one device, and what may live there is one question.
    name = port.name.removesuffix(port.unit.suffix)
    return _rule(route, f"{_device(route)}:[0-9]*", name)


def _disk_rule(port: PortRoutes, route: BusRoute) -> str:
    """Recognise one disk of a device in a socket, and its partitions."""
    unit = port.unit
    interface = f":[0-9]*.{unit.interface}"
    return _rule(
        route,
        f"{_device(route)}{interface}/host*/target*/*:{unit.target}:{unit.lun}/block/*",
        port.name,
    )


def _device(route: BusRoute) -> str:
    """The path up to the colon of an interface; bus numbers are other ones in each boot."""
    chain = ".".join(map(str, route.chain))
    # An asterisk matches a slash as well, and so all hubs in between.
    return f"{route.controller_path}/usb[0-9]*/[0-9]*-{chain}/[0-9]*-{chain}"


def _rule(route: BusRoute, pattern: str, name: str) -> str:
    # The same chain may be another socket on the other bus.
    operator = "!=" if route.is_usb3 else "=="
    return (
        f'DEVPATH=="{pattern}", {_ROOT_HUB}, ATTRS{{speed}}{operator}"{_USB2_SPEEDS}",'
        f' ENV{{STATION_PORT}}="{name}"\n'
    )


def _unique(lines: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(lines))


def _require_plain(port: PortRoutes) -> None:
    for route in port.routes:
        if not _PLAIN_PATH.fullmatch(route.controller_path) or not _PLAIN_NAME.fullmatch(port.name):
            raise OperatorError(
                f"port {printable(port.label)} is on {printable(route.controller_path)},"
                " which can't be written in a udev rule",
                "Use a port of another controller.",
            )
