"""What the box's sticks are loaded with: a small bundle, and a profile that takes it."""

import os
import subprocess
import sys
from pathlib import Path

from tests.box.build import CHECKOUT
from tests.box.machine import GUEST_EXCHANGE, Machine

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


def install_bundle(machine: Machine, root: Path) -> Path:
    """Make a bundle of films in a folder of the host, and copy it to the guest's own disk.

    Args:
        machine: whose `GUEST_ROOT` it becomes.
        root: a new folder of the host.

    Returns:
        The folder of the bundle's files on the host.
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
    return films
