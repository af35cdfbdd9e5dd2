import os
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from station.ledger.process import ProcessIdentity, is_dead, this_process


def test_the_caller_is_alive() -> None:
    assert not is_dead(this_process(), this_process())


def test_the_start_is_what_the_kernel_says() -> None:
    start_s = this_process().start_ticks / os.sysconf("SC_CLK_TCK")

    assert psutil.boot_time() + start_s == pytest.approx(psutil.Process().create_time(), abs=2)


def test_a_process_id_that_was_given_to_another_process_is_dead() -> None:
    here = this_process()

    assert is_dead(replace(here, start_ticks=here.start_ticks - 1), here)


def test_a_process_of_an_earlier_boot_is_dead() -> None:
    here = this_process()

    assert is_dead(replace(here, boot_id="earlier"), here)


@pytest.mark.parametrize("boot_id", ["earlier", this_process().boot_id])
def test_of_a_process_on_another_host_nothing_is_certain(boot_id: str) -> None:
    here = this_process()
    elsewhere = ProcessIdentity("elsewhere", boot_id, here.pid, here.start_ticks - 1)

    assert not is_dead(elsewhere, here)


def test_a_killed_process_is_dead_before_and_after_its_parent_reaps_it() -> None:
    here = this_process()
    child = subprocess.Popen(["sleep", "1000"])
    stat = Path(f"/proc/{child.pid}/stat").read_text(encoding="ascii")
    identity = replace(here, pid=child.pid, start_ticks=int(stat.rpartition(")")[2].split()[19]))
    alive = not is_dead(identity, here)
    child.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    dead_as_zombie = is_dead(identity, here)
    child.wait()

    assert (alive, dead_as_zombie, is_dead(identity, here)) == (True, True, True)
