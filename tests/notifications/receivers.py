"""Subscribers as there are out there: they take events, refuse them, hang, break off, or answer nonsense."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Network

from aiohttp import web
from aiohttp.test_utils import TestServer

from services.notifications.model.targets import Targets

HERE = Targets(networks=(IPv4Network("127.0.0.0/8"),), ports=(), plain_http=True)
"""Lets webhooks go to the receivers of tests."""
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Got:
    """One request as it came."""

    headers: dict[str, str]
    body: str

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


@dataclass
class Receiver:
    """Answers `status` with `headers` and `text`; keeps what it got. With `hangs` set it never answers."""

    url: str = ""
    status: int = 200
    text: str = "thanks"
    headers: dict[str, str] = field(default_factory=dict)
    hangs: bool = False
    got: list[Got] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    status_of: Callable[[Got], int] | None = None

    async def take(self, request: web.Request) -> web.Response:
        got = Got({name.lower(): value for name, value in request.headers.items()}, await request.text())
        self.got.append(got)
        self.came.set()
        if self.hangs:
            await self.gone.wait()
        status = self.status_of(got) if self.status_of else self.status
        return web.Response(status=status, text=self.text, headers=self.headers)

    @property
    def ids(self) -> list[str]:
        return [got.id for got in self.got]


@asynccontextmanager
async def receiving(receiver: Receiver | None = None) -> AsyncIterator[Receiver]:
    """A receiver on a port of its own."""
    found = receiver or Receiver()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", found.take)
    server = TestServer(app)
    await server.start_server()
    found.url = str(server.make_url("/hook"))
    yield found
    found.gone.set()
    await server.close()


@asynccontextmanager
async def speaking(serve: Serve) -> AsyncIterator[str]:
    """A server of bytes; yields its URL. `serve` has the request's reader and a writer that is closed after it."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/hook"
    server.close()


def saying(*parts: bytes, pause: float = 0.0) -> Serve:
    """Writes each part, with a pause before all but the first, then closes."""

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number, part in enumerate(parts):
            if number and pause:
                await asyncio.sleep(pause)
            writer.write(part)
            await writer.drain()

    return serve
