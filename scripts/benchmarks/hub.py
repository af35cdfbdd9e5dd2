"""A hub whose sticks were prepared: their media have their memory before anything is measured."""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from scripts.benchmarks.sticks import Speed, allocate
from station.device.drive import Drive, DriveInfo
from station.device.simulated import SimulatedDrive
from station.hotplug.events import Inserted, PlugEvent, Port


@dataclass(frozen=True, slots=True)
class Stick:
    """A simulated stick.

    Attributes:
        port: name of its socket.
        capacity_bytes: its size.
        speed: how fast it is.
    """

    port: str
    capacity_bytes: int
    speed: Speed


class PreparedHub:
    """Simulated sticks that are all plugged in at once, and stay.

    Args:
        sticks: what is plugged in; each at a port of its own.
        folder: where their images are, or are made; none is written but by its drive.
        allocates: whether images that are made get their memory before they are needed.
    """

    def __init__(self, sticks: Sequence[Stick], folder: Path, *, allocates: bool = True) -> None:
        self._sticks = {stick.port: stick for stick in sticks}
        self._folder = folder
        self._has_told = False
        self._opened = ExitStack()
        for stick in sticks:
            if allocates and not self._image(stick).exists():
                allocate(self._image(stick), stick.capacity_bytes)

    @property
    def ports(self) -> Sequence[Port]:
        """The sockets."""
        return tuple(Port(name, name) for name in self._sticks)

    @property
    def exhausted(self) -> bool:
        """Whether all sticks were told of."""
        return self._has_told

    def poll(self, timeout_s: float) -> list[PlugEvent]:
        """Tell of all sticks, the first time; later just rest."""
        if self._has_told:
            time.sleep(timeout_s)
            return []
        self._has_told = True
        return [
            Inserted(
                DriveInfo(stick.port, stick.capacity_bytes, diskseq=number + 1, port=stick.port)
            )
            for number, stick in enumerate(self._sticks.values())
        ]

    def open(self, drive: DriveInfo) -> Drive:
        """Open a stick; there is nothing to judge."""
        stick = self._sticks[drive.port]
        opened = SimulatedDrive(
            self._image(stick), stick.capacity_bytes, speed=stick.speed.of_drive
        )
        self._opened.callback(opened.close)
        return opened

    def show(self, drive: DriveInfo) -> None:
        """Nothing to do: nobody else looks."""

    def close(self) -> None:
        """Let go of all sticks."""
        self._opened.close()

    def _image(self, stick: Stick) -> Path:
        return self._folder / f"{stick.port}-{stick.capacity_bytes}.img"
