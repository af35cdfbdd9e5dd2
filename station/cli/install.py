"""`station install` and `station uninstall`: what takes root, once, so that nothing else does."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

import station
from station.cli.console import out
from station.cli.options import Root
from station.device.sysfs import SYSFS
from station.errors import OperatorError
from station.install.files import InstalledFile, plan_files
from station.install.sysusers import STATION_USER
from station.install.writer import (
    apply,
    below,
    present_files,
    remove_files,
    require_open_to_all,
    retract,
    write_files,
)
from station.text import printable
from station.usb.labels import load_port_map
from station.usb.map_file import port_map_path
from station.usb.route import find_routes

_MACHINE = Path("/")

Destination = Annotated[
    Path,
    typer.Option(
        "--destdir",
        metavar="DIR",
        help="Write below DIR, as for a package; nothing of this machine is touched.",
        show_default="this machine",
    ),
]


def install(
    *,
    map_file: Annotated[
        Path | None,
        typer.Option(
            "--map",
            metavar="FILE",
            envvar="STATION_PORTS",
            help="Map of the taught ports; it is copied to /etc/station.",
            show_default="in the user's configuration folder",
        ),
    ] = None,
    root: Root = Path(),
    tty: Annotated[
        Path | None,
        typer.Option(
            metavar="TTY",
            help="Show the dashboard on this virtual console, such as /dev/tty8.",
            show_default="plain lines in the journal",
        ),
    ] = None,
    destination: Destination = _MACHINE,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be written, and write nothing.")
    ] = False,
) -> None:
    """Let the station run without root: udev rules, a user of its own, and a systemd unit.

    The taught ports' disks are given to the group `station`, and nothing but mass storage may live
    on these ports. Run it again after the ports were taught anew.
    """
    if tty is not None and tty.parent != Path("/dev"):
        raise OperatorError(f"{tty} is no console", "Name one such as /dev/tty8.")
    port_map = load_port_map(port_map_path(map_file))
    routes = [way for port in port_map.ports for way in find_routes(port, SYSFS)]
    python = Path(sys.executable)
    files = plan_files(port_map, routes, python=python, root=root.absolute(), tty=tty)
    if dry_run:
        _print_files(files, destination)
        return
    is_for_this_machine = destination == _MACHINE
    if is_for_this_machine:
        _require_root()
        # The interpreter, its environment and what it runs; then what that is to load.
        code = (python, python.parent, Path(station.__file__).parent)
        for needed in (*code, root, root / "profiles", root / "content_manifests"):
            require_open_to_all(needed)
    write_files(files, destination)
    if is_for_this_machine:
        apply()
    for file in files:
        out.print(printable(f"wrote {below(destination, file.path)}"))
    if is_for_this_machine:
        out.print(
            "Start it with: systemctl start station@PROFILE, at each boot: systemctl enable"
            " station@PROFILE"
        )
        out.print(f"Who runs `station run` by hand joins the group: adduser NAME {STATION_USER}")


def uninstall(
    *,
    destination: Destination = _MACHINE,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be removed, and remove nothing.")
    ] = False,
) -> None:
    """Take back what `station install` did; the user, its ledger and its logs stay."""
    if dry_run:
        for path in present_files(destination):
            out.print(printable(f"would remove {path}"))
        return
    is_for_this_machine = destination == _MACHINE
    if is_for_this_machine:
        _require_root()
    removed = remove_files(destination)
    if is_for_this_machine and removed:
        retract()
    for path in removed:
        out.print(printable(f"removed {path}"))
    if not removed:
        out.print("Nothing was installed.")


def _print_files(files: tuple[InstalledFile, ...], destination: Path) -> None:
    for file in files:
        out.print(printable(f"# ---- {below(destination, file.path)}"))
        for line in file.text.splitlines():
            out.print(printable(line))


def _require_root() -> None:
    if os.geteuid() != 0:
        raise OperatorError(
            "only root may do that",
            "Run it with sudo, and name your map: --map ~/.config/station/ports.toml. --dry-run"
            " shows what it would do.",
        )
