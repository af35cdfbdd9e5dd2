import subprocess
from pathlib import Path

from station.install.sysusers import render_sysusers


def test_systemd_makes_a_user_that_nobody_can_log_in_as(tmp_path: Path) -> None:
    (tmp_path / "etc" / "sysusers.d").mkdir(parents=True)
    (tmp_path / "etc" / "sysusers.d" / "station.conf").write_text(render_sysusers())
    subprocess.run(["systemd-sysusers", f"--root={tmp_path}", "station.conf"], check=True)

    (user,) = (tmp_path / "etc" / "passwd").read_text().splitlines()
    (group,) = (tmp_path / "etc" / "group").read_text().splitlines()
    assert user.startswith("station:x:")
    assert user.endswith(":/var/lib/station:/usr/sbin/nologin")
    assert group.startswith("station:x:")
