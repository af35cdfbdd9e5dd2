"""All checks in one table, and how they are made."""

from collections.abc import Callable
from dataclasses import dataclass

from station.doctor.automounters import check_automounters
from station.doctor.bundle import check_bundle
from station.doctor.clock import check_clock
from station.doctor.endpoints import check_endpoints
from station.doctor.finding import Finding, Severity, problem
from station.doctor.kernel import check_kernel
from station.doctor.kernel_limits import check_kernel_limits
from station.doctor.ledger import check_ledger
from station.doctor.machine import Machine
from station.doctor.permissions import check_permissions
from station.doctor.power import check_power
from station.doctor.space import check_space
from station.doctor.taught_ports import check_taught_ports
from station.doctor.udev import check_udev
from station.doctor.usb_speed import check_usb_speed


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at.

    Attributes:
        name: short, for machines.
        promise: what holds when nothing is found.
        find: looks, and says what is wrong; may raise OSError where it can't look.
        is_of_profile: whether there is nothing to look at as long as no profile was named.
    """

    name: str
    promise: str
    find: Callable[[Machine], list[Finding]]
    is_of_profile: bool = False


@dataclass(frozen=True, slots=True)
class Examination:
    """What came of a check."""

    check: Check
    findings: tuple[Finding, ...]

    @property
    def is_fit(self) -> bool:
        """Whether nothing that matters was found."""
        return all(finding.severity is not Severity.PROBLEM for finding in self.findings)


# What everything else needs comes first.
CHECKS = (
    Check("kernel", "the kernel numbers media", check_kernel),
    Check("udev", "udev runs", check_udev),
    Check("ports", "the sockets are taught, and are there", check_taught_ports),
    Check("permissions", "sticks are open to this user, other disks closed", check_permissions),
    Check("automounters", "nothing mounts sticks by itself", check_automounters),
    Check("power", "hubs have the power they need", check_power),
    Check("endpoints", "controllers can take a stick in each socket", check_endpoints),
    Check("usb_speed", "no stick runs slower than it could", check_usb_speed),
    Check("kernel_limits", "the kernel's limits hold no stick up", check_kernel_limits),
    Check("clock", "the clock can be right", check_clock),
    Check("ledger", "the ledger can be written to", check_ledger),
    Check("space", "there is room on the disk", check_space),
    Check("bundle", "the profile's files are there", check_bundle, is_of_profile=True),
)


def examine(machine: Machine) -> tuple[Examination, ...]:
    """Make all checks that apply, in their order."""
    return tuple(
        Examination(check, tuple(_find(check, machine)))
        for check in CHECKS
        if machine.profile is not None or not check.is_of_profile
    )


def _find(check: Check, machine: Machine) -> list[Finding]:
    try:
        return check.find(machine)
    except OSError as error:
        # Not to be able to tell is no clean bill of health.
        where = f" {error.filename}" if error.filename else ""
        return [
            problem(
                f"it can't be told whether {check.promise}:{where} {error.strerror or error}",
                "Look there, or run it as the user that the station runs as.",
            )
        ]
