from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from station.doctor.machine import Machine
from tests.usb.usb_tree import UsbTree

ROOT = "0000:00:14.0"
NOON = datetime(2026, 3, 7, 12, 0, tzinfo=UTC)
MACHINE_FREE_BYTES = 10**12

Teach = Callable[..., None]


@pytest.fixture
def tree(tmp_path: Path) -> UsbTree:
    """A fit machine: a kernel with udev, two sockets of which the second does USB 3, no stick."""
    tree = UsbTree(tmp_path / "machine")
    tree.add_root(1, 2)
    tree.add_root(2, 1, mbps=5000)
    tree.pair((1, "2"), (2, "1"))
    for path, text in {
        "proc/sys/kernel/osrelease": "6.1.0-18-amd64\n",
        "run/udev/control": "",
    }.items():
        (tree.base / path).parent.mkdir(parents=True, exist_ok=True)
        (tree.base / path).write_text(text)
    (tree.base / "dev").mkdir()
    return tree


@pytest.fixture
def machine(tree: UsbTree, tmp_path: Path) -> Machine:
    """That machine, about to load sticks on taught ports 1 and 2, called A1 and A2."""
    teach(tmp_path / "ports.toml", "1", "2")
    return Machine(
        port_map=tmp_path / "ports.toml",
        ledger=str(tmp_path / "ledger.sqlite"),
        now=NOON,
        catalog=tmp_path / "catalog",
        root=tree.base,
        may_use=lambda _: True,
        free_bytes=lambda _: MACHINE_FREE_BYTES,
    )


def teach(path: Path, *chains: str) -> None:
    path.write_text(
        "".join(
            f'[[port]]\nlabel = "A{number}"\npath = "{ROOT}/{chain}"\n'
            for number, chain in enumerate(chains, start=1)
        )
    )
