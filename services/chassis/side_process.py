"""A process beside a service that computes, so that the loop which runs batches and heartbeats does not.

It answers one question at a time, over pipes. Ended by a signal or grown deaf, it is replaced; it ends itself when its
parent is gone, because its standard input ends then.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import struct
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from typing import BinaryIO

import structlog
from booking_contracts.patience import ended

log = structlog.get_logger()
LENGTH = struct.Struct(">I")
READY = b"ready"
MOST_WAITING = 16
"""Questions that wait for their turn; one more is refused at once."""
PATIENCE_SECONDS = 5.0
"""How long a caller waits for an answer, its turn included."""
DEAF_SECONDS = 10.0
"""How long the process may take for one answer before it is replaced."""
START_SECONDS = 30.0
Answer = Callable[[bytes], Coroutine[None, None, bytes]]


class SideProcess:
    """Runs `python -m module`, which calls `serve`, with `environment` added to this process's own."""

    def __init__(self, module: str, environment: Mapping[str, str]) -> None:
        self._module, self._environment = module, {**os.environ, **environment}
        self._questions: asyncio.Queue[tuple[bytes, asyncio.Future[bytes]]] = asyncio.Queue(MOST_WAITING)
        self._process: Process | None = None

    async def ask(self, question: bytes) -> bytes:
        """Its answer. Raises TimeoutError where too many wait or it takes too long, OSError where it ended twice."""
        answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        try:
            self._questions.put_nowait((question, answered))
        except asyncio.QueueFull:
            raise TimeoutError(f"{MOST_WAITING} questions wait for {self._module} already") from None
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await answered

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Started at once, so that the first question finds it ready; ended on leaving."""
        working = asyncio.create_task(self._work(), name=self._module)
        try:
            yield
        finally:
            await ended(working)
            await self._end()

    async def _work(self) -> None:
        while True:
            await self._warm()
            question, answered = await self._questions.get()
            if answered.done():
                continue  # its caller went away
            try:
                answer = await self._exchange(question)
            except Exception as error:
                log.warning("a side process did not answer", module=self._module, error=repr(error))
                await self._end()
                if not answered.done():
                    answered.set_exception(error if isinstance(error, OSError) else OSError(repr(error)))
            else:
                if not answered.done():
                    answered.set_result(answer)

    async def _warm(self) -> None:
        try:
            await self._alive()
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:  # the next question tries again
            log.warning("a side process did not start", module=self._module, error=repr(error))
            await self._end()

    async def _exchange(self, question: bytes) -> bytes:
        """Once more with a new process where the old one has ended, perhaps while it was idle."""
        try:
            return await self._once(question)
        except (asyncio.IncompleteReadError, ConnectionError):
            await self._end()
            return await self._once(question)

    async def _once(self, question: bytes) -> bytes:
        process = await self._alive()
        assert process.stdin is not None
        assert process.stdout is not None
        async with asyncio.timeout(DEAF_SECONDS):
            process.stdin.write(LENGTH.pack(len(question)) + question)
            await process.stdin.drain()
            (length,) = LENGTH.unpack(await process.stdout.readexactly(LENGTH.size))
            return await process.stdout.readexactly(length)

    async def _alive(self) -> Process:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", self._module, stdin=PIPE, stdout=PIPE, env=self._environment, limit=1 << 20
            )
            assert self._process.stdout is not None
            async with asyncio.timeout(START_SECONDS):
                await self._process.stdout.readexactly(len(READY))
        return self._process

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def serve(answer: Answer) -> None:
    """The other side: answers until standard input ends. Signals for the whole group are the parent's to obey."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    questions, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what is printed is no answer
    answers.write(READY)
    answers.flush()
    with asyncio.Runner() as runner:
        while (question := _frame(questions)) is not None:
            found = runner.run(answer(question))
            answers.write(LENGTH.pack(len(found)) + found)
            answers.flush()


def _frame(source: BinaryIO) -> bytes | None:
    head = source.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    body = source.read(length)
    return body if len(body) == length else None
