import errno
import shutil
from dataclasses import replace
from pathlib import Path
from threading import Condition, Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from station.device.buffer import aligned_buffer
from station.device.drive import Drive
from station.device.fault import ReadOnly, Vanish, Wraparound
from station.device.pace import DriveSpeed
from station.errors import OperatorError
from station.hotplug.events import Inserted, PlugEvent, Removed
from station.hotplug.virtual import VirtualHub, VirtualStick
from station.units import MIB
from station.usb.guard import GuardPolicy, ProtectedDrive
from station.usb.hubs import hubs_on_table
from station.verdict import DriveRefusedError, RefusalReason

STICK = VirtualStick(port="port-1", capacity_bytes=8 * MIB, vendor="Virtual", serial="A")
CHUNK = aligned_buffer(MIB)


class FakeClock:
    """Time that passes only while somebody waits."""

    def __init__(self) -> None:
        self.time_s = 1000.0

    def now_s(self) -> float:
        return self.time_s

    def wait(self, condition: Condition, timeout_s: float | None) -> None:
        del condition
        assert timeout_s is not None, "nothing would ever end this wait"
        self.time_s += timeout_s


def fill(drive: Drive, up_to_bytes: int) -> None:
    for offset_bytes in range(0, up_to_bytes, MIB):
        drive.write(offset_bytes, CHUNK)


def inserted(events: list[PlugEvent]) -> Inserted:
    (event,) = events
    assert isinstance(event, Inserted)
    return event


def hub_of(folder: Path, *sticks: VirtualStick, policy: GuardPolicy | None = None) -> VirtualHub:
    return VirtualHub(sticks, folder, policy, clock=FakeClock())


def refusal(hub: VirtualHub) -> RefusalReason:
    with pytest.raises(DriveRefusedError) as raised:
        hub.open(inserted(hub.poll(10)).drive)
    reason = raised.value.verdict.reason
    assert isinstance(reason, RefusalReason)
    return reason


def test_sticks_are_plugged_in_when_the_script_says(tmp_path: Path) -> None:
    clock = FakeClock()
    late = replace(STICK, port="port-2", plug_at_s=2.5)
    hub = VirtualHub([late, STICK], tmp_path, clock=clock)

    assert inserted(hub.poll(10)).drive.port == "port-1"
    assert clock.time_s == pytest.approx(1000.0)
    assert hub.poll(1) == []
    assert inserted(hub.poll(10)).drive.port == "port-2"
    assert clock.time_s == pytest.approx(1002.5)


def test_a_stick_says_of_itself_what_the_script_says(tmp_path: Path) -> None:
    stick = replace(STICK, model="Stick 2000", usb_id="1234:abcd", sector_bytes=4096)
    drive = inserted(hub_of(tmp_path, stick).poll(0)).drive

    assert (drive.vendor, drive.model, drive.serial, drive.usb_id) == (
        "Virtual",
        "Stick 2000",
        "A",
        "1234:abcd",
    )
    assert (drive.node, drive.capacity_bytes, drive.sector_bytes, drive.diskseq) == (
        "port-1.img",
        8 * MIB,
        4096,
        1,
    )


def test_every_eight_ports_are_a_hub(tmp_path: Path) -> None:
    hub = hub_of(tmp_path, *(replace(STICK, port=f"port-{number}") for number in range(1, 18)))

    assert [(each.name, each.size) for each in hubs_on_table(hub.ports)] == [
        ("hub 1", 8),
        ("hub 2", 8),
        ("hub 3", 1),
    ]


def test_ports_stand_in_natural_order(tmp_path: Path) -> None:
    names = ["port-10", "port-2", "port-1"]
    hub = hub_of(tmp_path, *(replace(STICK, port=name) for name in names))

    assert [port.label for port in hub.ports] == names[::-1]


def test_an_image_holds_what_its_donor_left(tmp_path: Path) -> None:
    hub_of(tmp_path, STICK).poll(0)
    image = (tmp_path / "port-1.img").read_bytes()

    assert len(image) == STICK.capacity_bytes
    assert image[510:512] == b"\x55\xaa"
    assert image[450] == 0x0C
    assert image.count(b"Holiday photos") > 100
    assert b"Holiday photos" in image[-4096:]


def test_an_image_of_a_large_stick_costs_next_to_nothing(tmp_path: Path) -> None:
    stick = replace(STICK, capacity_bytes=shutil.disk_usage(tmp_path).free // 2 // 512 * 512)
    hub_of(tmp_path, stick).poll(0)

    assert (tmp_path / "port-1.img").stat().st_blocks * 512 < MIB


def test_what_is_written_to_a_stick_is_in_its_image(tmp_path: Path) -> None:
    hub = hub_of(tmp_path, STICK)
    drive = hub.open(inserted(hub.poll(0)).drive)
    fill(drive, STICK.capacity_bytes)
    drive.close()

    assert (tmp_path / "port-1.img").read_bytes() == bytes(STICK.capacity_bytes)


def test_a_script_without_pulls_is_over_when_all_are_plugged_in(tmp_path: Path) -> None:
    hub = hub_of(tmp_path, STICK, replace(STICK, port="port-2", plug_at_s=1))
    over = [hub.exhausted]
    for timeout_s in (0, 5):
        hub.poll(timeout_s)
        over.append(hub.exhausted)

    assert over == [False, False, True]


def test_a_stick_is_pulled_in_mid_write_and_plugged_in_again_as_another_medium(
    tmp_path: Path,
) -> None:
    hub = hub_of(tmp_path, replace(STICK, pull_when=0.5, plug_again_after_s=3))
    drive = hub.open(inserted(hub.poll(0)).drive)
    fill(drive, 4 * MIB)
    assert hub.poll(0) == []
    with pytest.raises(OSError, match="No such device") as raised:
        drive.write(4 * MIB, CHUNK)
    drive.close()

    assert raised.value.errno == errno.ENODEV
    assert hub.poll(10) == [Removed("port-1", 1)]
    assert hub.poll(2) == []
    again = inserted(hub.poll(10)).drive
    assert (again.port, again.diskseq, again.node) == ("port-1", 2, "port-1-again.img")
    drive = hub.open(again)
    fill(drive, STICK.capacity_bytes)
    drive.close()
    assert hub.poll(1) == []


def test_a_stick_is_pulled_by_how_much_was_written_and_not_by_where(tmp_path: Path) -> None:
    hub = hub_of(tmp_path, replace(STICK, pull_when=0.5))
    drive = hub.open(inserted(hub.poll(0)).drive)
    # As a probe does, long before the load comes there.
    drive.write(STICK.capacity_bytes - MIB, CHUNK)
    fill(drive, 3 * MIB)

    assert hub.poll(0) == []
    with pytest.raises(OSError, match="No such device"):
        drive.write(3 * MIB, CHUNK)


def test_a_stick_whose_job_ends_early_is_pulled_then(tmp_path: Path) -> None:
    hub = hub_of(tmp_path, replace(STICK, pull_when=0.5, plug_again_after_s=1))
    drive = hub.open(inserted(hub.poll(0)).drive)
    fill(drive, MIB)
    drive.close()

    assert hub.poll(10) == [Removed("port-1", 1)]
    assert inserted(hub.poll(10)).drive.diskseq == 2


def test_a_stick_that_is_refused_is_pulled_and_the_script_goes_on(tmp_path: Path) -> None:
    stick = replace(STICK, pull_when=0.5, plug_again_after_s=1)
    hub = hub_of(tmp_path, stick, policy=GuardPolicy(max_capacity_bytes=MIB))

    assert refusal(hub) == RefusalReason.TOO_LARGE
    assert hub.poll(10) == [Removed("port-1", 1)]
    assert refusal(hub) == RefusalReason.TOO_LARGE
    assert hub.exhausted


def test_a_stick_that_vanishes_by_itself_is_told_to_have_left(tmp_path: Path) -> None:
    hub = hub_of(tmp_path, replace(STICK, faults=(Vanish(start_bytes=MIB),)))
    drive = hub.open(inserted(hub.poll(0)).drive)
    assert not hub.exhausted
    with pytest.raises(OSError, match="No such device"):
        fill(drive, STICK.capacity_bytes)

    assert hub.poll(1) == [Removed("port-1", 1)]
    assert hub.exhausted


def test_a_stick_that_was_pulled_can_not_be_opened(tmp_path: Path) -> None:
    hub = hub_of(tmp_path, replace(STICK, pull_when=0.5))
    drive = inserted(hub.poll(0)).drive
    hub.open(drive).close()
    hub.poll(0)

    with pytest.raises(DriveRefusedError) as raised:
        hub.open(drive)
    assert raised.value.verdict.reason == RefusalReason.CHANGED


@pytest.mark.parametrize(
    ("stick", "policy", "reason"),
    [
        (STICK, GuardPolicy(min_capacity_bytes=9 * MIB), RefusalReason.TOO_SMALL),
        (STICK, GuardPolicy(max_capacity_bytes=7 * MIB), RefusalReason.TOO_LARGE),
        (
            STICK,
            GuardPolicy(protected=(ProtectedDrive.parse("serial:A"),)),
            RefusalReason.PROTECTED,
        ),
        (replace(STICK, faults=(ReadOnly(),)), GuardPolicy(), RefusalReason.WRITE_PROTECTED),
    ],
)
def test_the_guard_judges_simulated_sticks_as_well(
    tmp_path: Path, stick: VirtualStick, policy: GuardPolicy, reason: RefusalReason
) -> None:
    hub = hub_of(tmp_path, stick, policy=policy)

    assert refusal(hub) == reason


def test_a_counterfeit_claims_more_than_it_keeps(tmp_path: Path) -> None:
    hub = hub_of(tmp_path, replace(STICK, faults=(Wraparound(4 * MIB),)))
    drive = hub.open(inserted(hub.poll(0)).drive)
    fill(drive, 4 * MIB)
    mark = aligned_buffer(MIB)
    mark[:4] = b"mark"
    drive.write(4 * MIB, mark)
    found = aligned_buffer(MIB)
    drive.read(0, found)

    assert drive.capacity_bytes == 8 * MIB
    assert bytes(found[:4]) == b"mark"


def test_images_that_are_there_already_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "port-1-again.img").write_bytes(b"precious")

    with pytest.raises(OperatorError, match=r"already holds port-1-again\.img"):
        hub_of(tmp_path, replace(STICK, plug_again_after_s=1))
    assert (tmp_path / "port-1-again.img").read_bytes() == b"precious"


def test_a_disk_without_room_for_the_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="free"):
        hub_of(tmp_path, replace(STICK, capacity_bytes=1 << 60))


def test_two_sticks_at_one_port_are_a_mistake_of_the_caller(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="two sticks at one port"):
        hub_of(tmp_path, STICK, STICK)


def test_a_closed_hub_tells_nothing_more(tmp_path: Path) -> None:
    hub = hub_of(tmp_path, STICK)
    hub.close()

    assert hub.exhausted
    assert hub.poll(10) == []


def test_a_pull_wakes_whoever_waits_for_events(tmp_path: Path) -> None:
    slow = DriveSpeed(write_bytes_per_s=40 * MIB, read_bytes_per_s=40 * MIB)
    hub = VirtualHub([replace(STICK, pull_when=0.5, speed=slow)], tmp_path)
    drive = hub.open(inserted(hub.poll(60)).drive)
    errors: list[int | None] = []

    def load() -> None:
        try:
            fill(drive, STICK.capacity_bytes)
        except OSError as error:
            errors.append(error.errno)

    job = Thread(target=load)
    job.start()

    assert hub.poll(60) == [Removed("port-1", 1)]
    job.join()
    assert errors == [errno.ENODEV]


scripts = st.lists(
    st.builds(
        VirtualStick,
        port=st.just(""),
        capacity_bytes=st.just(MIB),
        plug_at_s=st.floats(0, 5),
        pull_when=st.none() | st.floats(0, 1),
        plug_again_after_s=st.none() | st.floats(0, 5),
    ),
    min_size=1,
    max_size=5,
).map(
    lambda sticks: [replace(s, port=f"port-{number}") for number, s in enumerate(sticks, start=1)]
)


@given(scripts)
@settings(max_examples=40, deadline=None)
def test_every_script_ends_and_each_stick_is_told_once_each_way(
    tmp_path_factory: pytest.TempPathFactory, script: list[VirtualStick]
) -> None:
    hub = hub_of(tmp_path_factory.mktemp("images"), *script)
    told: list[PlugEvent] = []
    while not hub.exhausted:
        events = hub.poll(1)
        told += events
        for event in events:
            if isinstance(event, Inserted):
                drive = hub.open(event.drive)
                try:
                    fill(drive, MIB)
                except OSError as error:
                    assert error.errno == errno.ENODEV  # noqa: PT017 - whether it vanishes depends on the script
                drive.close()
    diskseqs = [event.drive.diskseq for event in told if isinstance(event, Inserted)]
    removals = [event.diskseq for event in told if isinstance(event, Removed)]
    pulled = [stick for stick in script if stick.pull_when is not None]
    again = [stick for stick in pulled if stick.plug_again_after_s is not None]

    assert sorted(diskseqs, key=str) == sorted(set(diskseqs), key=str)
    assert len(diskseqs) == len(script) + len(again)
    assert len(removals) == len(set(removals)) == len(pulled)
    assert set(removals) <= set(diskseqs)
