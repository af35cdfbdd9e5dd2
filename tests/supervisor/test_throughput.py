import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.supervisor.throughput import Throughput


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_nothing_is_known_from_one_sample() -> None:
    assert Throughput(Clock()).sample(10**9, 10**9) == (0.0, 0.0)


@given(st.floats(0, 1e9), st.floats(0, 1e9), st.integers(2, 40))
def test_a_steady_stream_is_told_at_its_speed(write: float, read: float, samples: int) -> None:
    clock = Clock()
    throughput = Throughput(clock)
    told = (0.0, 0.0)
    for number in range(samples):
        told = throughput.sample(int(write * number / 4), int(read * number / 4))
        clock.now_s += 0.25

    assert told == pytest.approx((write, read), abs=8)


def test_what_happened_long_ago_is_forgotten() -> None:
    clock = Clock()
    throughput = Throughput(clock)
    throughput.sample(0, 0)
    for _ in range(20):
        clock.now_s += 1
        throughput.sample(10**9, 10**9)

    assert throughput.sample(10**9, 10**9) == (0.0, 0.0)
