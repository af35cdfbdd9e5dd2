"""The guest's udev."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.box.machine import Machine


@contextmanager
def without_udev(machine: Machine) -> Iterator[None]:
    """Nobody takes note of a disk that is closed."""
    udev = ("systemd-udevd.service", "systemd-udevd-control.socket", "systemd-udevd-kernel.socket")
    machine.run("systemctl", "stop", *udev)
    try:
        yield
    finally:
        machine.run("systemctl", "start", *udev)
