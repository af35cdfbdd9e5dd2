"""`station load`: all of the named targets, or none of them."""

import fcntl
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from station.cli import load
from station.device.drive import DriveInfo
from station.errors import OperatorError
from station.units import MIB
from tests.cli.small_station import SmallStation, call, sector_0
from tests.image.judges import mtools
from tests.job.workshop import CONTENT, STICK_BYTES

SMALL_BYTES, LARGE_BYTES = 16 * MIB, 128 * MIB
PARTITION_ENTRY = 446


@pytest.fixture
def station(tmp_path: Path) -> SmallStation:
    return SmallStation.make(tmp_path / "station")


@pytest.fixture
def loop(station: SmallStation) -> Iterator[Path]:
    """A loop device over an image: a disk, and no USB stick."""
    if os.geteuid() != 0 and "CI" not in os.environ:
        pytest.skip("loop devices need root")
    image = station.image("loop.img")
    node = subprocess.run(
        ["losetup", "--find", "--show", image], check=True, capture_output=True, text=True
    ).stdout.strip()
    yield Path(node)
    subprocess.run(["losetup", "--detach", node], check=True)


def test_two_images_of_different_sizes_are_loaded_at_once(
    station: SmallStation, capsys: pytest.CaptureFixture[str]
) -> None:
    images = [station.image("a.img"), station.image("b.img", STICK_BYTES + 5 * MIB)]
    code = call("load", *images, *station.common(), "--batch", "tuesday")
    told = capsys.readouterr()

    assert code == 0, told.err
    assert "2 passed, 0 failed, 0 refused" in told.out
    assert call("verify", *images, *station.common(ledger=False)) == 0
    assert [(row.batch, row.start.content_bytes) for row in station.rows()] == [
        ("tuesday", sum(map(len, CONTENT.values())))
    ] * 2


def test_an_image_of_4096_byte_sectors_is_read_by_mtools(
    station: SmallStation, capsys: pytest.CaptureFixture[str]
) -> None:
    capacity_bytes = 66_000 * 4096 + 5 * MIB
    (station.root / "profiles/films.toml").write_text('[[bundle]]\nmanifest = "films"\n')
    image = station.image("stick.img", capacity_bytes)
    code = call("load", image, *station.common(), "--sector-size", 4096)

    assert code == 0, capsys.readouterr().err
    first_sector = int.from_bytes(sector_0(image)[PARTITION_ENTRY + 8 :][:4], "little")
    for path, content in CONTENT.items():
        assert mtools("mtype", image, first_sector * 4096, f"::/{path}") == content
    sized = ("--sector-size", 4096)
    assert call("verify", image, *station.common(ledger=False), *sized) == 0
    assert call("verify", image, *station.common(ledger=False)) == 1


BadTarget = Callable[[SmallStation], Path]


def folder_in(station: SmallStation) -> Path:
    (station.root / "folder").mkdir()
    return station.root / "folder"


def empty_in(station: SmallStation) -> Path:
    (station.root / "empty").touch()
    return station.root / "empty"


def linked_in(station: SmallStation) -> Path:
    (station.root / "link.img").symlink_to("good.img")
    return station.root / "link.img"


def hard_linked_in(station: SmallStation) -> Path:
    (station.root / "hard.img").hardlink_to(station.root / "good.img")
    return station.root / "hard.img"


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda station: station.image("bad.img", SMALL_BYTES), "too_small"),
        (lambda station: station.image("bad.img", LARGE_BYTES), "too_large"),
        (lambda station: station.root / "missing.img", "No such file"),
        (lambda _station: Path("/dev/null"), "is no regular file"),
        (lambda station: station.root / "good.img", "named twice"),
        (linked_in, "named twice"),
        (hard_linked_in, "in_use"),
        (folder_in, "is no regular file"),
        (empty_in, "is empty"),
    ],
)
def test_one_refused_target_keeps_all_of_them_as_they_are(
    station: SmallStation, capsys: pytest.CaptureFixture[str], make: BadTarget, told: str
) -> None:
    good = station.image("good.img")
    bad = make(station)
    before = station.fingerprint()
    for targets in ([good, bad], [bad, good]):
        code = call("load", *targets, *station.common(), "--yes")
        errors = capsys.readouterr().err

        assert code == 2
        assert errors.count("\n") == 1
        assert told in errors
        assert station.fingerprint() == before


def test_a_disk_that_is_not_on_usb_is_refused_also_with_yes(
    station: SmallStation, loop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = station.fingerprint()
    code = call("load", loop, *station.common(), "--yes")

    assert code == 2
    assert "not_usb" in capsys.readouterr().err
    assert station.fingerprint() == before


def test_a_capacity_on_which_the_profile_does_not_fit_is_told_with_the_target(
    station: SmallStation, capsys: pytest.CaptureFixture[str]
) -> None:
    (station.root / "profiles/films.toml").write_text('[[bundle]]\nmanifest = "films"\n')
    good, small = station.image("good.img"), station.image("small.img", SMALL_BYTES)
    before = station.fingerprint()
    code = call("load", good, small, *station.common())
    errors = capsys.readouterr().err

    assert (code, errors.count("\n")) == (2, 1)
    assert f"station: {small}: " in errors
    assert station.fingerprint() == before


def test_an_image_that_another_load_works_on_is_refused(
    station: SmallStation, capsys: pytest.CaptureFixture[str]
) -> None:
    image = station.image()
    with image.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        code = call("load", image, *station.common())

    assert code == 2
    assert "in_use" in capsys.readouterr().err


STICK = DriveInfo("/dev/sdq", 8_000_000_000, vendor="San\x1b[2JDisk", model="Cruzer")


def test_nobody_who_could_be_asked_means_no(monkeypatch: pytest.MonkeyPatch) -> None:
    with Path(os.devnull).open() as nobody, monkeypatch.context() as patch:
        patch.setattr(sys, "stdin", nobody)
        with pytest.raises(OperatorError, match="--yes"):
            load._ask([STICK])


@pytest.mark.parametrize(
    ("typed", "is_yes"), [(b"yes\n", True), (b"y\n", False), (b"\n", False), (b"\x04", False)]
)
def test_only_the_whole_word_yes_at_a_terminal_goes_on(
    typed: bytes,
    *,
    is_yes: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    leader, follower = pty.openpty()
    os.write(leader, typed)
    with os.fdopen(follower, "r") as terminal, monkeypatch.context() as patch:
        patch.setattr(sys, "stdin", terminal)
        if is_yes:
            load._ask([STICK])
        else:
            with pytest.raises(OperatorError, match="nothing was written"):
                load._ask([STICK])
    os.close(leader)
    told = capsys.readouterr().out

    assert told.startswith(r"/dev/sdq: San\x1b[2JDisk Cruzer, 8 GB")


def test_a_ledger_whose_disk_fills_up_leaves_no_seal_and_exits_with_3(
    station: SmallStation, tmp_path: Path
) -> None:
    if os.geteuid() != 0 and "CI" not in os.environ:
        pytest.skip("a small disk needs root")
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", disk], check=True)
    try:
        images = [station.image(name, 100 * MIB) for name in ("a.img", "b.img")]
        options = ("--root", station.root, "--profile", "films", "--view", "json")
        process = station.start("load", *images, *options, "--ledger", disk / "ledger.sqlite")
        assert process.stdout is not None
        assert process.stderr is not None
        # Both jobs are entered, and none has ended: the station rests while its disk is filled.
        started = 0
        while started < len(images):
            started += '"stage": "probe"' in process.stdout.readline()
        process.send_signal(signal.SIGSTOP)
        fill_up(disk)
        process.send_signal(signal.SIGCONT)
        output, errors = process.communicate(timeout=60)
    finally:
        subprocess.run(["umount", disk], check=True)

    assert process.returncode == 3
    assert errors.count("\n") == 1
    assert "its disk is full" in errors
    assert '"verdict"' not in output
    assert [sector_0(image) for image in images] == [bytes(512)] * 2


def fill_up(disk: Path) -> None:
    with (disk / "filler").open("wb", buffering=0) as filler:
        try:
            while True:
                filler.write(bytes(512))
        except OSError:
            pass
