from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.device.drive import DriveInfo
from station.errors import OperatorError
from station.usb.guard import (
    LARGEST_CAPACITY_BYTES,
    RULES,
    Candidate,
    GuardPolicy,
    ProtectedDrive,
    Trait,
    judge,
)
from station.verdict import RefusalReason

GB = 10**9
PORT = "0000:00:14.0/1.4.3"
STICK = DriveInfo(
    node="/dev/sdb",
    capacity_bytes=8 * GB,
    diskseq=41,
    port=PORT,
    serial="0123456789",
    usb_id="0951:1666",
)
GOOD = Candidate(drive=STICK, is_usb=True, announced_diskseq=41)
POLICY = GuardPolicy(
    taught_ports=frozenset({PORT}), min_capacity_bytes=2 * GB, max_capacity_bytes=64 * GB
)


def with_drive(**facts: object) -> Candidate:
    return replace(GOOD, drive=replace(STICK, **facts))  # type: ignore[arg-type]


def reason(candidate: Candidate, policy: GuardPolicy = POLICY) -> RefusalReason | None:
    objection = judge(candidate, policy)
    return None if objection is None else objection.reason


def protecting(*texts: str) -> GuardPolicy:
    return replace(POLICY, protected=tuple(map(ProtectedDrive.parse, texts)))


def test_a_free_usb_stick_on_a_taught_port_within_the_limits_is_admitted() -> None:
    assert reason(GOOD) is None


@pytest.mark.parametrize(
    ("candidate", "expected"),
    [
        pytest.param(replace(GOOD, is_usb=False), RefusalReason.NOT_USB, id="internal disk"),
        pytest.param(with_drive(diskseq=None), RefusalReason.CHANGED, id="no identity"),
        pytest.param(with_drive(diskseq=42), RefusalReason.CHANGED, id="swapped"),
        pytest.param(
            replace(GOOD, claims=("sdb1 is mounted at /media/lea",)),
            RefusalReason.IN_USE,
            id="mounted",
        ),
        pytest.param(
            replace(GOOD, claims=("sdb2 is used as swap",)), RefusalReason.IN_USE, id="swap"
        ),
        pytest.param(
            with_drive(port="0000:00:14.0/1.4.4"), RefusalReason.PORT_NOT_TAUGHT, id="other port"
        ),
        pytest.param(with_drive(port=""), RefusalReason.PORT_NOT_TAUGHT, id="no port"),
        pytest.param(replace(GOOD, read_only=True), RefusalReason.WRITE_PROTECTED, id="locked"),
        pytest.param(
            with_drive(capacity_bytes=2 * GB - 512), RefusalReason.TOO_SMALL, id="too small"
        ),
        pytest.param(with_drive(capacity_bytes=0), RefusalReason.CHANGED, id="no medium"),
        pytest.param(
            with_drive(capacity_bytes=64 * GB + 512), RefusalReason.TOO_LARGE, id="too large"
        ),
    ],
)
def test_each_rule_refuses_with_its_reason(candidate: Candidate, expected: RefusalReason) -> None:
    assert reason(candidate) == expected


@pytest.mark.parametrize("capacity_bytes", [2 * GB, 64 * GB])
def test_the_size_limits_themselves_are_admitted(capacity_bytes: int) -> None:
    assert reason(with_drive(capacity_bytes=capacity_bytes)) is None


def test_a_target_that_a_person_named_need_not_have_been_announced() -> None:
    assert reason(replace(GOOD, announced_diskseq=None)) is None


def test_opening_every_port_on_purpose_admits_untaught_ports_and_nothing_else() -> None:
    opened = replace(POLICY, any_port=True, taught_ports=frozenset())

    assert reason(with_drive(port="0000:00:14.0/9"), opened) is None
    assert reason(with_drive(port=""), opened) is None
    assert reason(replace(GOOD, is_usb=False), opened) == RefusalReason.NOT_USB
    assert reason(replace(GOOD, claims=("vda1 is mounted at /",)), opened) == RefusalReason.IN_USE


@pytest.mark.parametrize(
    "text", ["serial:0123456789", "usb:0951:1666", "node:/dev/sdb", "/dev/sdb"]
)
def test_a_protected_drive_is_refused(text: str) -> None:
    assert reason(GOOD, protecting(text)) == RefusalReason.PROTECTED


@pytest.mark.parametrize(
    "text", ["serial:012345678", "usb:0951:1667", "/dev/sdb1", "/dev/sd", "serial:0951:1666"]
)
def test_a_drive_that_only_resembles_a_protected_one_is_admitted(text: str) -> None:
    assert reason(GOOD, protecting(text)) is None


def test_usb_ids_are_compared_without_regard_to_case() -> None:
    policy = protecting("usb:ABCD:00EF")

    assert reason(with_drive(usb_id="abcd:00ef"), policy) == RefusalReason.PROTECTED
    assert reason(with_drive(usb_id="ABCD:00EF"), policy) == RefusalReason.PROTECTED


@pytest.mark.parametrize("text", ["", "sdb", "serial", "serial:", "colour:red", ":"])
def test_what_names_no_drive_to_protect_is_refused_with_how_to_write_it(text: str) -> None:
    with pytest.raises(OperatorError, match="Write serial:"):
        ProtectedDrive.parse(text)


def test_without_a_policy_nothing_is_admitted() -> None:
    assert reason(GOOD, GuardPolicy()) == RefusalReason.PORT_NOT_TAUGHT


def test_disks_beyond_the_size_of_sticks_are_refused_unless_the_limit_is_raised() -> None:
    disk = with_drive(capacity_bytes=LARGEST_CAPACITY_BYTES + 512)
    default = GuardPolicy(taught_ports=frozenset({PORT}))

    assert reason(disk, default) == RefusalReason.TOO_LARGE
    assert reason(disk, replace(default, max_capacity_bytes=2 * 10**12)) is None


def test_whose_drive_it_is_is_told_before_whether_it_fits() -> None:
    candidate = replace(
        with_drive(capacity_bytes=1), read_only=True, claims=("sdb is mounted at /home",)
    )

    assert reason(candidate) == RefusalReason.IN_USE


drives = st.builds(
    DriveInfo,
    node=st.sampled_from(["/dev/sda", "/dev/sdb", "/dev/sdaa"]),
    capacity_bytes=st.sampled_from([0, 1, 2 * GB - 1, 2 * GB, 64 * GB, 64 * GB + 1]),
    diskseq=st.sampled_from([None, 1, 41]),
    port=st.sampled_from(["", PORT, f"{PORT}:lun1", "0000:00:14.0/1.4"]),
    serial=st.sampled_from(["", "A", "B"]),
    usb_id=st.sampled_from(["", "0951:1666"]),
)
candidates = st.builds(
    Candidate,
    drive=drives,
    is_usb=st.booleans(),
    read_only=st.booleans(),
    claims=st.lists(st.sampled_from(["vda1 is mounted at /", "sdb2 is used as swap"])).map(tuple),
    announced_diskseq=st.sampled_from([None, 1, 41]),
)
policies = st.builds(
    GuardPolicy,
    taught_ports=st.frozensets(st.sampled_from([PORT, "0000:00:14.0/1.4"])),
    any_port=st.booleans(),
    min_capacity_bytes=st.sampled_from([0, 1, 2 * GB]),
    max_capacity_bytes=st.sampled_from([64 * GB, LARGEST_CAPACITY_BYTES]),
    protected=st.lists(
        st.builds(
            ProtectedDrive,
            trait=st.sampled_from(Trait),
            value=st.sampled_from(["A", "0951:1666", "/dev/sda"]),
        ),
        max_size=2,
    ).map(tuple),
)


@given(candidates, policies)
def test_a_drive_is_admitted_only_when_no_rule_objects(
    candidate: Candidate, policy: GuardPolicy
) -> None:
    objects = [rule(candidate, policy) is not None for rule in RULES]

    assert (judge(candidate, policy) is not None) == any(objects)


@given(candidates, policies)
def test_what_is_admitted_keeps_every_promise(candidate: Candidate, policy: GuardPolicy) -> None:
    if judge(candidate, policy) is not None:
        return
    drive = candidate.drive

    assert candidate.is_usb
    assert not candidate.claims
    assert not candidate.read_only
    assert drive.diskseq is not None
    assert candidate.announced_diskseq in (None, drive.diskseq)
    assert policy.any_port or drive.port in policy.taught_ports
    assert max(policy.min_capacity_bytes, 1) <= drive.capacity_bytes <= policy.max_capacity_bytes
    assert drive.serial not in [p.value for p in policy.protected if p.trait is Trait.SERIAL]


@given(candidates, policies)
def test_the_system_disk_is_never_admitted(candidate: Candidate, policy: GuardPolicy) -> None:
    system = replace(candidate, claims=(*candidate.claims, "vda1 is mounted at /"))

    assert judge(system, policy) is not None


@given(candidates, policies)
def test_a_refusal_says_what_was_found(candidate: Candidate, policy: GuardPolicy) -> None:
    objection = judge(candidate, policy)

    assert objection is None or ": " in objection.detail
