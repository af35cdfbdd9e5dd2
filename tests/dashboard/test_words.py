import pytest

from station.dashboard import words
from station.dashboard.cells import wrap
from station.dashboard.letters import SIZES, LetterSize, draw, width_pixels
from station.dashboard.words import Act, Advice, advice_on, result_of
from station.verdict import PASSED, FailReason, Outcome, RefusalReason, Verdict, failed
from tests.dashboard.samples import EVERY_VERDICT

EVERY_ADVICE = (words.HUNG, *(advice_on(verdict) for verdict in EVERY_VERDICT))


def test_every_reason_has_its_row() -> None:
    assert set(words.FAILED) == set(FailReason)
    assert set(words.REFUSED) == set(RefusalReason)


@pytest.mark.parametrize("advice", EVERY_ADVICE)
def test_every_sentence_can_be_read_whole_on_an_80_column_terminal_with_8_ports(
    advice: Advice,
) -> None:
    lines = wrap(advice.sentence, words.SENTENCE_CELLS, words.SENTENCE_LINES)

    assert " ".join(lines) == advice.sentence


@pytest.mark.parametrize("verdict", EVERY_VERDICT)
def test_only_a_pass_says_pull(verdict: Verdict) -> None:
    assert (advice_on(verdict).act is Act.PULL) == (verdict.outcome is Outcome.PASS)


@pytest.mark.parametrize("verdict", EVERY_VERDICT)
def test_no_stick_is_binned_that_was_not_touched(verdict: Verdict) -> None:
    binned = advice_on(verdict).act is Act.BIN

    assert not (binned and verdict.outcome is Outcome.REFUSED)


@pytest.mark.parametrize(
    "reason", [FailReason.SOURCE_CHANGED, FailReason.INTERRUPTED, FailReason.REMOVED]
)
def test_no_stick_is_binned_for_a_fault_that_is_not_its_own(reason: FailReason) -> None:
    assert advice_on(failed(reason)).act is not Act.BIN


def test_a_log_names_outcome_and_reason() -> None:
    assert result_of(PASSED) == "PASS"
    assert result_of(failed(FailReason.FAKE_CAPACITY)) == "FAIL fake_capacity"


@pytest.mark.parametrize("act", [act for act in Act if act is not Act.INSERT])
def test_every_act_can_be_drawn_within_a_quarter_of_80_columns(act: Act) -> None:
    assert width_pixels(act.value) <= words.SENTENCE_CELLS


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("act", [act for act in Act if act is not Act.INSERT])
def test_block_letters_take_just_the_room_that_their_size_says(act: Act, size: LetterSize) -> None:
    lines = draw(act.value, size)

    assert len(lines) == size.height_cells
    assert {len(line) for line in lines} == {width_pixels(act.value) * size.width_cells}
