from hypothesis import given
from hypothesis import strategies as st

from station.job.ranges import Ranges

# Where a load begins, and in how long steps it goes on from there to the end, and then up to there.
starts = st.integers(0, 40)
steps = st.integers(1, 9)
END = 60


@given(starts, steps, st.integers(0, 12), st.integers(1, 30))
def test_what_was_written_is_known_wherever_the_load_began(
    start: int, step: int, writes: int, distance: int
) -> None:
    order = [*range(start, END, step), *range(0, start, step)]
    written: set[int] = set()
    ranges = Ranges()
    for at in order[:writes]:
        end = min(at + step, END if at >= start else start)
        ranges.add(at, end)
        written |= set(range(at, end))

    assert {at for at in range(END) if at in ranges} == written
    assert ranges.length_bytes == len(written)
    same_place = {at for at in range(END) if ranges.reaches(at, distance)}
    assert same_place == {
        at for at in range(END) if any((at - one) % distance == 0 for one in written)
    }
