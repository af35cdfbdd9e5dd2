import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from station.install.unit import ServiceOptions, render_unit

# systemd's own measure: 10 is a service that may do anything, 2 is what its authors call "OK" for
# those that talk to devices.
_MOST_EXPOSURE = 20


@pytest.fixture
def options(tmp_path: Path) -> ServiceOptions:
    return ServiceOptions(
        user="station",
        python=Path(sys.executable),
        root=tmp_path,
        port_map=Path("/etc/station/ports.toml"),
        ledger=Path("/var/lib/station/ledger.sqlite"),
    )


def analyze(folder: Path, unit: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    file = folder / "station@.service"
    file.write_text(unit)
    return subprocess.run(
        ["systemd-analyze", *arguments, str(file)], capture_output=True, text=True, check=False
    )


def verify(folder: Path, unit: str) -> list[str]:
    """What systemd has to say against a unit."""
    said = analyze(folder, unit, "verify", "--man=no", "--recursive-errors=no")
    return [line for line in said.stderr.splitlines() if "station@" in line]


@pytest.mark.parametrize("tty", [None, Path("/dev/tty8")])
def test_systemd_finds_nothing_to_complain_about(
    options: ServiceOptions, tmp_path: Path, tty: Path | None
) -> None:
    assert verify(tmp_path, render_unit(replace(options, tty=tty))) == []


def test_systemd_does_complain_about_a_unit_that_is_wrong(
    options: ServiceOptions, tmp_path: Path
) -> None:
    unit = render_unit(options)

    assert verify(tmp_path, unit.replace("ProtectClock=", "ProtectClocks="))
    assert verify(tmp_path, unit.replace("@system-service", "@no-such-group"))


@pytest.mark.parametrize("tty", [None, Path("/dev/tty8")])
def test_systemd_rates_the_sandbox_as_tight(
    options: ServiceOptions, tmp_path: Path, tty: Path | None
) -> None:
    unit = render_unit(replace(options, tty=tty))
    rated = analyze(
        tmp_path, unit, "security", "--offline=true", f"--threshold={_MOST_EXPOSURE}", "--no-pager"
    )

    assert rated.returncode == 0, rated.stdout


def test_the_service_holds_no_capability_and_can_gain_none(
    options: ServiceOptions, tmp_path: Path
) -> None:
    said = analyze(tmp_path, render_unit(options), "security", "--offline=true", "--json=short")
    held = [
        check["json_field"]
        for check in json.loads(said.stdout)
        if check["json_field"].startswith("CapabilityBoundingSet") and not check["set"]
    ]

    assert held == []


def test_odd_characters_in_a_path_stay_one_word(options: ServiceOptions, tmp_path: Path) -> None:
    unit = render_unit(replace(options, root=Path('/srv/50% "off" $HOME')))

    assert r'--root "/srv/50%% \"off\" $$HOME" --ports' in unit
    assert verify(tmp_path, unit) == []


def test_the_dashboard_is_shown_on_the_console_that_was_named(options: ServiceOptions) -> None:
    unit = render_unit(replace(options, tty=Path("/dev/tty8")))

    assert "TTYPath=/dev/tty8\n" in unit
    assert "DeviceAllow=/dev/tty8 rw\n" in unit
    assert "--view dashboard\n" in unit
    assert "--view plain\n" in render_unit(options)
