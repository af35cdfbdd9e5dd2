"""Whether all files of the profile are there."""

from station.content.catalog import Catalog
from station.content.readiness import check_profile
from station.doctor.finding import Finding, problem
from station.doctor.machine import Machine
from station.errors import OperatorError

_MOST_TOLD = 5


def check_bundle(machine: Machine) -> list[Finding]:
    """Look for each file, and at its size; without a profile there is nothing to look for."""
    if machine.profile is None:
        return []
    catalog = Catalog(machine.catalog)
    try:
        profile = catalog.profile(machine.profile)
        readiness = check_profile(catalog, profile, machine.content)
    except OperatorError as error:
        return [problem(error.problem, error.remedy)]
    told = [
        *(f"{bundle.name}: {text}" for bundle in readiness.bundles for text in bundle.problems),
        *readiness.problems,
    ]
    remedy = f"See `station profile check {machine.profile}`; bring the files, or take them out."
    findings = [problem(text.rstrip("."), remedy) for text in told[:_MOST_TOLD]]
    if len(told) > _MOST_TOLD:
        findings.append(problem(f"{len(told) - _MOST_TOLD:,} more files are wrong", remedy))
    return findings
