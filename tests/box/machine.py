"""The box: an emulated machine that boots Debian and has USB sockets to plug into."""

import shlex
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from socket import socketpair
from types import TracebackType
from typing import Self

from qemu.qmp import QMPError

from tests.box.build import CHECKOUT, BoxImage
from tests.box.qmp import MachineProtocol
from tests.box.sockets import Controller, Socket

GUEST_EXCHANGE = Path("/exchange")
"""Where the guest sees `Machine.exchange`."""

_BOOT_TIMEOUT_S = 600.0
_COMMAND_TIMEOUT_S = 180.0
_POLL_S = 0.05
_ANSWER_TIMEOUT_S = 120.0
"""Milliseconds on an idle machine; the limits are for hangs, not for machines that are busy."""


class BootError(RuntimeError):
    """The machine did not come up; the text ends with what it said."""


class GuestCommandError(RuntimeError):
    """A command in the guest ended with another exit code than 0."""


class GuestProcess:
    """A command that runs in the guest; what it prints goes to two files of the host."""

    def __init__(self, agent: MachineProtocol, pid: int, stdout: Path, stderr: Path) -> None:
        self._agent = agent
        self._exit_code: int | None = None
        self.pid = pid
        self.stdout = stdout
        self.stderr = stderr

    def poll(self) -> int | None:
        """Exit code, negative for a signal; None while it runs."""
        if self._exit_code is None:
            # The agent tells of an exit once and then forgets the process.
            status = self._agent.execute("guest-exec-status", {"pid": self.pid})
            if status["exited"]:
                self._exit_code = status["exitcode"] if "exitcode" in status else -status["signal"]
        return self._exit_code

    def wait(self, timeout_s: float) -> int:
        """Wait for the exit code.

        Raises:
            TimeoutError: when it still runs after `timeout_s`.
        """
        deadline = time.monotonic() + timeout_s
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise TimeoutError(f"guest process {self.pid} still runs after {timeout_s} s")
            time.sleep(_POLL_S)
        return code


class Machine:
    """A running machine; leaving its context switches it off.

    Attributes:
        protocol: QEMU's own protocol.
        exchange: a folder of the host that the guest reads and writes as `GUEST_EXCHANGE`.
    """

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        protocol: MachineProtocol,
        agent: MachineProtocol,
        exchange: Path,
    ) -> None:
        self._process = process
        self._agent = agent
        self._started = 0
        self.protocol = protocol
        self.exchange = exchange

    @classmethod
    def boot(
        cls,
        image: BoxImage,
        folder: Path,
        data_disk: Path | str,
        *,
        arguments: Sequence[str] = (),
        on_terminal: bool = False,
    ) -> Self:
        """Start a machine and return when its system is up.

        Args:
            image: what to boot.
            folder: where the machine's files go: `exchange`, and the logs `console` and `qemu`.
            data_disk: image file of an internal SATA disk, or another place in QEMU's words.
            arguments: more arguments for QEMU.
            on_terminal: whether the guest's console is this process's terminal, and no log.

        Raises:
            BootError: when the machine does not come up.
        """
        exchange = folder / "exchange"
        exchange.mkdir(exist_ok=True)
        with ExitStack() as undo:
            machine_end, machine_far_end = socketpair()
            agent_end, agent_far_end = socketpair()
            for end in (machine_end, machine_far_end, agent_end, agent_far_end):
                undo.callback(end.close)
            fds = (machine_far_end.fileno(), agent_far_end.fileno())
            with (folder / "qemu").open("wb") as log:
                process = subprocess.Popen(
                    [
                        *_command(image, folder, data_disk, *fds),
                        *_console(None if on_terminal else folder / "console"),
                        *arguments,
                    ],
                    stdin=None if on_terminal else subprocess.DEVNULL,
                    stdout=None if on_terminal else log,
                    stderr=log,
                    pass_fds=fds,
                )
            undo.callback(_end, process)
            # The machine holds its own copies; with ours closed, its end is heard of here.
            machine_far_end.close()
            agent_far_end.close()
            try:
                protocol = MachineProtocol.of_machine(machine_end, timeout_s=_ANSWER_TIMEOUT_S)
                undo.callback(protocol.close)
                agent = MachineProtocol.of_guest_agent(agent_end, timeout_s=_ANSWER_TIMEOUT_S)
                undo.callback(agent.close)
                machine = cls(process, protocol, agent, exchange)
                agent.execute("guest-sync", {"id": process.pid}, timeout_s=_BOOT_TIMEOUT_S)
                machine.run("systemctl", "is-system-running", "--wait", timeout_s=_BOOT_TIMEOUT_S)
            except (QMPError, OSError, GuestCommandError) as error:
                said = "".join(
                    (folder / name).read_text(errors="replace")[-2000:]
                    for name in ("qemu", "console")
                    if (folder / name).exists()
                )
                raise BootError(f"the box does not boot: {error}\n{said}") from error
            undo.pop_all()
        return machine

    def run(self, *command: str | Path, timeout_s: float = _COMMAND_TIMEOUT_S) -> str:
        """Run a command in the guest, as root, and return what it printed.

        Raises:
            GuestCommandError: when its exit code is not 0.
            TimeoutError: when it takes longer than `timeout_s`; it is killed.
        """
        process = self.start(*command)
        try:
            code = process.wait(timeout_s)
        except TimeoutError as error:
            self.signal(process, "KILL")
            error.add_note(f"it was: {shlex.join(map(str, command))}")
            raise
        if code != 0:
            raise GuestCommandError(
                f"{shlex.join(map(str, command))} ended with {code}: {process.stderr.read_text()}"
            )
        return process.stdout.read_text()

    def succeeds(self, *command: str | Path) -> bool:
        """Run a command in the guest, as root, and tell whether its exit code is 0."""
        return self.start(*command).wait(_COMMAND_TIMEOUT_S) == 0

    def start(self, *command: str | Path) -> GuestProcess:
        """Start a command in the guest, as root."""
        self._started += 1
        names = [f"{self._started}.{stream}" for stream in ("out", "err")]
        # The files are there before the command, whose path may turn out to be wrong.
        for name in names:
            (self.exchange / name).touch()
        redirections = " ".join(
            f"{descriptor}>>{GUEST_EXCHANGE / name}" for descriptor, name in enumerate(names, 1)
        )
        started = self._agent.execute(
            "guest-exec",
            {
                "path": "/bin/sh",
                "arg": ["-c", f'exec "$@" {redirections}', "sh", *map(str, command)],
            },
        )
        return GuestProcess(self._agent, started["pid"], *(self.exchange / name for name in names))

    def signal(self, process: GuestProcess, name: str) -> None:
        """Send a signal, such as INT, to a command that still runs."""
        # The shell's own kill: the guest has no program of that name.
        self.run("sh", "-c", 'kill -s "$0" "$1"', name, str(process.pid))

    def disk(self, socket: Socket) -> Path:
        """Wait for the disk in a socket and return its node, `/dev/sdX`.

        Raises:
            GuestCommandError: when none appears within a minute.
        """
        # Not --settle: udev puts off a disk that a station holds, and its queue is never empty.
        self.run("udevadm", "wait", "--timeout=60", socket.disk)
        return Path(self.run("readlink", "--canonicalize-existing", socket.disk).strip())

    def await_no_disk(self, sockets: Sequence[Socket]) -> None:
        """Wait until nobody takes the disks that were pulled from sockets for the next ones.

        Raises:
            GuestCommandError: when one is still there after a minute.
        """
        if sockets:
            links = [socket.disk for socket in sockets]
            self.run("udevadm", "wait", "--removed", "--timeout=60", *links)

    def internal_written_bytes(self) -> int:
        """Bytes that the guest has written to its internal disks since it was switched on."""
        statistics = self.protocol.execute("query-blockstats")
        return sum(
            disk["stats"]["wr_bytes"]
            for disk in statistics
            if disk["device"] in ("system", "environment", "data")
        )

    def freeze(self) -> None:
        """Let nothing go on until the machine is switched off; QEMU's own `stop` flushes disks."""
        self._process.send_signal(signal.SIGSTOP)

    def wait(self) -> None:
        """Return when the machine is off."""
        self._process.wait()

    def stop(self) -> None:
        """Switch the machine off, as with its plug."""
        for protocol in (self._agent, self.protocol):
            # It may have gone by itself.
            with suppress(QMPError, EOFError):
                protocol.close()
        _end(self._process)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def _command(
    image: BoxImage, folder: Path, data_disk: Path | str, protocol_fd: int, agent_fd: int
) -> list[str]:
    return [
        *("qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none"),
        # Software emulation everywhere, so that the box is the same machine everywhere.
        *("-machine", "q35", "-accel", "tcg,thread=multi", "-cpu", "max"),
        *("-smp", "2", "-m", "1024", "-no-reboot"),
        *("-kernel", str(image.kernel), "-initrd", str(image.initramfs)),
        # An emulated timer of a busy host is late, at which the kernel would give up its boot.
        *("-append", "console=ttyS0 quiet panic=-1 no_timer_check modprobe.blacklist=kvm_amd"),
        *("-chardev", f"socket,id=protocol,fd={protocol_fd}", "-mon", "protocol,mode=control"),
        *("-device", "virtio-serial-pci", "-chardev", f"socket,id=agent,fd={agent_fd}"),
        *("-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0"),
        # The guest may write to its system disk as to any other; what it writes is kept apart.
        *_disk("system", image.system, "snapshot=on"),
        *("-device", "virtio-blk-pci,drive=system,serial=system"),
        *_disk("environment", image.environment, "readonly=on"),
        *("-device", "virtio-blk-pci,drive=environment,serial=environment"),
        *_disk("data", data_disk, "cache=writeback"),
        *("-device", "ide-hd,drive=data,serial=internal"),
        *_share("checkout", CHECKOUT, "readonly=on"),
        *_share("exchange", folder / "exchange", "readonly=off"),
        *(word for controller in Controller for word in ("-device", controller.device)),
    ]


def _console(log: Path | None) -> list[str]:
    backend = f"file,path={log}" if log else "stdio,mux=on,signal=off"
    return ["-chardev", f"{backend},id=console", "-serial", "chardev:console"]


def _disk(name: str, path: Path | str, mode: str) -> list[str]:
    return ["-drive", f"if=none,id={name},format=raw,file={path},{mode}"]


def _share(tag: str, folder: Path, mode: str) -> list[str]:
    return ["-virtfs", f"local,mount_tag={tag},path={folder},security_model=none,{mode}"]
