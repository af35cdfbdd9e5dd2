import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.device.fault import Operation
from station.device.pace import DriveSpeed, Pace


def test_a_transfer_takes_its_length_over_the_speed_of_its_direction() -> None:
    speed = DriveSpeed(write_bytes_per_s=8e6, read_bytes_per_s=20e6)

    assert speed.duration_s(Operation.WRITE, 40_000_000) == 5
    assert speed.duration_s(Operation.READ, 40_000_000) == 2


def test_a_transfer_apart_from_the_last_one_costs_more_as_on_old_flash() -> None:
    speed = DriveSpeed(4e6, 20e6, write_apart_s=0.5, read_apart_s=0.25)

    assert speed.duration_s(Operation.WRITE, 4_000_000, is_apart=True) == 1.5
    assert speed.duration_s(Operation.READ, 20_000_000, is_apart=True) == 1.25
    assert speed.duration_s(Operation.WRITE, 4_000_000, is_apart=False) == 1


@given(
    commands=st.lists(
        st.tuples(st.floats(0, 10), st.floats(1, 10), st.floats(0, 1)), min_size=1, max_size=50
    )
)
def test_the_drive_takes_its_own_time_and_the_hosts_pauses_but_no_late_wake_up(
    commands: list[tuple[float, float, float]],
) -> None:
    pace = Pace()
    now_s = done_s = 0.0
    for pause_s, duration_s, woken_late_s in commands:
        done_s = pace.begin(now_s + pause_s, duration_s)
        now_s = done_s + woken_late_s
        pace.end(done_s, now_s)

    assert done_s == pytest.approx(sum(pause + duration for pause, duration, _ in commands))
