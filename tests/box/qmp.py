"""QEMU's machine protocol, spoken from ordinary threads: to the machine and to its guest agent.

The protocol is `qemu.qmp`'s business; this gives it an event loop of its own, so that a test can
call and wait as it does with everything else.
"""

import asyncio
import socket
import threading
from collections.abc import Coroutine, Mapping
from typing import Any, Self, TypeVar

from qemu.qmp import EventListener, Message, QMPClient

_Result = TypeVar("_Result")


class MachineProtocol:
    """One connection to a QMP socket, usable from any thread.

    `timeout_s` is what one command may take. All methods raise `qemu.qmp.QMPError` when the other
    side says no or has gone, and `TimeoutError` when it does not answer in time.
    """

    def __init__(self, client: QMPClient, *, timeout_s: float) -> None:
        self._client = client
        self._timeout_s = timeout_s
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name=f"qmp-{client.name}", daemon=True
        )
        self._thread.start()

    @classmethod
    def of_machine(cls, connection: socket.socket, *, timeout_s: float) -> Self:
        """Connect to the machine; it greets and negotiates."""
        return cls._connected(QMPClient("machine"), connection, timeout_s=timeout_s)

    @classmethod
    def of_guest_agent(cls, connection: socket.socket, *, timeout_s: float) -> Self:
        """Connect to the guest's agent, which speaks the same language but does not greet."""
        client = QMPClient("agent")
        client.await_greeting = False
        client.negotiate = False
        return cls._connected(client, connection, timeout_s=timeout_s)

    @classmethod
    def _connected(cls, client: QMPClient, connection: socket.socket, *, timeout_s: float) -> Self:
        protocol = cls(client, timeout_s=timeout_s)
        try:
            protocol._wait_for(client.connect(connection))
        except BaseException:
            protocol._end_loop()
            raise
        return protocol

    def execute(
        self,
        command: str,
        arguments: Mapping[str, object] | None = None,
        *,
        timeout_s: float | None = None,
    ) -> Any:
        """Run one command and return what it returns."""
        return self._wait_for(self._client.execute(command, dict(arguments or {})), timeout_s)

    def execute_until(
        self, command: str, arguments: Mapping[str, object], event: str, **data: object
    ) -> None:
        """Run one command and wait for the event, with at least this data, that completes it."""

        def completes(message: Message) -> bool:
            told = message["data"]
            return isinstance(told, dict) and data.items() <= told.items()

        async def run() -> None:
            listener = EventListener(event, completes)
            with self._client.listen(listener):
                await self._client.execute(command, dict(arguments))
                await listener.get()

        self._wait_for(run())

    def close(self) -> None:
        """Disconnect."""
        try:
            self._wait_for(self._client.disconnect())
        finally:
            self._end_loop()

    def _wait_for(
        self, call: Coroutine[Any, Any, _Result], timeout_s: float | None = None
    ) -> _Result:
        # The limit is kept inside of the loop, so that a call that took too long is also cancelled.
        limited = asyncio.wait_for(call, timeout_s or self._timeout_s)
        return asyncio.run_coroutine_threadsafe(limited, self._loop).result()

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
