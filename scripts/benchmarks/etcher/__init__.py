"""Etcher's engine, `etcher-sdk` of npm, which is installed outside of the checkout."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from platformdirs import user_cache_path

from scripts.benchmarks.usage import Cost

_HERE = Path(__file__).parent
_PROGRAM = "flash.js"
# Its own dependencies are asked for, two apart: unbzip2-stream is a fork on GitHub, which not every
# network reaches, and the newest traverse of its line wants a package that the registry lacks. Both
# unpack compressed images, which no benchmark has.
_PACKAGES = "package.json"
# Of all native modules the one that a plain image needs and that is not delivered ready-made.
_NATIVE = "@ronomon/direct-io"


def folder() -> Path:
    """Where it is installed, in the user's cache folder; named by what is asked for."""
    digest = hashlib.sha256((_HERE / _PACKAGES).read_bytes()).hexdigest()
    return user_cache_path("station-bench") / f"etcher-{digest[:16]}"


def is_installed() -> bool:
    """Whether it can be run."""
    return shutil.which("node") is not None and (folder() / _PROGRAM).exists()


def install() -> None:
    """Install it with npm; the scripts of its 200 packages are not run, one apart.

    Raises:
        subprocess.CalledProcessError: when npm fails; it has said why.
    """
    place = folder()
    place.mkdir(parents=True, exist_ok=True)
    shutil.copy(_HERE / _PACKAGES, place)
    subprocess.run(
        ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=place, check=True
    )
    subprocess.run(["npm", "rebuild", _NATIVE], cwd=place, check=True)
    # Last, for it says that all is there.
    shutil.copy(_HERE / _PROGRAM, place)


def flash(image: Path, nodes: Sequence[Path]) -> Cost:
    """Write an image to all devices at once and verify them, as Etcher does.

    Returns:
        What it took, without starting Node.js.

    Raises:
        subprocess.CalledProcessError: when a device does not pass.
    """
    program = subprocess.run(
        ["node", folder() / _PROGRAM, image, *nodes], check=True, stdout=subprocess.PIPE, text=True
    )
    return Cost(**json.loads(program.stdout))
