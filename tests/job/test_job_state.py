from collections.abc import Iterator
from itertools import product

import pytest

from station.job.progress import Progress
from station.job.state import (
    LOADING,
    READING_BACK,
    IllegalTransitionError,
    Stage,
    State,
    Transitions,
    advance,
)

TABLES = [pytest.param(LOADING, id="loading"), pytest.param(READING_BACK, id="reading-back")]
ENDS = {State.PASSED, State.FAILED}


def paths_to(
    table: Transitions, goal: State, path: tuple[State, ...] = (State.ACCEPTED,)
) -> Iterator[tuple[State, ...]]:
    """Every way to a state; the recursion ends because no table leads back."""
    assert len(set(path)) == len(path), f"a job could go round for ever: {path}"
    if path[-1] is goal:
        yield path
    for following in table[path[-1]]:
        yield from paths_to(table, goal, (*path, following))


def test_every_state_of_a_job_that_loads_has_its_row() -> None:
    assert set(LOADING) == set(State)


@pytest.mark.parametrize("table", TABLES)
def test_every_state_that_a_row_leads_to_has_a_row_itself(table: Transitions) -> None:
    assert frozenset().union(*table.values()) <= set(table)


def test_every_stage_is_a_state_and_every_other_state_is_none() -> None:
    assert {state.stage for state in State} - {None} == set(Stage)
    assert {state for state in State if state.stage is None} == ENDS | {State.ACCEPTED}


def test_the_only_way_to_a_pass_leads_through_load_verify_and_seal() -> None:
    paths = list(paths_to(LOADING, State.PASSED))

    assert paths
    assert {path[-4:] for path in paths} == {
        (State.LOAD, State.VERIFY, State.SEAL, State.PASSED),
    }


def test_reading_back_passes_through_the_verification_alone() -> None:
    assert list(paths_to(READING_BACK, State.PASSED)) == [
        (State.ACCEPTED, State.VERIFY, State.PASSED)
    ]


@pytest.mark.parametrize("table", TABLES)
def test_whatever_is_under_way_may_fail_and_what_has_ended_has_ended(table: Transitions) -> None:
    for state, following in table.items():
        assert (State.FAILED in following) == (state not in ENDS)
        assert bool(following) == (state not in ENDS)


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(("current", "following"), list(product(State, State)))
def test_an_illegal_step_raises_and_changes_nothing(
    table: Transitions, current: State, following: State
) -> None:
    told: list[Stage] = []
    progress = Progress(table, lambda _progress, stage: told.append(stage), lambda: 0.0)
    progress.state = current
    progress.stage_done_bytes, progress.stage_total_bytes = 3, 7
    if following in table.get(current, ()):
        assert advance(table, current, following) is following
        return

    with pytest.raises(IllegalTransitionError, match=f"from {current} to {following}"):
        progress.enter(following, 99)

    assert progress.state is current
    assert (progress.stage_done_bytes, progress.stage_total_bytes) == (3, 7)
    assert (progress.stage_s, told) == ({}, [])
