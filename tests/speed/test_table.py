from pathlib import Path

import pytest

from scripts.benchmarks.content import make_films
from scripts.benchmarks.hub import Stick
from scripts.benchmarks.sticks import Speed
from scripts.benchmarks.table import run_table
from station.units import MIB

SPEED = Speed(400, 400)


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


def test_every_stick_of_a_measured_table_passes_and_is_timed(tmp_path: Path, ledger: Path) -> None:
    sticks = [Stick(f"port-{n}", 40 * MIB, SPEED) for n in range(3)]

    run = run_table(sticks, make_films(tmp_path, 20 * MIB), tmp_path, ledger)

    assert set(run.stick_s) == {"port-0", "port-1", "port-2"}
    # Faster than their speed allows would mean that something was left out.
    assert min(run.stick_s.values()) >= 2 * 40 * MIB / 400e6
    assert run.total_s >= max(run.stick_s.values())
    assert 0 < run.dashboard_cpu_s < run.cpu_s
