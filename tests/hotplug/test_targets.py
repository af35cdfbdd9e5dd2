from pathlib import Path

import pytest

from station.device.buffer import aligned_buffer
from station.errors import OperatorError
from station.hotplug.events import Inserted
from station.hotplug.targets import TargetHub
from station.units import MIB
from station.usb.guard import GuardPolicy

POLICY = GuardPolicy(min_capacity_bytes=2 * MIB, max_capacity_bytes=8 * MIB)


def image(folder: Path, name: str, size_bytes: int = 4 * MIB) -> Path:
    path = folder / name
    path.write_bytes(b"\xd1" * size_bytes)
    return path


def test_targets_are_told_of_once_in_the_order_in_which_they_were_named(tmp_path: Path) -> None:
    paths = [image(tmp_path, "b.img"), image(tmp_path, "a.img", 6 * MIB)]
    hub = TargetHub(paths, POLICY)
    was_exhausted = hub.exhausted
    events = hub.poll(0)

    assert [event.drive.node for event in events if isinstance(event, Inserted)] == [
        str(path) for path in paths
    ]
    assert [drive.capacity_bytes for drive in hub.drives] == [4 * MIB, 6 * MIB]
    assert [port.label for port in hub.ports] == ["b.img", "a.img"]
    assert (was_exhausted, hub.exhausted, hub.poll(0)) == (False, True, [])
    hub.close()


def test_each_target_is_opened_for_writing_and_held_until_the_hub_is_closed(
    tmp_path: Path,
) -> None:
    path = image(tmp_path, "a.img")
    hub = TargetHub([path], POLICY)
    with pytest.raises(OperatorError, match="in_use"):
        TargetHub([path], POLICY)
    drive = hub.open(hub.drives[0])
    drive.write(0, aligned_buffer(512))
    hub.close()

    assert path.read_bytes()[:512] == bytes(512)
    TargetHub([path], POLICY).close()


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        (lambda folder: image(folder, "small.img", MIB), "too_small"),
        (lambda folder: image(folder, "large.img", 9 * MIB), "too_large"),
        (lambda folder: folder / "missing.img", "No such file"),
        (lambda folder: folder / "good.img", "named twice"),
    ],
)
def test_when_one_target_is_refused_all_are_let_go_of(
    tmp_path: Path, bad: "object", told: str
) -> None:
    good = image(tmp_path, "good.img")
    assert callable(bad)
    with pytest.raises(OperatorError, match=told):
        TargetHub([good, bad(tmp_path)], POLICY)

    # Nobody holds its lock any more.
    TargetHub([good], POLICY).close()
    assert good.read_bytes() == b"\xd1" * 4 * MIB
