import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from station.job.patience import Patience
from station.job.progress import Operation, Pending

seconds = st.floats(0, 10_000)


@settings(deadline=None)
@given(kind=st.sampled_from(Operation), longest_s=seconds, more_s=seconds)
def test_patience_grows_with_the_sticks_own_history_and_never_falls_below_its_floor(
    kind: Operation, longest_s: float, more_s: float
) -> None:
    patience = Patience()
    limit_s = patience.limit_s(kind, longest_s)

    assert limit_s >= max(patience.floor_s, longest_s)
    assert patience.limit_s(kind, longest_s + more_s) >= limit_s


@pytest.mark.parametrize("kind", Operation)
def test_a_stick_that_once_took_half_a_minute_and_recovered_may_take_two(kind: Operation) -> None:
    pending = Pending(kind, since_s=1000.0)

    assert not Patience(flush_floor_s=60.0).is_exhausted(pending, 30.0, 1119.0)
    assert Patience(flush_floor_s=60.0).is_exhausted(pending, 30.0, 1121.0)


def test_a_flush_is_granted_more_than_a_write() -> None:
    patience = Patience()

    assert patience.limit_s(Operation.FLUSH, 0.0) > patience.limit_s(Operation.WRITE, 0.0)
