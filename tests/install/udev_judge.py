"""The real udev as judge: what its engine makes of rules, for devices in a sysfs of our own."""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.usb.usb_tree import UsbTree

# A mount namespace of its own: udev sees the test's sysfs and no rules but the test's, and what it
# does to /dev and /run stays in there.
_SCRIPT = """
set -eu
mount --bind "$1" /sys
for folder in /usr/lib/udev/rules.d /etc/udev/rules.d /run; do
    if [ -d $folder ]; then mount -t tmpfs none $folder; fi
done
mkdir -p /run/udev/rules.d
touch /run/null
mount --bind /dev/null /run/null
mount -t tmpfs none /dev
touch /dev/null
mount --bind /run/null /dev/null
cp "$2" /run/udev/rules.d/61-station.rules
SYSTEMD_DEVICE_VERIFY_SYSFS=0 exec udevadm test --action="$3" "/sys$4" 2>&1
"""


@dataclass(frozen=True)
class Ruling:
    """What udev decided on one device.

    Attributes:
        properties: its properties afterwards.
        group: number of the group that gets the node; None when the rules don't say.
        mode: of the node; None when the rules don't say.
        complaints: what udev has to say against the rules.
        text: all that it printed.
    """

    properties: dict[str, str]
    group: int | None
    mode: str | None
    complaints: list[str]
    text: str


def rule_on(tree: UsbTree, rules: str, device: Path, action: str = "add") -> Ruling:
    """Let udev apply rules to a device of the tree."""
    complete(tree)
    file = tree.base / "61-station.rules"
    file.write_text(rules)
    devpath = f"/{device.resolve().relative_to(tree.sys)}"
    # A user namespace lends the right to mount to those who haven't got it.
    lent = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    isolated = ("unshare", *lent, "--mount", "--propagation", "private", "sh", "-c", _SCRIPT, "sh")
    said = subprocess.run(
        [*isolated, str(tree.sys), str(file), action, devpath],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    group = re.search(r"61-station\.rules:\d+ GROUP (\d+)", said)
    mode = re.search(r"61-station\.rules:\d+ MODE (\d+)", said)
    return Ruling(
        properties=dict(re.findall(r"^([A-Z][A-Z0-9_]*)=(.*)$", said, re.MULTILINE)),
        group=int(group[1]) if group else None,
        mode=mode[1] if mode else None,
        complaints=[
            line
            for line in said.splitlines()
            if "61-station.rules:" in line and not re.search(r":\d+ (GROUP|MODE|RUN|ATTR) ", line)
        ],
        text=said,
    )


def complete(tree: UsbTree) -> None:
    """Add what udev asks of a sysfs beyond what the station reads."""
    block = tree.sys / "class" / "block"
    block.mkdir(parents=True, exist_ok=True)
    for folder in tree.sys.rglob("*"):
        if folder.is_symlink() or not folder.is_dir() or (folder / "uevent").exists():
            continue
        if folder.parent.name == "block" and folder.parent.parent != tree.sys:
            (folder / "uevent").write_text(
                f"MAJOR=8\nMINOR=16\nDEVNAME={folder.name}\nDEVTYPE=disk\n"
            )
            (folder / "subsystem").symlink_to(block)
        elif (folder / "bInterfaceClass").exists():
            driver = folder / "driver"
            bound = f"DRIVER={driver.resolve().name}\n" if driver.is_symlink() else ""
            (folder / "uevent").write_text(f"DEVTYPE=usb_interface\n{bound}")
        elif (folder / "subsystem").is_symlink():
            (folder / "uevent").write_text("DEVTYPE=usb_device\n")
