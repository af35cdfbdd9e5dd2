"""The first thing that a newcomer types."""

import os
import re
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]


def commands() -> list[str]:
    """The commands at the head of the README, without their comments."""
    lines = (REPOSITORY / "README.md").read_text(encoding="utf-8").splitlines()
    shown = [line.split("#")[0].strip() for line in lines if line.startswith("    scripts/")]
    return shown[:2]


def test_the_readme_opens_with_the_two_commands() -> None:
    assert commands() == ["scripts/station run --profile sample --virtual 8", "scripts/test"]


def test_the_first_command_works_in_a_home_where_nothing_is_yet(tmp_path: Path) -> None:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("XDG", "STATION"))
    }
    ended = subprocess.run(
        commands()[0].split(),
        cwd=REPOSITORY,
        env=environment | {"HOME": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )

    # A counterfeit is among them, and one that is pulled: not all pass.
    assert ended.returncode == 1, ended.stderr
    assert "7 passed, 2 failed, 0 refused" in ended.stdout
    assert re.search(r"port-2 .* FAIL fake_capacity", ended.stdout)
    assert re.search(r"port-3 .* FAIL removed", ended.stdout)
    assert re.search(r"port-3 .* PASS", ended.stdout)
    assert (tmp_path / ".local/share/station/virtual-ledger.sqlite").exists()
    assert not (tmp_path / ".local/share/station/ledger.sqlite").exists()
