import pytest

from station.verdict import (
    PASSED,
    DriveFailedError,
    DriveRefusedError,
    FailReason,
    Outcome,
    RefusalReason,
    Verdict,
    failed,
    refused,
)

REASONS = [None, *FailReason, *RefusalReason]
KINDS: dict[Outcome, type] = {
    Outcome.PASS: type(None),
    Outcome.FAIL: FailReason,
    Outcome.REFUSED: RefusalReason,
}


def test_the_words_are_those_of_the_command_line_contract() -> None:
    assert set(Outcome) == {"pass", "fail", "refused"}
    assert set(FailReason) == {
        "removed",
        "io_error",
        "stalled",
        "fake_capacity",
        "write_protected",
        "verify_mismatch",
        "source_changed",
        "interrupted",
    }
    assert set(RefusalReason) == {
        "not_usb",
        "in_use",
        "port_not_taught",
        "too_large",
        "too_small",
        "write_protected",
        "protected",
        "already_loaded",
        "changed",
    }


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("outcome", Outcome)
def test_an_outcome_has_a_reason_of_its_own_kind_or_is_no_verdict(
    outcome: Outcome, reason: FailReason | RefusalReason | None
) -> None:
    if isinstance(reason, KINDS[outcome]):
        assert Verdict(outcome, reason).reason is reason
    else:
        with pytest.raises(TypeError, match="can't have the reason"):
            Verdict(outcome, reason)


def test_a_pass_has_no_reason() -> None:
    assert Verdict(Outcome.PASS) == PASSED


@pytest.mark.parametrize("reason", FailReason)
def test_a_fault_of_a_drive_carries_its_verdict(reason: FailReason) -> None:
    error = DriveFailedError(reason, "at byte 7")

    assert (
        error.verdict == failed(reason, "at byte 7") == Verdict(Outcome.FAIL, reason, "at byte 7")
    )
    assert str(error) == f"{reason}: at byte 7"
    assert str(DriveFailedError(reason)) == str(reason)


@pytest.mark.parametrize("reason", RefusalReason)
def test_a_refusal_of_a_drive_carries_its_verdict(reason: RefusalReason) -> None:
    error = DriveRefusedError(reason, "no")

    assert error.verdict == refused(reason, "no") == Verdict(Outcome.REFUSED, reason, "no")
    assert str(error) == f"{reason}: no"
    assert str(DriveRefusedError(reason)) == str(reason)
