"""Whether there is room for the ledger, and for content that is still to be made."""

from station.content.catalog import Catalog
from station.content.readiness import BundleState, check_profile
from station.doctor.finding import Finding, problem
from station.doctor.machine import Machine, existing_parent
from station.errors import OperatorError
from station.ledger.location import ledger_path
from station.units import format_size

# Some hundred thousand jobs, with the log beside them.
_LEDGER_BYTES = 200 * 10**6


def check_space(machine: Machine) -> list[Finding]:
    """Compare what is free with what is needed."""
    findings: list[Finding] = []
    try:
        folder = existing_parent(ledger_path(machine.ledger))
    except OperatorError:
        # No place for a ledger at all: that is another check's matter.
        pass
    else:
        free_bytes = machine.free_bytes(folder)
        if free_bytes < _LEDGER_BYTES:
            findings.append(
                problem(
                    f"{format_size(free_bytes)} are free at {folder} for the ledger",
                    "Make room: without it no verdict can be written down, and the run ends.",
                )
            )
    needed_bytes = _content_to_make_bytes(machine)
    if needed_bytes:
        free_bytes = machine.free_bytes(machine.catalog)
        if free_bytes < needed_bytes:
            findings.append(
                problem(
                    f"the profile's content, made on first use, takes {format_size(needed_bytes)},"
                    f" and {format_size(free_bytes)} are free at {machine.catalog.absolute()}",
                    "Make room there.",
                )
            )
    return findings


def _content_to_make_bytes(machine: Machine) -> int:
    if machine.profile is None:
        return 0
    catalog = Catalog(machine.catalog)
    try:
        readiness = check_profile(catalog, catalog.profile(machine.profile), machine.content)
    except OperatorError:
        # The check of the bundles tells of that.
        return 0
    return sum(
        bundle.total_bytes for bundle in readiness.bundles if bundle.state is BundleState.GENERATED
    )
