"""TLS before a PostgreSQL that has none, as the protocol has it (SSLRequest): the embedded server is built without."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"


@asynccontextmanager
async def by_tls(url: str, shown: ssl.SSLContext) -> AsyncIterator[int]:
    """The port at which the server of this URL answers by TLS, and no other way."""
    server_of = urlsplit(url)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readexactly(len(SSL_REQUEST)) == SSL_REQUEST, "nobody speaks in the clear"
        writer.write(b"S")
        try:
            await writer.start_tls(shown)
        except OSError:
            return
        behind, before = await asyncio.open_connection(server_of.hostname, server_of.port)
        await asyncio.gather(_pipe(reader, before), _pipe(behind, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()
