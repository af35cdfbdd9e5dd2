import pytest

from station.device.fault import Wraparound
from station.hotplug.demo import demo_sticks
from station.hotplug.virtual import VirtualStick

MB = 10**6
LONGEST_S = 55.0


def honest_s(stick: VirtualStick) -> float:
    """How long one write and one read of all of it take, plugged in and pulled as scripted."""
    assert stick.speed is not None
    write_s = stick.capacity_bytes / stick.speed.write_bytes_per_s
    read_s = stick.capacity_bytes / stick.speed.read_bytes_per_s
    lost_s = 0.0
    if stick.pull_when is not None:
        lost_s = write_s * stick.pull_when + (stick.plug_again_after_s or 0.0)
    return stick.plug_at_s + lost_s + write_s + read_s


def is_counterfeit(stick: VirtualStick) -> bool:
    return any(isinstance(fault, Wraparound) for fault in stick.faults)


@pytest.mark.parametrize("count", [1, 3, 8, 24, 64])
def test_a_table_of_sticks_is_through_in_a_minute(count: int) -> None:
    sticks = demo_sticks(count)

    assert len(sticks) == count
    assert max(map(honest_s, sticks)) <= LONGEST_S


def test_eight_sticks_differ_in_size_and_speed_and_fit_a_small_disk() -> None:
    sticks = demo_sticks(8)
    written_bytes = sum(stick.capacity_bytes * (1 + (stick.pull_when or 0)) for stick in sticks)

    assert len({stick.capacity_bytes for stick in sticks}) >= 6
    assert len({stick.speed for stick in sticks}) == 8
    assert written_bytes < 2_600 * MB
    assert {stick.port for stick in sticks} == {f"port-{number}" for number in range(1, 9)}


def test_the_second_is_a_counterfeit_and_the_third_is_pulled_and_plugged_in_again() -> None:
    counterfeits = [stick.port for stick in demo_sticks(8) if is_counterfeit(stick)]
    pulled = [stick.port for stick in demo_sticks(8) if stick.pull_when is not None]

    assert counterfeits == ["port-2"]
    assert pulled == ["port-3"]


def test_a_single_stick_is_a_good_one() -> None:
    (stick,) = demo_sticks(1)

    assert not is_counterfeit(stick)
    assert stick.pull_when is None


def test_sticks_are_plugged_in_one_after_another() -> None:
    for count in (8, 64):
        moments_s = [stick.plug_at_s for stick in demo_sticks(count)]

        assert moments_s[0] == 0
        assert moments_s == sorted(set(moments_s))


def test_the_same_seed_brings_the_same_sticks_and_another_seed_others() -> None:
    assert demo_sticks(8, seed=1) == demo_sticks(8, seed=1)
    assert demo_sticks(8, seed=1) != demo_sticks(8, seed=2)


def test_every_size_is_whole_sectors() -> None:
    assert [stick for stick in demo_sticks(64) if stick.capacity_bytes % stick.sector_bytes] == []


def test_no_sticks_at_all_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="none"):
        demo_sticks(0)
