"""What the box's sticks are loaded with: a small bundle, and a profile that takes it."""

import os
import subprocess
import sys
from pathlib import Path

from tests.box.build import CHECKOUT
from tests.box.machine import GUEST_EXCHANGE, Machine
from tests.box.sockets import Socket

GUEST_ROOT = Path("/srv/station")
"""The station's root folder on the guest."""
PROFILE = "box"
FILES = {
    "film.mp4": (6 << 20) + 1,
    "songs/가나다.mp3": 12_345,
    "songs/leer": 0,
    "notes.txt": 100,
}
"""The bundle's files, each with its size in bytes."""

_PROFILE_TEXT = """
[volume]
label = "BOX"
[drive]
min_capacity = "60MB"
[[bundle]]
manifest = "films"
"""


def make_bundle(root: Path) -> Path:
    """Make a bundle of films, with the profile that takes it, in a new folder of the host.

    Returns:
        The folder of the bundle's files.
    """
    films = root / "films"
    for name, size_bytes in FILES.items():
        (films / name).parent.mkdir(parents=True, exist_ok=True)
        (films / name).write_bytes(os.urandom(size_bytes))
    (root / "profiles").mkdir()
    (root / "profiles" / f"{PROFILE}.toml").write_text(_PROFILE_TEXT)
    (root / "content_manifests").mkdir()
    subprocess.run(
        [
            *(sys.executable, "-m", "station", "manifest", "create", films),
            *("-o", root / "content_manifests" / "films.json"),
        ],
        check=True,
        cwd=CHECKOUT,
    )
    return films


def copy_bundle(machine: Machine, root: Path) -> None:
    """Copy what `make_bundle` made to the guest's own disk, as its `GUEST_ROOT`."""
    # The station's own user is to read it there, whoever owns it and whatever umask rules here.
    subprocess.run(
        [
            *("tar", "-cf", machine.exchange / "root.tar", "--owner=0", "--group=0"),
            *("--mode=u=rwX,go=rX", f"--directory={root}", "."),
        ],
        check=True,
    )
    machine.run("mkdir", "--parents", GUEST_ROOT)
    machine.run("tar", "-xf", GUEST_EXCHANGE / "root.tar", "-C", GUEST_ROOT)


def install_bundle(machine: Machine, root: Path) -> Path:
    """Make a bundle in a new folder of the host and copy it to the guest; returns its files."""
    films = make_bundle(root)
    copy_bundle(machine, root)
    return films


def sums_of(films: Path) -> list[str]:
    """What `b3sum` on the host says of a bundle's files, sorted."""
    said = subprocess.run(
        ["b3sum", *FILES], cwd=films, check=True, capture_output=True, text=True
    ).stdout
    return sorted(said.splitlines())


def mounted_sums(machine: Machine, socket: Socket) -> list[str]:
    """What `b3sum` in the guest says of the files on a stick, sorted.

    Raises:
        GuestCommandError: when the stick can't be mounted.
    """
    partition = f"{socket.disk}-part1"
    machine.run("udevadm", "wait", "--timeout=60", partition)
    machine.run("mount", "-t", "vfat", "-o", "ro,utf8", partition, "/mnt")
    try:
        said = machine.run("sh", "-c", "cd /mnt && find * -type f -exec b3sum {} +")
    finally:
        machine.run("umount", "/mnt")
    return sorted(said.splitlines())
