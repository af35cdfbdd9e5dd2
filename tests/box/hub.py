"""Plugging and pulling while the machine runs."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.box.qmp import MachineProtocol
from tests.box.sockets import Socket
from tests.box.stick import Keyboard, NestedHub, Pluggable, Speed, Stick

_PLUGIN = Path(__file__).with_name("liar.py")
_HUNG_BYTES_PER_S = 1
_DEVICES = "/machine/peripheral"
_BLKDEBUG_SECTOR_BYTES = 512


class Hub:
    """The hands of a volunteer.

    Keeps nothing in memory: what is plugged where is asked of QEMU, so that several processes may
    plug into one machine.

    Args:
        protocol: the machine's.
        folder: where the sockets of lying flash go; its path must be short.
    """

    def __init__(self, protocol: MachineProtocol, folder: Path) -> None:
        self._protocol = protocol
        self._folder = folder

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """What is plugged in meanwhile goes in at one moment of the guest's time."""
        self._protocol.execute("stop")
        try:
            yield
        finally:
            self._protocol.execute("cont")

    def plug(self, what: Pluggable, socket: Socket) -> None:
        """Put something into a free socket; the guest sees it within moments."""
        place = {"bus": f"{socket.controller.name}.0", "port": socket.port, "id": socket.name}
        match what:
            case Stick():
                self._plug_stick(what, socket, place)
            case Keyboard():
                self._add_device("usb-kbd", place)
            case NestedHub():
                self._add_device("usb-hub", {**place, "ports": 8})

    def pull(self, socket: Socket) -> None:
        """Take out what is in a socket, whatever it is doing."""
        self._protocol.execute_until(
            "device_del", {"id": socket.name}, "DEVICE_DELETED", device=socket.name
        )
        # Upper layers let go of lower ones.
        nodes = {node["node-name"] for node in self._protocol.execute("query-named-block-nodes")}
        for node in reversed(_layers(socket)):
            if node in nodes:
                self._protocol.execute("blockdev-del", {"node-name": node})
                if node == _speed_of(socket):
                    self._protocol.execute("object-del", {"id": _group_of(socket)})

    def occupied(self) -> list[Socket]:
        """The sockets with something in them; those of a hub stand before the hub's own."""
        devices = self._protocol.execute("qom-list", {"path": _DEVICES})
        found = []
        for device in devices:
            # The controllers and the parts of sticks are listed too.
            with suppress(ValueError):
                found.append(Socket.named(device["name"]))
        return sorted(found, key=lambda socket: len(socket.chain), reverse=True)

    def set_speed(self, socket: Socket, speed: Speed) -> None:
        """Change how fast the stick in a socket is, from its next command on."""
        self._protocol.execute(
            "qom-set",
            {
                "path": f"/objects/{_group_of(socket)}",
                "property": "limits",
                "value": _limits(speed),
            },
        )

    def hang(self, socket: Socket) -> None:
        """Let the stick in a socket answer no more, for as long as it stays in.

        Bulk-only sticks alone: QEMU 7.2 ends with a failed assertion (usb_uas_cancel_io) when a UAS
        stick is pulled while a command is under way. And it stands still when the guest's kernel
        resets a stick whose command hangs, by default after 30 seconds.
        """
        self.set_speed(socket, Speed(_HUNG_BYTES_PER_S, _HUNG_BYTES_PER_S))

    def _plug_stick(self, stick: Stick, socket: Socket, place: Mapping[str, object]) -> None:
        self._add_flash(stick, socket)
        self._add_device(stick.transport, {**place, "serial": stick.serial})
        self._add_device(
            "scsi-hd",
            {
                "id": f"{socket.name}-disk",
                "bus": f"{socket.name}.0",
                "drive": _speed_of(socket),
                "removable": True,
                "vendor": stick.vendor,
                "product": stick.product,
                "logical_block_size": stick.sector_bytes,
                "physical_block_size": stick.sector_bytes,
                # The guest is told of every error; the default stops the machine on some.
                "werror": "report",
                "rerror": "report",
            },
        )
        # Until here the disk was being built into the stick; now the stick goes into the socket.
        self._protocol.execute(
            "qom-set",
            {"path": f"{_DEVICES}/{socket.name}", "property": "attached", "value": True},
        )

    def _add_flash(self, stick: Stick, socket: Socket) -> None:
        memory, faults, flash, speed = _layers(socket)
        group = _group_of(socket)
        self._protocol.execute(
            "object-add",
            {"qom-type": "throttle-group", "id": group, "limits": _limits(stick.speed)},
        )
        layers: dict[str, Mapping[str, object]] = {
            memory: self._memory(stick, socket),
            faults: {
                "driver": "blkdebug",
                "image": memory,
                **_injected(stick),
            },
            flash: {"driver": "raw", "file": faults},
            speed: {"driver": "throttle", "file": flash, "throttle-group": group},
        }
        for name, options in layers.items():
            self._protocol.execute(
                "blockdev-add", {"node-name": name, "read-only": stick.locked, **options}
            )

    def _memory(self, stick: Stick, socket: Socket) -> dict[str, object]:
        lies = _lies(stick)
        path = self._folder / f"{socket.name}.nbd"
        if stick.cached:
            serve_cached(stick.memory, path)
        elif lies:
            _serve(path, "python", _PLUGIN, f"memory={stick.memory}", *lies)
        else:
            return {"driver": "file", "filename": str(stick.memory)}
        return {"driver": "nbd", "server": {"type": "unix", "path": str(path)}}

    def _add_device(self, driver: str, properties: Mapping[str, object]) -> None:
        self._protocol.execute("device_add", {"driver": driver, **properties})


def _layers(socket: Socket) -> tuple[str, str, str, str]:
    """Names of a stick's block nodes, from the memory up."""
    name = socket.name
    return f"{name}-memory", f"{name}-faults", f"{name}-flash", _speed_of(socket)


def _speed_of(socket: Socket) -> str:
    return f"{socket.name}-speed"


def _group_of(socket: Socket) -> str:
    return f"{socket.name}-limits"


def _limits(speed: Speed) -> dict[str, int]:
    return {"bps-write": speed.write_bytes_per_s, "bps-read": speed.read_bytes_per_s}


def _injected(stick: Stick) -> dict[str, object]:
    rules: list[dict[str, object]] = [
        {
            "event": "none",  # at any time
            "iotype": bad.on,
            "sector": bad.offset_bytes // _BLKDEBUG_SECTOR_BYTES,
            "once": bad.once,
        }
        for bad in stick.bad_sectors
    ]
    if stick.fails_flush:
        rules.append({"event": "none", "iotype": "flush"})
    # QEMU takes no empty list here.
    return {"inject-error": rules} if rules else {}


def _lies(stick: Stick) -> list[str]:
    """What the plugin is told; nothing for a stick that says what it does."""
    lies = []
    if stick.counterfeit is not None:
        lies += [f"real={stick.counterfeit.real_bytes}", f"lie={stick.counterfeit.lie}"]
    if (bad := stick.bad_flash) is not None:
        lies += [f"does={bad.does}", f"start={bad.start_bytes}", f"end={bad.end_bytes}"]
        lies += [f"pause={bad.pause_s}"]
    return lies


def serve_cached(memory: Path, path: Path) -> None:
    """Offer an image file at a socket, as memory that loses with its power what was not flushed."""
    _serve(path, "--filter=cache", "file", memory, "cache=writeback")


def cut_power(folder: Path) -> None:
    """End what serves flash from a folder, at once: what it kept to itself is gone."""
    for pid_file in folder.glob("*.pid"):
        os.kill(int(pid_file.read_text()), signal.SIGKILL)
        pid_file.unlink()


def _serve(path: Path, *what: str | Path) -> None:
    # It goes to the background once it listens, and ends when the stick is pulled.
    path.unlink(missing_ok=True)
    subprocess.run(
        [
            *("nbdkit", "--unix", path, "--pidfile", path.with_suffix(".pid")),
            *("--filter=exitlast", *what),
        ],
        check=True,
        capture_output=True,
    )
