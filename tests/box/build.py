"""Builds what the box boots: Debian's own kernel and packages, the station's Python packages.

Needs mmdebstrap, squashfs-tools-ng and cpio, but no root. What was built is kept in the user's
cache folder under the digest of its recipe, so that it is built once.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

SUITE = "bookworm"
PYTHON = "3.11"
"""Python of that suite; the guest's packages are built for it, whatever runs on the host."""

CHECKOUT = Path(__file__).resolve().parents[2]
_RECIPE = Path(__file__).with_name("recipe")
_KEPT_UNUSED_S = 14 * 24 * 3600
_LOCK = CHECKOUT / "scripts" / "locks" / "station.txt"


@dataclass(frozen=True, slots=True)
class BoxImage:
    """Files that a machine boots from; none of them is ever written to."""

    kernel: Path
    initramfs: Path
    system: Path
    environment: Path


class BuildError(RuntimeError):
    """A tool of the build failed; the text is what it said."""


def cache_folder() -> Path:
    """`station-box` in the user's cache folder, or what STATION_BOX_CACHE names."""
    return Path(os.environ.get("STATION_BOX_CACHE") or user_cache_path("station-box"))


def build_box() -> BoxImage:
    """Return the box's files, after building what the cache does not hold yet.

    Raises:
        BuildError: when a package can't be had or a tool failed.
    """
    cache = cache_folder()
    system = _cached(
        cache, "system", _digest(Path(__file__), *_files_below(_RECIPE)), _build_system
    )
    environment = _cached(cache, "environment", _digest(Path(__file__), _LOCK), _build_environment)
    return BoxImage(
        kernel=system / "vmlinuz",
        initramfs=system / "initramfs",
        system=system / "system.squashfs",
        environment=environment / "environment.squashfs",
    )


def _build_system(folder: Path) -> None:
    packages = ",".join(_lines(_RECIPE / "packages"))
    command = [
        "mmdebstrap",
        "--quiet",
        "--variant=essential",
        f"--include={packages}",
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in _lines(_RECIPE / "excluded")),
        f'--customize-hook={_RECIPE / "customize"} "$1"',
        f"--customize-hook=download /boot/vmlinuz {folder / 'vmlinuz'}",
        f"--customize-hook=download /boot/initramfs {folder / 'initramfs'}",
        SUITE,
        "-",
    ]
    # The distribution's initramfs would be thrown away.
    _pack(command, folder / "system.squashfs", environment={**os.environ, "INITRD": "No"})


def _build_environment(folder: Path) -> None:
    packages = folder / "packages"
    platforms = [f"manylinux_2_{minor}_x86_64" for minor in range(36, 4, -1)]
    _run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--python-version", PYTHON, "--implementation", "cp", "--only-binary", ":all:"),
            *(word for platform in platforms for word in ("--platform", platform)),
            *("--require-hashes", "--no-deps", "--requirement", str(_LOCK)),
            *("--target", str(packages)),
        ]
    )
    _pack(
        ["tar", "--create", f"--directory={packages}", "--owner=0", "--group=0", "."],
        folder / "environment.squashfs",
    )
    shutil.rmtree(packages)


def _pack(tar: list[str], image: Path, environment: dict[str, str] | None = None) -> None:
    # lz4 is what an emulated processor unpacks fastest.
    command = ["tar2sqfs", "--quiet", "--compressor", "lz4", str(image)]
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(tar, stdout=subprocess.PIPE, stderr=said, env=environment) as source,
    ):
        packed = subprocess.run(command, stdin=source.stdout, stdout=said, stderr=said, check=False)
        if source.wait() != 0 or packed.returncode != 0:
            said.seek(0)
            raise BuildError(f"{tar[0]} | {command[0]}: {said.read().decode(errors='replace')}")


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(f"{' '.join(command)}: {done.stderr}")


def _cached(cache: Path, name: str, digest: str, build: Callable[[Path], None]) -> Path:
    folder = cache / f"{name}-{digest[:16]}"
    with _locked(cache, name):
        if folder.exists():
            os.utime(folder)
        else:
            _prune(cache, name)
            unfinished = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=cache))
            try:
                build(unfinished)
                # What has the final name is complete: nothing gets it in another way.
                unfinished.rename(folder)
            except BaseException:
                shutil.rmtree(unfinished)
                raise
    return folder


def _prune(cache: Path, name: str) -> None:
    oldest_s = time.time() - _KEPT_UNUSED_S
    for folder in cache.glob(f"{name}-*"):
        if folder.stat().st_mtime < oldest_s:
            shutil.rmtree(folder)


@contextmanager
def _locked(cache: Path, name: str) -> Iterator[None]:
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _files_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _digest(*paths: Path) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path.relative_to(CHECKOUT)}\0{path.stat().st_mode:o}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
