"""Which files make a machine a station. Pure: where they go and what is in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from station.install.sysusers import STATION_USER, SYSUSERS_FILE, render_sysusers
from station.install.udev_rules import RULES_FILE, render_udev_rules
from station.install.unit import UNIT_FILE, ServiceOptions, render_unit
from station.usb.labels import PortMap
from station.usb.map_file import SITE_PORT_MAP, render_port_map
from station.usb.route import PortRoutes

RULES_PATH = PurePosixPath("/etc/udev/rules.d", RULES_FILE)
UNIT_PATH = PurePosixPath("/etc/systemd/system", UNIT_FILE)
SYSUSERS_PATH = PurePosixPath("/etc/sysusers.d", SYSUSERS_FILE)
LEDGER_PATH = Path("/var/lib/station/ledger.sqlite")

# In the order in which they are removed: first what the others make use of no more.
INSTALLED_PATHS = (UNIT_PATH, RULES_PATH, SYSUSERS_PATH, PurePosixPath(SITE_PORT_MAP))


@dataclass(frozen=True, slots=True)
class InstalledFile:
    """A file, before it is written.

    Attributes:
        path: where it goes, absolute.
        text: what is in it.
    """

    path: PurePosixPath
    text: str


def plan_files(
    port_map: PortMap,
    routes: Sequence[PortRoutes],
    *,
    python: Path,
    root: Path,
    tty: Path | None = None,
) -> tuple[InstalledFile, ...]:
    """Say what is to be written.

    Args:
        port_map: the taught ports.
        routes: the ways to them on this machine.
        python: the interpreter that has the station installed.
        root: folder that holds `profiles/` and `content_manifests/`.
        tty: virtual console that shows the dashboard; None for none.

    Raises:
        OperatorError: when a controller's path can't be written in a rule.
    """
    service = ServiceOptions(
        user=STATION_USER,
        python=python,
        root=root,
        port_map=SITE_PORT_MAP,
        ledger=LEDGER_PATH,
        tty=tty,
    )
    return (
        InstalledFile(SYSUSERS_PATH, render_sysusers()),
        InstalledFile(PurePosixPath(SITE_PORT_MAP), render_port_map(port_map)),
        InstalledFile(RULES_PATH, render_udev_rules(routes, STATION_USER)),
        InstalledFile(UNIT_PATH, render_unit(service)),
    )
