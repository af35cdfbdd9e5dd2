"""A station on a small scale, run by its command line: here or in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from blake3 import blake3

from station.cli.app import main
from station.hotplug.virtual import make_donated_image
from station.ledger.ledger import Ledger
from station.ledger.records import JobFilter, JobRow
from tests.job.workshop import CONTENT, STICK_BYTES, plant

REPOSITORY = Path(__file__).parents[2]
PROFILE = """\
[volume]
label = "FILMS"
[drive]
min_capacity = "35MB"
max_capacity = "110MB"
[[bundle]]
manifest = "films"
"""


def call(*arguments: str | Path | int) -> int:
    """Run `station` in this process; gives its exit code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["station", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


def manifest_json(name: str, contents: Mapping[str, bytes]) -> str:
    files = [
        {"path": path, "size": len(content), "blake3": blake3(content).hexdigest()}
        for path, content in sorted(contents.items())
    ]
    listed = {"format": 1, "name": name, "folder": f"files/{name}", "files": files}
    return json.dumps(listed, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class SmallStation:
    """A folder with a profile `films`, its bundle, and room for images and a ledger."""

    root: Path

    @classmethod
    def make(cls, root: Path) -> "SmallStation":
        (root / "profiles").mkdir(parents=True)
        (root / "profiles/films.toml").write_text(PROFILE)
        plant(root / "content_manifests/files/films", CONTENT)
        manifest = manifest_json("films", CONTENT)
        (root / "content_manifests/films.json").write_text(manifest, encoding="utf-8")
        return cls(root)

    @property
    def ledger(self) -> Path:
        return self.root / "ledger.sqlite"

    def image(self, name: str = "stick.img", capacity_bytes: int = STICK_BYTES) -> Path:
        """An image file of a stick as a donor gave it."""
        path = self.root / name
        make_donated_image(path, capacity_bytes)
        return path

    def common(self, *, profile: str = "films", ledger: bool = True) -> list[str]:
        """The options that say with what to work."""
        options = ["--root", str(self.root), "--profile", profile]
        return [*options, "--ledger", str(self.ledger)] if ledger else options

    def start(self, *arguments: str | Path, fast: bool = False) -> "subprocess.Popen[str]":
        """Run `station` in a process of its own.

        Args:
            arguments: of the command line.
            fast: whether the simulated sticks of `--virtual` are small and fast ones.
        """
        module = "tests.cli.fast_station" if fast else "station"
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            cwd=REPOSITORY,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )

    def rows(self) -> list[JobRow]:
        with Ledger.open(str(self.ledger), read_only=True) as ledger:
            return list(ledger.jobs(JobFilter()))

    def fingerprint(self) -> dict[str, str]:
        """Every file below the root with its content."""
        return {
            str(path.relative_to(self.root)): blake3(path.read_bytes()).hexdigest()
            for path in sorted(self.root.rglob("*"))
            if path.is_file()
        }


def sector_0(image: Path) -> bytes:
    with image.open("rb") as file:
        return file.read(512)


def events_of(output: str) -> list[dict[str, object]]:
    """The objects of `--view json`."""
    return [json.loads(line) for line in output.splitlines()]
