"""Connections to strangers: each socket goes to an address that was looked at, whatever its name meant a moment ago."""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from errno import EACCES
from functools import partial
from ipaddress import ip_address
from typing import Any

from aiohttp import ClientError, ClientRequest, ClientTimeout, TCPConnector
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.tracing import Trace

from services.notifications.model.targets import Targets

LOOKUPS = 128
"""Names that are looked up at the same time; a server of names that does not answer holds one of them for as long as
the system's resolver waits. Apart from the loop's own threads, which others need."""
IDLE_SECONDS = 3.0
"""Shorter than receivers commonly leave an idle connection open (5 s), so that they seldom close one that is used."""


ANSWER_BYTES = 16 * 1024
"""What is read of one answer, its interim responses among it: each byte is parsed on the loop that all share."""


class NotAllowed(OSError):
    """The address is none that webhooks may go to."""


class TooLong(ClientError):
    """It answered more than is read."""


class _Answer(ResponseHandler):
    """Reads the beginning of an answer, and closes on the rest."""

    _left = ANSWER_BYTES

    def begin(self) -> None:
        """Another answer."""
        self._left = ANSWER_BYTES

    def data_received(self, data: bytes) -> None:
        read, self._left = data[: self._left], self._left - len(data)
        if read or not data:
            super().data_received(read)
        if self._left < 0:
            self._left = 0
            self.set_exception(TooLong(f"it answered more than {ANSWER_BYTES} bytes"))
            if self.transport is not None:  # not by `abort`, which forgets the exception
                self.transport.abort()


class Connector(TCPConnector):
    """Makes and keeps connections. The caller bounds how many are open, and for how long."""

    def __init__(self, targets: Targets) -> None:
        self._targets = targets
        self.names = Names()
        """aiohttp closes no resolver that it was given."""
        super().__init__(
            resolver=self.names,
            use_dns_cache=False,
            limit=0,
            keepalive_timeout=IDLE_SECONDS,
            socket_factory=self._checked,
        )
        kind: type[ResponseHandler] = _Answer
        self._factory = partial(kind, loop=self._loop)

    async def connect(self, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout) -> Connection:
        """A connection for one request and its answer."""
        connection = await super().connect(req, traces, timeout)
        assert isinstance(connection.protocol, _Answer), "the factory makes no others"
        connection.protocol.begin()
        return connection

    def _checked(self, info: tuple[Any, ...]) -> socket.socket:
        """aiohttp makes every socket with this, right before it connects it to just this address."""
        family, kind, protocol, _, address = info
        if not self._targets.allows(ip_address(address[0])):
            raise NotAllowed(EACCES, f"{address[0]} is an address that webhooks may not go to")
        made = socket.socket(family=family, type=kind, proto=protocol)
        made.setblocking(False)
        return made


class Names(AbstractResolver):
    """The system's resolver, in threads of its own; a name is looked up once at a time, whoever waits for it."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(LOOKUPS, thread_name_prefix="names")
        self._asked: dict[tuple[str, int, socket.AddressFamily], asyncio.Future[list[Any]]] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises OSError."""
        asked = (host, port, family)
        if (answer := self._asked.get(asked)) is None:
            answer = asyncio.get_running_loop().run_in_executor(
                self._threads, lambda: socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
            )
            self._asked[asked] = answer
            answer.add_done_callback(lambda _: self._asked.pop(asked))
        found = await asyncio.shield(answer)
        return [
            ResolveResult(hostname=host, host=str(address[0]), port=port, family=family, proto=proto, flags=0)
            for family, _, proto, _, address in found
        ]

    async def close(self) -> None:
        """Does not wait for names that are still looked up."""
        self._threads.shutdown(wait=False, cancel_futures=True)
