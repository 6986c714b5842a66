"""A network that can be spoilt: TCP links, each from a port of ours to one behind it, in a process of their own.

`python -m tests.faults.proxy '{"name": [port, behind], …}'` reads commands from its input, one JSON object a line, and
answers each with a line: {"link": name, "do": what}, where what is

    pass    as if it were not there; connections that met a hole are reset
    cut     reset every connection; new ones are welcome
    refuse  reset every connection, and refuse new ones
    delay   hold each byte back for `seconds`, in both directions
    hole    pass nothing on, and tell nobody
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
import sys
from dataclasses import dataclass, field

RESET = struct.pack("ii", 1, 0)
CHUNK_BYTES = 65_536


@dataclass
class Link:
    """One link and the connections on it."""

    port: int
    behind: int
    delay_seconds: float = 0.0
    server: asyncio.Server | None = None
    holed: bool = False
    flows: asyncio.Event = field(default_factory=asyncio.Event)
    connections: set[asyncio.StreamWriter] = field(default_factory=set)

    async def do(self, what: str, seconds: float) -> None:
        """Change what happens to this link from now on."""
        if what in ("cut", "refuse") or (what == "pass" and self.holed):
            self._reset()
        self.delay_seconds = seconds if what == "delay" else 0.0
        self.holed = what == "hole"
        if self.holed:
            self.flows.clear()
        else:
            self.flows.set()
        if what == "refuse" and self.server is not None:
            self.server.close()
            self.server = None
        elif what != "refuse" and self.server is None:
            self.server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)

    def _reset(self) -> None:
        for writer in tuple(self.connections):
            with contextlib.suppress(OSError):  # it was closed in this moment
                _socket(writer).setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.add(writer)
        there: asyncio.StreamWriter | None = None
        try:
            await self.flows.wait()
            back, there = await asyncio.open_connection("127.0.0.1", self.behind)
            self.connections.add(there)
            for end in (writer, there):
                _socket(end).setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            async with asyncio.TaskGroup() as ways:  # ends when both have ended, or with the first that is lost
                self._carry(ways, reader, there)
                self._carry(ways, back, writer)
        except* OSError:
            pass
        finally:
            for end in (writer, *([there] if there else [])):
                self.connections.discard(end)
                end.transport.abort()

    def _carry(self, ways: asyncio.TaskGroup, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Bytes in order, each as late as the link was when it came."""
        loop, under_way = asyncio.get_running_loop(), asyncio.Queue[tuple[float, bytes]](64)

        async def take() -> None:
            data = b"more"
            while data:
                data = await reader.read(CHUNK_BYTES)
                await under_way.put((loop.time() + self.delay_seconds, data))

        async def deliver() -> None:
            while True:
                due, data = await under_way.get()
                if due > loop.time():
                    await asyncio.sleep(due - loop.time())
                await self.flows.wait()
                if not data:
                    break
                writer.write(data)
                await writer.drain()
            writer.write_eof()

        ways.create_task(take())
        ways.create_task(deliver())


def _socket(writer: asyncio.StreamWriter) -> socket.socket:
    found: socket.socket = writer.get_extra_info("socket")
    return found


async def serve(links: dict[str, Link]) -> None:
    """Until the input ends."""
    for link in links.values():
        await link.do("pass", 0.0)
    commands = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    print("ready", flush=True)
    while line := await commands.readline():
        command = json.loads(line)
        await links[command["link"]].do(command["do"], command.get("seconds", 0.0))
        print("done", flush=True)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve({name: Link(*ports) for name, ports in json.loads(sys.argv[1]).items()}))
