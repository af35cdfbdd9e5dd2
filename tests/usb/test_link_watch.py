from hypothesis import given
from hypothesis import strategies as st

from station.usb.bus import Link, LinkLoad
from station.usb.link_watch import LinkUse, LinkWatch

ONE = Link("0000:00:14.0", 1, 480)
OTHER = Link("0000:00:14.0", 2, 480)
FULL, IDLE = 39e6, 5e6


def test_a_link_is_full_for_as_long_as_it_was_seen_so() -> None:
    watch = LinkWatch()
    for second in range(11):
        watch.see([LinkLoad(ONE, ("A1",), FULL if second <= 6 else IDLE)], second)

    assert watch.uses == (LinkUse(ONE, ("A1",), 6.0),)


def test_a_link_that_was_never_full_is_not_told_of() -> None:
    watch = LinkWatch()
    for second in range(5):
        watch.see([LinkLoad(ONE, ("A1",), IDLE)], second)

    assert watch.uses == ()


def test_all_ports_that_ever_shared_it_while_it_was_full_are_named() -> None:
    watch = LinkWatch()
    watch.see([LinkLoad(ONE, ("A1", "A2"), FULL)], 0.0)
    watch.see([LinkLoad(ONE, ("A2", "A3"), FULL)], 1.0)
    watch.see([LinkLoad(ONE, ("A4",), IDLE)], 2.0)

    assert watch.uses[0].labels == ("A1", "A2", "A3")


def test_a_machine_that_slept_was_not_at_work() -> None:
    watch = LinkWatch()
    watch.see([LinkLoad(ONE, ("A1",), FULL)], 0.0)
    watch.see([LinkLoad(ONE, ("A1",), FULL)], 36_000.0)

    assert watch.uses[0].full_s <= 5.0


looks = st.lists(
    st.tuples(
        st.floats(0.1, 5.0),
        st.lists(
            st.builds(
                LinkLoad,
                st.sampled_from([ONE, OTHER]),
                st.just(("A1",)),
                st.sampled_from([FULL, IDLE]),
            ),
            max_size=2,
            unique_by=lambda load: load.link,
        ),
    ),
    max_size=40,
)


@given(looks)
def test_no_link_is_full_for_longer_than_the_run_and_the_longest_comes_first(
    seen: list[tuple[float, list[LinkLoad]]],
) -> None:
    watch, now_s = LinkWatch(), 0.0
    for gap_s, loads in seen:
        now_s += gap_s
        watch.see(loads, now_s)
    times = [use.full_s for use in watch.uses]

    assert times == sorted(times, reverse=True)
    assert all(0 <= full_s <= now_s + 1e-6 for full_s in times)
