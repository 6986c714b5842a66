"""A mail server that refuses, hangs or hangs up, wherever it likes; and a service that dies when it has answered."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiosmtpd.smtp import SMTP
from booking_contracts import booking

from deploy.local.environment import python_env
from services.notifications.sender import Faulty, Mail, Outcome, Refused, SmtpSender, TryAgain
from tests.chassis.harness import Engine
from tests.notifications.builders import CUSTOMER_EMAIL, an
from tests.notifications.test_database import post, record, states
from tests.notifications.test_sender import LETTER, PIPELINING, Mailbox

pytestmark = pytest.mark.requirement("notify-once")
STAGES = ("greeting", "EHLO", "MAIL", "RCPT", "DATA", "body", "end")
LONG = Mail(LETTER.sender, LETTER.recipient, LETTER.content + (b"y" * 70 + b"\r\n") * 40_000)
"""More than a socket takes at once: whoever hangs up in its middle does so while we write."""


@dataclass
class Moody(asyncio.Protocol):
    """A mail server until it comes to `stage`: there it does what its mood is, `hang`, `hang up`, or an answer."""

    stage: str
    mood: str
    pipelining: bool
    taken: list[bytes] = field(default_factory=list)
    transport: asyncio.Transport | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    _body: bytearray | None = None
    _silent: bool = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport, self._body = transport, None
        self._at("greeting", b"220 hi\r\n")

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set()

    def data_received(self, data: bytes) -> None:
        assert self.transport is not None
        if self._body is not None:
            self._content(data)
            return
        for line in data.splitlines():
            verb = line[:4].decode().upper()
            if verb == "EHLO":
                self._at(verb, PIPELINING if self.pipelining else b"250 mail.example.org\r\n")
            elif verb == "DATA":
                self._body = bytearray()
                self._at(verb, b"354 go on\r\n")
            else:
                self._at(verb, b"250 ok\r\n")

    def _content(self, data: bytes) -> None:
        assert self._body is not None
        self._body += data
        if self.stage == "body":
            self._at("body", b"")
        elif self._body.endswith(b"\r\n.\r\n"):
            if not (self.stage == "end" and self.mood[:1].isdigit() and self.mood[0] != "2"):
                self.taken.append(bytes(self._body))
            self._body = None
            self._at("end", b"250 taken\r\n")

    def _at(self, stage: str, answer: bytes) -> None:
        assert self.transport is not None
        self._silent = self._silent or (stage, self.mood) == (self.stage, "hang")
        if self._silent:
            return
        if stage != self.stage:
            self.transport.write(answer)
        elif self.mood == "hang up":
            self.transport.abort()
        else:
            self.transport.write(f"{self.mood}\r\n".encode())


@asynccontextmanager
async def listening(server: asyncio.Protocol | SMTP) -> AsyncIterator[int]:
    listener = await asyncio.get_running_loop().create_server(lambda: server, "127.0.0.1", 0)
    async with listener:
        port: int = listener.sockets[0].getsockname()[1]
        yield port


async def sent_to(server: Moody, mail: Mail = LETTER, seconds: float = 5.0) -> Outcome:
    async with listening(server) as port, asyncio.timeout(10):
        sender = SmtpSender(host="127.0.0.1", port=port, timeout_seconds=seconds, local_hostname="client.example.org")
        outcome = await sender.send(mail)
        await server.ended.wait()  # no session is left open, or kept, with a server that did so
        return outcome


PIPELINED = pytest.mark.parametrize("pipelining", [False, True], ids=["one by one", "pipelining"])


@PIPELINED
@pytest.mark.parametrize("stage", STAGES)
async def test_a_server_that_hangs_anywhere_is_left_after_our_time_and_tried_again(
    stage: str, pipelining: bool
) -> None:
    outcome = await sent_to(Moody(stage, "hang", pipelining), seconds=0.2)

    assert isinstance(outcome, TryAgain)
    assert outcome.reason.startswith("no answer from 127.0.0.1:")


@PIPELINED
@pytest.mark.parametrize("stage", STAGES)
async def test_a_server_that_hangs_up_anywhere_is_tried_again(stage: str, pipelining: bool) -> None:
    assert isinstance(await sent_to(Moody(stage, "hang up", pipelining)), TryAgain)


@PIPELINED
async def test_a_server_that_hangs_up_in_the_middle_of_a_letter_has_taken_none(pipelining: bool) -> None:
    server = Moody("body", "hang up", pipelining)

    assert isinstance(await sent_to(server, LONG), TryAgain)
    assert server.taken == []


@PIPELINED
@pytest.mark.parametrize("code", ["421", "450", "451", "452"])
@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA", "end"])
async def test_what_may_pass_is_tried_again_wherever_it_is_said(stage: str, code: str, pipelining: bool) -> None:
    assert await sent_to(Moody(stage, f"{code} 4.3.0 later", pipelining)) == TryAgain(f"{code} 4.3.0 later")


@PIPELINED
@pytest.mark.parametrize(("stage", "judged"), [("MAIL", Faulty), ("RCPT", Refused), ("DATA", Faulty), ("end", Faulty)])
async def test_what_lasts_is_the_recipients_or_ours_by_where_it_is_said(
    stage: str, judged: type[Refused | Faulty], pipelining: bool
) -> None:
    assert await sent_to(Moody(stage, "554 5.7.0 no", pipelining)) == judged("554 5.7.0 no")


async def test_a_service_killed_between_the_servers_answer_and_its_row_repeats_the_letter_once(
    engine: Engine, databases: dict[str, str]
) -> None:
    """Nobody can know then whether the server took it (RFC 1047): the same letter goes again, under its Message-ID,
    by which mail programs and servers see one."""
    await engine.run(record(engine, an(booking.SessionCompleted)))
    await engine.fetch("UPDATE gateway_call SET try_at = opened_at")  # this replica does not make it
    mailbox = Mailbox()
    async with listening(SMTP(mailbox, hostname="mail.example.org")) as port:
        command = (sys.executable, "-m", "tests.notifications.dying", "letters")
        dying = await asyncio.create_subprocess_exec(
            *command, databases["NOTIFICATIONS_DATABASE_URL"], str(port), env=python_env()
        )
        assert await asyncio.wait_for(dying.wait(), 60) == -signal.SIGKILL
    assert len(mailbox.received) == 1
    assert await states(engine) == [(CUSTOMER_EMAIL, "pending")]

    async with listening(SMTP(mailbox, hostname="mail.example.org")) as port:
        sender = SmtpSender(host="127.0.0.1", port=port, local_hostname="client.example.org")
        await engine.run(*await post(engine, sender))
        assert await engine.fetch("SELECT FROM gateway_call WHERE state = 'open'") == []

    first, again = (one.content for one in mailbox.received)
    assert first == again, "octet for octet: Message-ID and date too"
    assert await states(engine) == [(CUSTOMER_EMAIL, "succeeded")]
    assert len(await engine.sent()) == 1
