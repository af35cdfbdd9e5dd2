"""A table full of donated sticks, for `station run --virtual N`."""

import random
from dataclasses import dataclass, replace

from station.device.fault import Wraparound
from station.device.pace import DriveSpeed
from station.hotplug.virtual import VirtualStick
from station.units import MIB

_MB = 10**6
# A volunteer plugs one stick in after another, and is through with all of them in this time.
_PLUG_INTERVAL_S = 0.8
_PLUGGING_S = 15.0
# Long enough to read on its tile that it was pulled too early.
_PLUG_AGAIN_AFTER_S = 5.0
# No two sticks of one make are equally fast.
_SPEED_SPREAD = 0.06


@dataclass(frozen=True, slots=True)
class _Make:
    """A make of stick: what it says of itself, and the size and speed that such sticks have."""

    usb_id: str
    vendor: str
    model: str
    capacity_bytes: int
    write_mb_per_s: float
    read_mb_per_s: float


_COUNTERFEIT = _Make("090c:1000", "Generic", "Flash Disk", 515_899_392, 20, 45)
_COUNTERFEIT_REAL_BYTES = 256 * MIB
_PULLED = _Make("0951:1603", "Kingston", "DataTraveler 2.0", 128_974_848, 9, 20)
_GOOD = (
    _Make("0781:5151", "SanDisk", "Cruzer Micro", 1_024_966_656, 40, 90),
    _Make("0951:1607", "Kingston", "DataTraveler 100", 256_901_120, 8.5, 18),
    _Make("0781:5150", "SanDisk", "Cruzer Mini", 128_450_560, 8, 15),
    _Make("058f:6387", "Alcor", "Flash Drive", 129_499_136, 12, 26),
    _Make("13fe:1d00", "Phison", "USB DISK 2.0", 131_072_000, 9.5, 22),
    _Make("05dc:a410", "Lexar", "JumpDrive", 127_926_272, 40, 75),
)
# Beyond a table of eight the sticks are smaller, so that many of them end in the same minute.
_ONE_OF_MANY = _Make("058f:9380", "Alcor", "Flash Drive", 128_450_560, 7, 15)
_ONE_OF_VERY_MANY = _Make("058f:9380", "Alcor", "Flash Drive", 65_011_712, 4, 9)
_MANY = 8
_VERY_MANY = 24


def demo_sticks(count: int, seed: int = 0) -> tuple[VirtualStick, ...]:
    """Bring `count` sticks of different sizes and speeds, at ports `port-1` and up.

    The second is a counterfeit; the third is pulled half-way through its load and plugged in again.
    Up to eight, at their speeds, take some 50 seconds and 2.5 GB of disk.

    Args:
        count: how many; at least 1.
        seed: sticks of the same seed are the same.

    Raises:
        ValueError: when there is not even one.
    """
    if count < 1:
        raise ValueError(f"{count} sticks are none")
    rng = random.Random(seed)  # noqa: S311 - variety for a demonstration, no secret
    interval_s = min(_PLUG_INTERVAL_S, _PLUGGING_S / count)
    return tuple(_stick(number, interval_s, rng) for number in range(1, count + 1))


def _stick(number: int, interval_s: float, rng: random.Random) -> VirtualStick:
    make = _make(number)
    pace = rng.uniform(1 - _SPEED_SPREAD, 1 + _SPEED_SPREAD)
    stick = VirtualStick(
        port=f"port-{number}",
        capacity_bytes=make.capacity_bytes,
        speed=DriveSpeed(
            write_bytes_per_s=make.write_mb_per_s * pace * _MB,
            read_bytes_per_s=make.read_mb_per_s * pace * _MB,
        ),
        vendor=make.vendor,
        model=make.model,
        serial=f"{rng.getrandbits(48):012X}",
        usb_id=make.usb_id,
        plug_at_s=(number - 1 + rng.uniform(-0.3, 0.3) * (number > 1)) * interval_s,
    )
    if make is _COUNTERFEIT:
        return replace(stick, faults=(Wraparound(_COUNTERFEIT_REAL_BYTES),))
    if make is _PULLED:
        return replace(stick, pull_when=0.5, plug_again_after_s=_PLUG_AGAIN_AFTER_S)
    return stick


def _make(number: int) -> _Make:
    if number > _VERY_MANY:
        return _ONE_OF_VERY_MANY
    if number > _MANY:
        return _ONE_OF_MANY
    return (_GOOD[0], _COUNTERFEIT, _PULLED, *_GOOD[1:])[number - 1]
