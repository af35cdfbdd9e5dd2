"""The user that the station runs as, as a file for systemd-sysusers (sysusers.d(5))."""

SYSUSERS_FILE = "station.conf"
STATION_USER = "station"
"""Name of the user, and of the group that gets the taught ports' disks."""


def render_sysusers(user: str = STATION_USER) -> str:
    """Write the file: a user without password or shell, and a group of the same name."""
    return (
        "# Written by `station install`; `station uninstall` removes it and leaves the user.\n"
        f'u {user} - "USB stick loading station" /var/lib/station\n'
    )
