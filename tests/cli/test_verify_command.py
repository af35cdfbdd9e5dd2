"""`station verify`: reads back, and writes nothing."""

import json
import shutil
from pathlib import Path

import pytest

from station.units import MIB
from tests.cli.small_station import SmallStation, call
from tests.job.workshop import STICK_BYTES


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> SmallStation:
    """A station with one image that passed."""
    station = SmallStation.make(tmp_path_factory.mktemp("verify") / "station")
    image = station.image("good.img")
    assert call("load", image, *station.common(), "--view", "json") == 0
    return station


def flipped(station: SmallStation, at_bytes: int) -> Path:
    """A copy of the good image in which one bit is another."""
    path = station.root / f"flipped-{at_bytes}.img"
    shutil.copy(station.root / "good.img", path)
    with path.open("r+b") as file:
        file.seek(at_bytes)
        (byte,) = file.read(1)
        file.seek(at_bytes)
        file.write(bytes([byte ^ 1]))
    return path


def test_a_loaded_image_passes_and_nothing_is_written(
    loaded: SmallStation, capsys: pytest.CaptureFixture[str]
) -> None:
    image = loaded.root / "good.img"
    before = (loaded.fingerprint(), image.stat().st_mtime_ns)
    code = call("verify", image, *loaded.common(ledger=False))

    assert (code, capsys.readouterr().out) == (0, f"{image}: pass\n")
    assert (loaded.fingerprint(), image.stat().st_mtime_ns) == before


@pytest.mark.parametrize("at_bytes", [0, 510, 512, 8 * MIB, STICK_BYTES - 1])
def test_one_bit_anywhere_is_found(
    loaded: SmallStation, at_bytes: int, capsys: pytest.CaptureFixture[str]
) -> None:
    image = flipped(loaded, at_bytes)
    code = call("verify", image, *loaded.common(ledger=False))

    assert code == 1
    assert capsys.readouterr().out.startswith(f"{image}: fail verify_mismatch")


def test_json_tells_each_target_and_one_that_differs_decides_the_exit_code(
    loaded: SmallStation, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = loaded.root / "good.img", flipped(loaded, 4096)
    code = call("verify", good, bad, *loaded.common(ledger=False), "--json")
    told = json.loads(capsys.readouterr().out)

    assert code == 1
    assert [(each["target"], each["verdict"], each["reason"]) for each in told] == [
        (str(good), "pass", None),
        (str(bad), "fail", "verify_mismatch"),
    ]


def test_an_image_that_was_never_loaded_fails(
    loaded: SmallStation, capsys: pytest.CaptureFixture[str]
) -> None:
    code = call("verify", loaded.image("donated.img"), *loaded.common(ledger=False))

    assert code == 1
    assert "verify_mismatch" in capsys.readouterr().out


@pytest.mark.parametrize("target", ["missing.img", "profiles", "/dev/null"])
def test_what_is_no_image_is_refused_with_one_line(
    loaded: SmallStation, target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = call("verify", loaded.root / target, *loaded.common(ledger=False))
    told = capsys.readouterr()

    assert (code, told.out, told.err.count("\n")) == (2, "", 1)
