"""Writes an installation and takes it back; tells the system's services."""

import stat
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from station.content.atomic import write_atomically
from station.device.sysfs import SYSFS
from station.errors import OperatorError, StationFaultError
from station.install.files import INSTALLED_PATHS, SYSUSERS_PATH, InstalledFile
from station.text import printable
from station.usb.tree import root_hubs

Runner = Callable[[Sequence[str]], None]

# The user first: udev knows no group that isn't there when it reads its rules.
APPLY_COMMANDS: tuple[tuple[str, ...], ...] = (
    ("systemd-sysusers", str(SYSUSERS_PATH)),
    ("udevadm", "control", "--reload"),
    ("systemctl", "daemon-reload"),
    # Hubs before what is plugged in at them, and interfaces before their disks.
    ("udevadm", "trigger", "--action=add", "--subsystem-match=usb", "--settle"),
    ("udevadm", "trigger", "--action=add", "--subsystem-match=block", "--settle"),
)
RETRACT_COMMANDS: tuple[tuple[str, ...], ...] = (
    ("udevadm", "control", "--reload"),
    ("systemctl", "daemon-reload"),
    ("udevadm", "trigger", "--action=add", "--subsystem-match=block", "--settle"),
)


def run_command(words: Sequence[str]) -> None:
    """Run a system tool.

    Raises:
        StationFaultError: when it is missing or fails.
    """
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words, no shell
    except OSError as error:
        raise StationFaultError(
            f"{words[0]} can't be run: {error.strerror}", "Install systemd and udev."
        ) from error
    if done.returncode != 0:
        said = printable(done.stderr.strip().replace("\n", "; "))
        raise StationFaultError(
            f"`{' '.join(words)}` failed: {said}", "Then run the command again."
        )


def write_files(files: Sequence[InstalledFile], destination: Path) -> None:
    """Write each file below `destination`, which is `/` on the machine itself.

    Raises:
        OperatorError: when one can't be written.
    """
    for file in files:
        path = below(destination, file.path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OperatorError(
                f"{path.parent} can't be made: {error.strerror}", "Run it as root: sudo."
            ) from error
        write_atomically(path, file.text)


def present_files(destination: Path) -> tuple[Path, ...]:
    """What of an installation is there below `destination`."""
    paths = (below(destination, installed) for installed in INSTALLED_PATHS)
    return tuple(path for path in paths if path.exists())


def remove_files(destination: Path) -> tuple[Path, ...]:
    """Remove what was installed below `destination`.

    Returns:
        What was there, and is no more.

    Raises:
        OperatorError: when one can't be removed.
    """
    removed: list[Path] = []
    for installed in INSTALLED_PATHS:
        path = below(destination, installed)
        try:
            path.unlink()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise OperatorError(
                f"{path} can't be removed: {error.strerror}", "Run it as root: sudo."
            ) from error
        removed.append(path)
    return tuple(removed)


def apply(run: Runner = run_command) -> None:
    """Let the system's services take up what was written.

    Raises:
        StationFaultError: when one of them doesn't.
    """
    for words in APPLY_COMMANDS:
        run(words)


def retract(run: Runner = run_command, sysfs: Path = SYSFS) -> None:
    """Let them forget it, and let every USB interface live again.

    Raises:
        StationFaultError: when that fails.
    """
    for words in RETRACT_COMMANDS:
        run(words)
    try:
        authorize_everything(sysfs)
    except OSError as error:
        raise StationFaultError(
            f"USB interfaces can't be authorised: {error.strerror}", "Restart the machine."
        ) from error


def authorize_everything(sysfs: Path = SYSFS) -> None:
    """Let new USB interfaces live by themselves, and those that were kept off.

    Raises:
        OSError: when the kernel doesn't take it.
    """
    for hub in root_hubs(sysfs):
        (hub / "interface_authorized_default").write_text("1", encoding="ascii")
        for switch in sorted(hub.rglob("*:*/authorized")):
            if switch.read_text(encoding="ascii").strip() == "0":
                switch.write_text("1", encoding="ascii")
                probe = sysfs / "bus" / "usb" / "drivers_probe"
                probe.write_text(switch.parent.name, encoding="ascii")


def require_open_to_all(path: Path) -> None:
    """Pass a file or folder that the station's own user can get at.

    Raises:
        OperatorError: when it, or a folder above it, is closed to other users.
    """
    resolved = path.resolve()
    for part in (resolved, *resolved.parents):
        mode = part.stat().st_mode
        needed = stat.S_IXOTH if part.is_dir() else stat.S_IROTH
        if not mode & needed:
            raise OperatorError(
                f"{part} is closed to the station's own user",
                "Move the station out of the home folder, such as to /opt/station, or open it:"
                f" chmod o+{'x' if part.is_dir() else 'r'} {part}",
            )


def below(destination: Path, path: PurePosixPath) -> Path:
    """Where an absolute path lies when `destination` stands for the root."""
    return destination / path.relative_to("/")
