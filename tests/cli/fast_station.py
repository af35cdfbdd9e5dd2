"""The `station` command itself, but its simulated sticks are smaller and faster than the demo's.

    python -m tests.cli.fast_station run --virtual 4 ...

They differ in size, one is a counterfeit and one is pulled, as in the demo; they are through in a
second. FAST_STATION_MB_PER_S slows them down.
"""

import os
from dataclasses import replace
from unittest import mock

from station.cli.app import main
from station.device.fault import Wraparound
from station.device.pace import DriveSpeed
from station.hotplug.demo import demo_sticks
from station.hotplug.virtual import VirtualStick
from station.units import MIB
from tests.job.workshop import STICK_BYTES


def fast_sticks(count: int) -> tuple[VirtualStick, ...]:
    limit = os.environ.get("FAST_STATION_MB_PER_S")
    speed = DriveSpeed(float(limit) * 1e6, 2e6 * float(limit)) if limit else None
    return tuple(
        replace(
            stick,
            capacity_bytes=STICK_BYTES + number * MIB,
            speed=speed,
            faults=(Wraparound(16 * MIB),) if stick.faults else (),
            plug_at_s=stick.plug_at_s / 20,
            plug_again_after_s=None if stick.plug_again_after_s is None else 0.1,
        )
        for number, stick in enumerate(demo_sticks(count))
    )


if __name__ == "__main__":
    with mock.patch("station.cli.run.demo_sticks", fast_sticks):
        main()
