"""What is left of a measurement that is broken off."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from scripts.benchmarks.stopping import stop_on_signals
from scripts.benchmarks.workbench import in_new_process

_PATIENCE_S = 60.0


def measure_for_ever(started: Path) -> None:
    """What a benchmark does in a process of its own: run a program, and wait for it."""
    with subprocess.Popen(["sleep", "infinity"]):
        started.touch()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_ends_at_once_with_all_that_it_started(
    tmp_path: Path, number: signal.Signals
) -> None:
    started = tmp_path / "started"
    with subprocess.Popen(
        [sys.executable, "-m", "tests.speed.test_stopping", started], stderr=subprocess.DEVNULL
    ) as run_under_way:
        await_true(started.exists)
        family = psutil.Process(run_under_way.pid).children(recursive=True)
        names = {member.name() for member in family}
        run_under_way.send_signal(number)
        run_under_way.wait(_PATIENCE_S)

    assert "sleep" in names
    await_true(lambda: not any(map(lives, family)))


def lives(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def await_true(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + _PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


if __name__ == "__main__":
    stop_on_signals()
    in_new_process(measure_for_ever, Path(sys.argv[1]))
