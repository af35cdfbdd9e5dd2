from dataclasses import replace
from pathlib import Path

from station.doctor import checks
from station.doctor.checks import CHECKS, examine
from station.doctor.finding import Severity
from station.doctor.machine import Machine

WITHOUT_PROFILE = tuple(check for check in CHECKS if not check.is_of_profile)


def test_on_a_fit_machine_nothing_is_found(machine: Machine) -> None:
    assert [(each.check.name, each.findings) for each in examine(machine)] == [
        (check.name, ()) for check in WITHOUT_PROFILE
    ]


def test_a_profile_is_looked_at_when_it_is_named(machine: Machine) -> None:
    examinations = examine(replace(machine, profile="none"))

    assert [each.check for each in examinations] == list(CHECKS)
    assert not examinations[-1].is_fit


def test_each_check_of_the_folder_is_in_the_table() -> None:
    defined = {
        path.stem
        for path in Path(checks.__file__).parent.glob("*.py")
        if "\ndef check_" in path.read_text()
    }

    assert {check.find.__module__.rpartition(".")[2] for check in CHECKS} == defined


def test_what_cannot_be_looked_at_is_a_problem_and_stops_no_other_check(machine: Machine) -> None:
    (machine.proc / "sys/kernel/osrelease").unlink()
    examinations = examine(machine)

    (found,) = examinations[0].findings
    assert found.severity is Severity.PROBLEM
    assert "osrelease No such file or directory" in found.problem
    assert [each.is_fit for each in examinations] == [False, *[True] * (len(WITHOUT_PROFILE) - 1)]


def test_an_empty_machine_breaks_no_check(machine: Machine, tmp_path: Path) -> None:
    assert len(examine(replace(machine, root=tmp_path / "void"))) == len(WITHOUT_PROFILE)
