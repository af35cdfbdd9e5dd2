"""The foreign judges: programs that know FAT32 and the MBR and nothing of the station."""

import os
import re
import subprocess
from pathlib import Path

# What fsck.fat says of a volume with which nothing is wrong: its name and a count.
_CLEAN = re.compile(r"fsck\.fat [^\n]*\n[^\n]*: \d+ files, \d+/\d+ clusters\n")

_UTF8 = {"LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}


def run(*command: str | Path) -> bytes:
    """Output of a program that must succeed and must not complain."""
    result = subprocess.run(command, capture_output=True, check=False, env=_UTF8)
    assert (result.returncode, result.stderr) == (0, b""), result.stdout + result.stderr
    return result.stdout


def require_clean(volume: Path) -> None:
    """fsck.fat finds nothing to complain about: exit code 0 and not a line too many."""
    report = run("fsck.fat", "-n", volume).decode()

    assert _CLEAN.fullmatch(report), report


def mtools(tool: str, image: Path, offset_bytes: int, *arguments: str | Path) -> bytes:
    """Output of one of the mtools on the volume at an offset of an image."""
    return run(tool, "-i", f"{image}@@{offset_bytes}", *arguments)
