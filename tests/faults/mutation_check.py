"""Breaks the station on purpose, one thing at a time, and expects its tests to fail.

Works on a copy of the checkout; the checkout itself is never changed. See scripts/mutation-check.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from enum import StrEnum, unique
from pathlib import Path

from tests.faults.mutations import MUTATIONS, Mutation

ROOT = Path(__file__).parents[2]
# https://docs.pytest.org/en/stable/reference/exit-codes.html
_PASSED, _FAILED = 0, 1


@unique
class Fate(StrEnum):
    """What became of a mutation."""

    FOUND = "found"  # a test failed
    SURVIVED = "SURVIVED"  # all tests passed
    UNTRIED = "UNTRIED"  # the tests could not even be run


def copy_checkout(to: Path) -> None:
    """Copy what belongs to the checkout, also what was not committed yet."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout
    for name in os.fsdecode(listed).split("\0"):
        if name and (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)


def run_tests(checkout: Path, *selection: str) -> "subprocess.CompletedProcess[str]":
    """Run some tests of a copy, up to the first failure."""
    options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:randomly"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, *selection],
        cwd=checkout,
        # The copy's own code, and none that was compiled from another text a moment ago.
        env=os.environ | {"PYTHONPATH": str(checkout), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def try_mutation(mutation: Mutation, checkout: Path) -> tuple[Fate, str]:
    """Break one thing, run its tests, and put it right again.

    Returns:
        What became of it, and the line that says which test failed, or why it could not be tried.
    """
    try:
        before = mutation.apply(checkout)
    except ValueError as error:
        return Fate.UNTRIED, str(error)
    try:
        done = run_tests(checkout, *mutation.tests)
    finally:
        (checkout / mutation.path).write_text(before, encoding="utf-8")
    if done.returncode == _PASSED:
        return Fate.SURVIVED, ""
    # An error is a fixture that failed; tests that can't be collected end with another code.
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    if done.returncode != _FAILED or not failed:
        return Fate.UNTRIED, (done.stdout + done.stderr).strip().rpartition("\n")[2]
    return Fate.FOUND, failed[0].partition(" ")[2].partition(" - ")[0]


def tell(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a command of its own


def main() -> int:
    """Try all mutations, or those whose name holds a word.

    Returns:
        0 when the tests found each; 1 when one survived; 2 when one could not be tried.
    """
    parser = argparse.ArgumentParser(prog="mutation-check", description=__doc__)
    parser.add_argument("word", nargs="?", default="", help="only mutations that hold this word")
    word: str = parser.parse_args().word
    chosen = [mutation for mutation in MUTATIONS if word in mutation.name]
    fates: list[Fate] = []
    with tempfile.TemporaryDirectory(prefix="station-mutation-") as folder:
        checkout = Path(folder)
        copy_checkout(checkout)
        for selection in dict.fromkeys(mutation.tests for mutation in chosen):
            sound = run_tests(checkout, *selection)
            if sound.returncode != _PASSED:
                tell(f"{' '.join(selection)} does not pass unchanged:\n{sound.stdout}")
                return 2
        for mutation in chosen:
            began_s = time.monotonic()
            fate, by = try_mutation(mutation, checkout)
            fates.append(fate)
            tell(f"{fate:8}  {mutation.name:62}  {time.monotonic() - began_s:4.0f} s  {by}")
    tell(f"{fates.count(Fate.FOUND)} of {len(fates)} mutations were found")
    if Fate.UNTRIED in fates or not fates:
        return 2
    return 1 if Fate.SURVIVED in fates else 0


if __name__ == "__main__":
    sys.exit(main())
