"""The guard: why a drive must not be touched. It judges facts and does nothing itself.

A drive is admitted when no rule objects. The rules stand in one table, the first that objects gives
the reason, and none can be switched off: each relaxation is a field of `GuardPolicy` of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum, unique

from station.device.drive import DriveInfo
from station.errors import OperatorError
from station.units import format_size
from station.verdict import RefusalReason

# Larger than the sticks and cards that people give away, smaller than the external disks on which
# they keep their backups.
LARGEST_CAPACITY_BYTES = 300 * 10**9


@dataclass(frozen=True, slots=True)
class Candidate:
    """What is known of a drive at the moment of judgement.

    Attributes:
        drive: the drive as its node shows it now.
        is_usb: whether a USB mass-storage interface is what the node leads to.
        read_only: whether the kernel refuses writes to it.
        claims: who uses the disk or a part of it, each in words: `mounted at /home`, `swap`.
        announced_diskseq: sequence number of the medium that was announced at this node; None for a
            target that a person named.
    """

    drive: DriveInfo
    is_usb: bool
    read_only: bool = False
    claims: tuple[str, ...] = ()
    announced_diskseq: int | None = None


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a drive must not be touched.

    Attributes:
        reason: which rule objects.
        detail: what was found and what to do now; may hold text that came from the drive.
    """

    reason: RefusalReason
    detail: str


@unique
class Trait(StrEnum):
    """By what a protected drive is recognised."""

    SERIAL = "serial"
    USB_ID = "usb"
    NODE = "node"


@dataclass(frozen=True, slots=True)
class ProtectedDrive:
    """A drive of the operator's own that is never to be touched.

    Attributes:
        trait: by what it is recognised.
        value: what that trait is: a serial number, a USB id `vvvv:pppp`, a device node.
    """

    trait: Trait
    value: str

    @classmethod
    def parse(cls, text: str) -> "ProtectedDrive":
        """Read `serial:0123`, `usb:0951:1666` or `node:/dev/sdb`; a plain `/dev/…` is a node.

        Raises:
            OperatorError: for anything else.
        """
        if text.startswith("/dev/"):
            return cls(Trait.NODE, text)
        word, _, value = text.partition(":")
        if word not in list(Trait) or not value:
            raise OperatorError(
                f"{text!r} doesn't say which drive to protect",
                "Write serial:0123456789, usb:0951:1666 or /dev/sdb.",
            )
        trait = Trait(word)
        return cls(trait, value.lower() if trait is Trait.USB_ID else value)

    def matches(self, drive: DriveInfo) -> bool:
        """Whether this is the drive."""
        actual = {
            Trait.SERIAL: drive.serial,
            Trait.USB_ID: drive.usb_id.lower(),
            Trait.NODE: drive.node,
        }[self.trait]
        return actual == self.value

    def __str__(self) -> str:
        return f"{self.trait}:{self.value}"


@dataclass(frozen=True, slots=True)
class GuardPolicy:
    """What the operator allows.

    Attributes:
        taught_ports: names of the ports whose drives may be written to.
        any_port: whether the operator opened every port on purpose.
        min_capacity_bytes: smallest drive to touch.
        max_capacity_bytes: largest drive to touch.
        protected: drives never to be touched.
    """

    taught_ports: frozenset[str] = frozenset()
    any_port: bool = False
    min_capacity_bytes: int = 1
    max_capacity_bytes: int = LARGEST_CAPACITY_BYTES
    protected: tuple[ProtectedDrive, ...] = ()


def judge(candidate: Candidate, policy: GuardPolicy) -> Objection | None:
    """Say why a drive must not be touched, or None when it may be."""
    answers = (rule(candidate, policy) for rule in RULES)
    return next((objection for objection in answers if objection is not None), None)


def _is_another_drive(candidate: Candidate, policy: GuardPolicy) -> Objection | None:
    del policy
    now, announced = candidate.drive.diskseq, candidate.announced_diskseq
    if announced is None or now == announced:
        return None
    return Objection(
        RefusalReason.CHANGED,
        f"{candidate.drive.node} was drive number {announced} when it was announced and is number"
        f" {now} now: pull it and plug it in again",
    )


def _is_not_usb(candidate: Candidate, policy: GuardPolicy) -> Objection | None:
    del policy
    if candidate.is_usb:
        return None
    return Objection(
        RefusalReason.NOT_USB,
        f"{candidate.drive.node} is no USB stick or card: only those are ever written to",
    )


def _has_no_identity(candidate: Candidate, policy: GuardPolicy) -> Objection | None:
    del policy
    if candidate.drive.diskseq is not None:
        return None
    return Objection(
        RefusalReason.CHANGED,
        f"the kernel gives {candidate.drive.node} no disk sequence number, so a swap would pass"
        " unnoticed: use Linux 5.15 or newer",
    )


def _has_no_medium(candidate: Candidate, policy: GuardPolicy) -> Objection | None:
    del policy
    # So the kernel shows a disk that is being pulled, for a moment, and the empty slot of a reader.
    if candidate.drive.capacity_bytes > 0:
        return None
    return Objection(
        RefusalReason.CHANGED,
        f"{candidate.drive.node} holds no medium: if it wasn't pulled, plug it in again",
    )


def _is_protected(candidate: Candidate, policy: GuardPolicy) -> Objection | None:
    matching = [str(drive) for drive in policy.protected if drive.matches(candidate.drive)]
    if not matching:
        return None
    return Objection(
        RefusalReason.PROTECTED,
        f"it is on the list of protected drives as {matching[0]}: take it back to its owner",
    )


def _is_in_use(candidate: Candidate, policy: GuardPolicy) -> Objection | None:
    del policy
    if not candidate.claims:
        return None
    return Objection(
        RefusalReason.IN_USE,
        f"{candidate.drive.node} is in use ({', '.join(candidate.claims)}): let go of it there"
        " first, or take it back to its owner",
    )


def _is_on_untaught_port(candidate: Candidate, policy: GuardPolicy) -> Objection | None:
    if policy.any_port or (candidate.drive.port and candidate.drive.port in policy.taught_ports):
        return None
    return Objection(
        RefusalReason.PORT_NOT_TAUGHT,
        f"port {candidate.drive.port or 'unknown'} was not taught: use a labelled socket, or teach"
        " this one with `station ports teach` (--join where the socket has its label already)",
    )


def _is_write_protected(candidate: Candidate, policy: GuardPolicy) -> Objection | None:
    del policy
    if not candidate.read_only:
        return None
    return Objection(
        RefusalReason.WRITE_PROTECTED,
        "it is locked against writing: look for a lock switch, slide it and plug it in again",
    )


def _is_too_small(candidate: Candidate, policy: GuardPolicy) -> Objection | None:
    smallest_bytes = policy.min_capacity_bytes
    if candidate.drive.capacity_bytes >= smallest_bytes:
        return None
    return Objection(
        RefusalReason.TOO_SMALL,
        f"it holds {format_size(candidate.drive.capacity_bytes)}"
        f" ({candidate.drive.capacity_bytes} bytes), at least {format_size(smallest_bytes)}"
        f" ({smallest_bytes} bytes) is wanted: keep it for a smaller profile",
    )


def _is_too_large(candidate: Candidate, policy: GuardPolicy) -> Objection | None:
    if candidate.drive.capacity_bytes <= policy.max_capacity_bytes:
        return None
    return Objection(
        RefusalReason.TOO_LARGE,
        f"it holds {format_size(candidate.drive.capacity_bytes)}"
        f" ({candidate.drive.capacity_bytes} bytes), at most"
        f" {format_size(policy.max_capacity_bytes)} ({policy.max_capacity_bytes} bytes) is allowed:"
        " make sure that it is no backup disk, or raise the profile's max_capacity",
    )


Rule = Callable[[Candidate, GuardPolicy], Objection | None]

# Whose drive it is comes before whether it would fit: the first objection is what people are told.
RULES: tuple[Rule, ...] = (
    _is_not_usb,
    _has_no_identity,
    _is_another_drive,
    _has_no_medium,
    _is_protected,
    _is_in_use,
    _is_on_untaught_port,
    _is_write_protected,
    _is_too_small,
    _is_too_large,
)
