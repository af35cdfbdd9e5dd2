"""The systemd unit of an installed station, as text: `station@PROFILE.service`.

The service holds no capability, sees no device but SCSI disks, and of these the kernel lets it open
only those that udev gave to its group: see `udev_rules`.

Sources: systemd.unit(5), systemd.service(5), systemd.exec(5), systemd.resource-control(5).
"""

from dataclasses import dataclass
from pathlib import Path

UNIT_FILE = "station@.service"

_UNIT = """\
# Written by `station install`; it is written anew each time. `station uninstall` removes it.
[Unit]
Description=USB stick loading station, profile %i
Wants=systemd-udevd.service
After=systemd-udevd.service local-fs.target time-sync.target

[Service]
Type=exec
User=@user@
Group=@user@
ExecStart=@command@
# Sticks that did not pass are a day's work, and no failure of the service.
SuccessExitStatus=1
Restart=on-failure
# Refused: a profile, manifest or option is wrong, and will be the next time, too.
RestartPreventExitStatus=2
RestartSec=5
# `systemctl stop` stops at once. To finish the sticks under way first:
# systemctl kill --signal=INT --kill-whom=main station@PROFILE
KillMode=mixed
TimeoutStopSec=30
@terminal@
StateDirectory=station
StateDirectoryMode=0750
Environment=HOME=/var/lib/station
UMask=0027

CapabilityBoundingSet=
AmbientCapabilities=
NoNewPrivileges=yes
DevicePolicy=closed
# USB sticks and cards are SCSI disks; which of them, is up to the permissions of the nodes.
DeviceAllow=block-sd rw
@devices@ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
# No network; but udev speaks over netlink, in the machine's own network namespace alone.
RestrictAddressFamilies=AF_UNIX AF_NETLINK
IPAddressDeny=any
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RemoveIPC=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
"""
_JOURNAL = "StandardInput=null\n"
_CONSOLE = """\
StandardInput=tty
StandardOutput=tty
StandardError=journal
TTYPath=@tty@
TTYReset=yes
TTYVHangup=yes
Environment=TERM=linux
"""


@dataclass(frozen=True, slots=True)
class ServiceOptions:
    """What the service runs.

    Attributes:
        user: name of its user and of its group.
        python: the interpreter that has the station installed.
        root: folder that holds `profiles/` and `content_manifests/`.
        port_map: the map of the taught ports.
        ledger: file of the ledger.
        tty: virtual console that shows the dashboard; None for plain lines in the journal.
    """

    user: str
    python: Path
    root: Path
    port_map: Path
    ledger: Path
    tty: Path | None = None


def render_unit(options: ServiceOptions) -> str:
    """Write the unit."""
    view = "plain" if options.tty is None else "dashboard"
    words = (
        *(_word(options.python), "-m", "station", "run", "--profile", "%i"),
        *("--root", _word(options.root), "--ports", _word(options.port_map)),
        *("--ledger", _word(options.ledger), "--view", view),
    )
    terminal, devices = _JOURNAL, ""
    if options.tty is not None:
        tty = _specifiers_escaped(str(options.tty))
        terminal, devices = _CONSOLE.replace("@tty@", tty), f"DeviceAllow={tty} rw\n"
    return (
        _UNIT.replace("@devices@", devices)
        .replace("@terminal@\n", terminal)
        .replace("@user@", options.user)
        .replace("@command@", " ".join(words))
    )


def _word(path: Path) -> str:
    """One word of a command line in a unit (systemd.service(5), "Command lines")."""
    text = str(path).replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return f'"{_specifiers_escaped(text)}"'


def _specifiers_escaped(text: str) -> str:
    return text.replace("%", "%%")
