"""The programs that the station is measured against, and where they come from."""

import os
import shutil
import subprocess

from scripts.benchmarks import etcher
from station.errors import OperatorError

# By program, the Debian package that has it.
_PACKAGES = {
    "b3sum": "b3sum",
    "bmaptool": "bmap-tools",
    "cpio": "cpio",
    "f3probe": "f3",
    "f3read": "f3",
    "f3write": "f3",
    "mcopy": "mtools",
    "mkfs.ext4": "e2fsprogs",
    "mkfs.fat": "dosfstools",
    "mmdebstrap": "mmdebstrap",
    "node": "nodejs",
    "npm": "npm",
    "nwipe": "nwipe",
    "qemu-system-x86_64": "qemu-system-x86",
    "tar2sqfs": "squashfs-tools-ng",
}
_REMEDY = "as root, `scripts/bench --install` installs it"


def missing(*programs: str) -> str | None:
    """Why something can't be measured for want of programs; None when all are there.

    Args:
        programs: of `_PACKAGES`, or `etcher` for Etcher's engine.
    """
    for program in programs:
        if program == "etcher":
            if not etcher.is_installed():
                return f"etcher-sdk of npm is not installed; {_REMEDY}"
        elif shutil.which(program) is None:
            return f"{program} (Debian: {_PACKAGES[program]}) is not installed; {_REMEDY}"
    return None


def install_missing() -> None:
    """Install all of them: Debian packages with apt-get, Etcher's engine with npm.

    Raises:
        OperatorError: when that fails; apt-get or npm has said why.
    """
    packages = {_PACKAGES[name] for name in _PACKAGES if shutil.which(name) is None}
    try:
        if packages:
            subprocess.run(["apt-get", "update", "--quiet"], check=True)
            subprocess.run(
                ["apt-get", "install", "--quiet", "--yes", "--no-install-recommends", *packages],
                env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
                check=True,
            )
        if not etcher.is_installed():
            etcher.install()
    except (subprocess.CalledProcessError, FileNotFoundError) as error:
        raise OperatorError(
            f"the peers could not be installed: {error}",
            "What is missing is named in the table; the rest is measured without it.",
        ) from error
