"""The box by hand: a developer plays volunteer. See `scripts/box`, which runs this."""

import shutil
import socket as sockets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from qemu.qmp import ExecuteError

from station.errors import OperatorError
from station.units import format_size, parse_size
from tests.box.build import build_box, cache_folder
from tests.box.hub import Hub
from tests.box.machine import Machine
from tests.box.qmp import MachineProtocol
from tests.box.sockets import Controller, Socket
from tests.box.stick import (
    BadSector,
    Counterfeit,
    Keyboard,
    Lie,
    NestedHub,
    Speed,
    Stick,
    Transport,
    blank_stick,
)

_DATA_DISK_BYTES = 256 << 20
_COMMAND_TIMEOUT_S = 60.0


def _socket(name: str) -> Socket:
    try:
        return Socket.named(name)
    except ValueError as error:
        first = ", ".join(Socket(controller, (1,)).name for controller in Controller)
        raise typer.BadParameter(f"{error}; sockets are named like {first}") from error


def _size(text: str) -> int:
    try:
        return parse_size(text)
    except OperatorError as error:
        raise typer.BadParameter(str(error)) from error


SocketName = Annotated[
    Socket, typer.Argument(parser=_socket, help="Such as XHCI_0-3, EHCI-2, or XHCI_1-6.2 in a hub.")
]
Size = Annotated[int | None, typer.Option(parser=_size, metavar="SIZE")]
Folder = Annotated[
    Path,
    typer.Option(
        envvar="STATION_BOX_FOLDER",
        help="Folder of the running box: its sticks, its control socket, its exchange folder.",
    ),
]
_FOLDER = cache_folder() / "by-hand"

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)


@app.command()
def start(folder: Folder = _FOLDER) -> None:
    """Switch the box on; the terminal becomes its console. Leave it with Ctrl-A X."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    blank_stick(folder / "data", _DATA_DISK_BYTES)
    typer.echo("box: starting; on the very first use it is built, which takes some minutes ...")
    control = f"unix:{_control(folder)},server=on,wait=off"
    with Machine.boot(
        build_box(), folder, folder / "data", arguments=["-qmp", control], on_terminal=True
    ) as machine:
        size = shutil.get_terminal_size()
        machine.run(
            *("stty", "--file=/dev/ttyS0", "rows", str(size.lines), "columns", str(size.columns))
        )
        machine.wait()


@app.command()
def plug(  # noqa: PLR0913 - each is an option of the command line
    socket: SocketName,
    folder: Folder = _FOLDER,
    *,
    size: Annotated[int, typer.Option(parser=_size, metavar="SIZE")] = 512_000_000,
    memory: Annotated[
        Path | None, typer.Option(help="Image file to plug in again, instead of a blank stick.")
    ] = None,
    write: Size = None,
    read: Size = None,
    real: Size = None,
    lie: Annotated[Lie, typer.Option(help="What a counterfeit does beyond --real.")] = Lie.LIMBO,
    bad_write: Size = None,
    bad_read: Size = None,
    uas: Annotated[bool, typer.Option("--uas")] = False,
    locked: Annotated[bool, typer.Option("--locked")] = False,
    sector: int = 512,
    vendor: str = "Acme",
    product: str = "Flash",
    serial: str = "0001",
) -> None:
    """Plug in a stick: --write and --read are speeds per second, --bad-… offsets that fail."""
    if memory is None:
        memory = folder / f"{socket.name}.memory"
        memory.unlink(missing_ok=True)
        blank_stick(memory, size - size % sector)
    bad = [("write", bad_write), ("read", bad_read)]
    stick = Stick(
        memory.resolve(),
        sector_bytes=sector,
        transport=Transport.UAS if uas else Transport.BULK_ONLY,
        locked=locked,
        speed=Speed(write or 0, read or 0),
        vendor=vendor,
        product=product,
        serial=serial,
        counterfeit=None if real is None else Counterfeit(lie, real),
        bad_sectors=tuple(BadSector(offset, on) for on, offset in bad if offset is not None),
    )
    with _hub(folder) as hub:
        hub.plug(stick, socket)
    typer.echo(f"box: {format_size(memory.stat().st_size)} in {socket.name}, held by {memory}")


@app.command()
def keyboard(socket: SocketName, folder: Folder = _FOLDER) -> None:
    """Plug in a keyboard."""
    with _hub(folder) as hub:
        hub.plug(Keyboard(), socket)


@app.command("hub")
def nested_hub(socket: SocketName, folder: Folder = _FOLDER) -> None:
    """Plug in a hub with eight sockets: that of XHCI_1-6 are XHCI_1-6.1 to XHCI_1-6.8."""
    with _hub(folder) as hub:
        hub.plug(NestedHub(), socket)


@app.command()
def pull(socket: SocketName, folder: Folder = _FOLDER) -> None:
    """Pull what is in a socket."""
    with _hub(folder) as hub:
        hub.pull(socket)


@app.command()
def hang(socket: SocketName, folder: Folder = _FOLDER) -> None:
    """Let the stick in a socket answer no more."""
    with _hub(folder) as hub:
        hub.hang(socket)


@app.command()
def speed(
    socket: SocketName, folder: Folder = _FOLDER, write: Size = None, read: Size = None
) -> None:
    """Change how fast the stick in a socket is; without options it has no limit."""
    with _hub(folder) as hub:
        hub.set_speed(socket, Speed(write or 0, read or 0))


@app.command("list")
def list_sockets(folder: Folder = _FOLDER) -> None:
    """Name the sockets with something in them."""
    with _hub(folder) as hub:
        for socket in hub.occupied():
            typer.echo(socket.name)


@contextmanager
def _hub(folder: Path) -> Iterator[Hub]:
    with sockets.socket(sockets.AF_UNIX) as connection:
        try:
            connection.connect(str(_control(folder)))
        except OSError as error:
            raise typer.BadParameter(f"no box runs in {folder}: {error.strerror}") from error
        protocol = MachineProtocol.of_machine(connection, timeout_s=_COMMAND_TIMEOUT_S)
        try:
            yield Hub(protocol, folder)
        except ExecuteError as error:
            raise typer.BadParameter(f"QEMU refuses: {error}") from error
        finally:
            protocol.close()


def _control(folder: Path) -> Path:
    return folder / "control"


if __name__ == "__main__":
    app()
