"""The clock that tests move forward, at CLOCK_OFFSET_URL.

`PUT {"offset_seconds": n}` says how far the services' clock is ahead of real time; `GET` returns it. `POST /snapshot`
keeps it and `POST /restore` has it so again: that may be back, so no service may run then. Every process maps the same
8-byte file (little-endian signed int64), so a change is seen as soon as it is answered. Nothing of this exists in
production.
"""

import argparse
import json
import mmap
import os
from pathlib import Path

from aiohttp import web

SIZE_BYTES = 8
HIGHEST_OFFSET_SECONDS = 100 * 366 * 86_400


class ClockOffset:
    """The offset in its file. Created as 0 when the file is missing."""

    def __init__(self, file: Path) -> None:
        # Never replaced, only extended: several processes create it at once, and each maps this very file.
        with os.fdopen(os.open(file, os.O_RDWR | os.O_CREAT, 0o644), "r+b") as opened:
            os.ftruncate(opened.fileno(), SIZE_BYTES)
            self._map = mmap.mmap(opened.fileno(), SIZE_BYTES)
        self._kept: bytes | None = None

    @property
    def seconds(self) -> int:
        return int.from_bytes(self._map[:SIZE_BYTES], "little", signed=True)

    def advance_to(self, seconds: int) -> bool:
        """Store the offset; False when it would turn the clock back."""
        if seconds < self.seconds:
            return False
        # One slice assignment is one aligned 8-byte copy: readers see the old value or the new one.
        self._map[:SIZE_BYTES] = seconds.to_bytes(SIZE_BYTES, "little", signed=True)
        return True

    def restore(self) -> bool:
        """Store the offset that was kept; False where none was."""
        if self._kept is None:
            return False
        self._map[:SIZE_BYTES] = self._kept
        return True

    def snapshot(self) -> None:
        """Keep the offset, in place of what was kept before."""
        self._kept = self._map[:SIZE_BYTES]


def clock_app(clock: ClockOffset) -> web.Application:
    """GET and PUT of the offset, and its snapshot."""

    async def read(_request: web.Request) -> web.Response:
        return web.json_response({"offset_seconds": clock.seconds})

    async def write(request: web.Request) -> web.Response:
        seconds = _requested_seconds(await request.text())
        if seconds is None:
            problem = '{"offset_seconds": n}, n a whole number of seconds, 0 or more, is expected'
            return web.json_response({"problem": problem}, status=400)
        if not clock.advance_to(seconds):
            problem = f"the clock only moves forward, and is {clock.seconds} seconds ahead"
            return web.json_response({"problem": problem, "offset_seconds": clock.seconds}, status=409)
        return web.json_response({"offset_seconds": seconds})

    async def snapshot(_request: web.Request) -> web.Response:
        clock.snapshot()
        return web.json_response({"offset_seconds": clock.seconds})

    async def restore(_request: web.Request) -> web.Response:
        if not clock.restore():
            return web.json_response({"problem": "there is no snapshot: POST /snapshot makes one"}, status=409)
        return web.json_response({"offset_seconds": clock.seconds})

    app = web.Application()
    app.add_routes([web.get("/", read), web.put("/", write)])
    app.add_routes([web.post("/snapshot", snapshot), web.post("/restore", restore)])
    return app


def _requested_seconds(body: str) -> int | None:
    try:
        asked = json.loads(body)
    except ValueError:
        return None
    if not isinstance(asked, dict) or asked.keys() != {"offset_seconds"}:
        return None
    seconds = asked["offset_seconds"]
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        return None
    return seconds if 0 <= seconds <= HIGHEST_OFFSET_SECONDS else None


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--file", type=Path, required=True)
    arguments = parser.parse_args()
    app = clock_app(ClockOffset(arguments.file))
    web.run_app(app, host=arguments.host, port=arguments.port, print=None, access_log=None, shutdown_timeout=1)


if __name__ == "__main__":
    main()
