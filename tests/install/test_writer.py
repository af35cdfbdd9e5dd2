from collections.abc import Sequence
from pathlib import Path

import pytest

from station.errors import OperatorError, StationFaultError
from station.install.files import INSTALLED_PATHS, InstalledFile
from station.install.writer import (
    APPLY_COMMANDS,
    RETRACT_COMMANDS,
    apply,
    authorize_everything,
    present_files,
    remove_files,
    require_open_to_all,
    retract,
    run_command,
    write_files,
)
from tests.usb.usb_tree import UsbTree

FILES = tuple(InstalledFile(path, f"{path}\n") for path in INSTALLED_PATHS)


def test_what_was_written_is_there_and_removed_again_without_a_trace(tmp_path: Path) -> None:
    other = tmp_path / "etc" / "udev" / "rules.d" / "99-other.rules"
    other.parent.mkdir(parents=True)
    other.write_text("not ours")
    write_files(FILES, tmp_path)

    assert [path.read_text() for path in present_files(tmp_path)] == [file.text for file in FILES]
    assert all(path.stat().st_mode & 0o777 == 0o644 for path in present_files(tmp_path))
    assert len(remove_files(tmp_path)) == len(FILES)
    assert present_files(tmp_path) == ()
    assert other.read_text() == "not ours"


def test_removing_what_is_not_there_removes_nothing(tmp_path: Path) -> None:
    assert remove_files(tmp_path) == ()


def test_a_place_that_cannot_be_written_to_is_refused(tmp_path: Path) -> None:
    (tmp_path / "etc").write_text("a file in the way")

    with pytest.raises(OperatorError, match="can't be made"):
        write_files(FILES, tmp_path)


def test_services_are_told_in_order_and_a_failure_ends_it(tmp_path: Path) -> None:
    done: list[tuple[str, ...]] = []

    def fail_at_second(words: Sequence[str]) -> None:
        done.append(tuple(words))
        if len(done) == 2:
            raise StationFaultError("no udev")

    with pytest.raises(StationFaultError):
        apply(fail_at_second)
    assert done == list(APPLY_COMMANDS[:2])

    done.clear()
    retract(lambda words: done.append(tuple(words)), sysfs=tmp_path)
    assert done == list(RETRACT_COMMANDS)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("sh", "-c", "echo no such thing >&2; exit 3"), "failed: no such thing"),
        (("station-no-such-tool",), "can't be run"),
    ],
)
def test_a_tool_that_fails_is_the_stations_fault(words: tuple[str, ...], complaint: str) -> None:
    with pytest.raises(StationFaultError, match=complaint):
        run_command(words)


def test_afterwards_every_interface_lives_again(tmp_path: Path) -> None:
    tree = UsbTree(tmp_path)
    tree.add_root(1, 4)
    default = tree.device(1, "") / "interface_authorized_default"
    default.write_text("0\n")
    kept_off = tree.add_keyboard(1, "1")
    (kept_off / "authorized").write_text("0\n")
    tree.add_keyboard(1, "2")

    authorize_everything(tree.sys)

    assert default.read_text() == "1"
    assert (kept_off / "authorized").read_text() == "1"
    # Only what was off needs a driver now.
    assert (tree.sys / "bus" / "usb" / "drivers_probe").read_text() == kept_off.name


def test_what_the_stations_user_cannot_get_at_is_refused_with_the_folder_at_fault(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    code = home / "station" / "run.py"
    code.parent.mkdir(parents=True)
    code.write_text("")
    for folder in (code, *code.parents):
        if folder.is_relative_to(tmp_path):
            folder.chmod(0o755)
    home.chmod(0o700)

    with pytest.raises(OperatorError, match=f"^{home} is closed"):
        require_open_to_all(code)
