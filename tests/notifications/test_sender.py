"""What an SMTP server answers becomes an outcome, against a real server in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from services.notifications import sender
from services.notifications.sender import Encryption, Faulty, Mail, Outcome, Refused, Sent, SmtpSender, TryAgain
from tests.notifications.builders import CUSTOMER_EMAIL

OK = "250 OK"


@dataclass
class Mailbox:
    """An aiosmtpd handler that answers as told and keeps what it accepted."""

    to_sender: str = OK
    to_recipient: str = OK
    to_data: str = OK
    offers: tuple[str, ...] = ()
    received: list[Envelope] = field(default_factory=list)

    async def handle_EHLO(  # noqa: N802
        self, _: object, session: Session, __: object, hostname: str, offers: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [offers[0], *(f"250-{one}" for one in self.offers), *offers[1:]]

    async def handle_MAIL(self, _: object, __: object, envelope: Envelope, address: str, ___: object) -> str:  # noqa: N802
        envelope.mail_from = address
        return self.to_sender

    async def handle_RCPT(self, _: object, __: object, envelope: Envelope, address: str, ___: object) -> str:  # noqa: N802
        if self.to_recipient == OK:
            envelope.rcpt_tos.append(address)
        return self.to_recipient

    async def handle_DATA(self, _: object, __: object, envelope: Envelope) -> str:  # noqa: N802
        if self.to_data == OK:
            self.received.append(envelope)
        return self.to_data


LETTER = Mail("bookings@example.org", CUSTOMER_EMAIL, b"Message-ID: <event.anna@example.org>\r\n\r\nHello\r\n")


@asynccontextmanager
async def _listening(protocol: Callable[[], asyncio.BaseProtocol]) -> AsyncIterator[int]:
    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    async with server:
        port: int = server.sockets[0].getsockname()[1]
        yield port


@pytest.fixture(params=[(), ("PIPELINING",)], ids=["one by one", "pipelining"])
def offers(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Whether the server takes several commands at once: what it answers means the same."""
    found: tuple[str, ...] = request.param
    return found


async def _sent_to(mailbox: Mailbox, letter: Mail = LETTER) -> Outcome:
    async with _listening(lambda: SMTP(mailbox, hostname="mail.example.org")) as port:
        return await _sender(port).send(letter)


def _sender(port: int, timeout_seconds: float = 5.0) -> SmtpSender:
    return SmtpSender(host="127.0.0.1", port=port, timeout_seconds=timeout_seconds, local_hostname="client.example.org")


async def test_an_accepted_mail_is_sent_once_to_its_recipient(offers: tuple[str, ...]) -> None:
    mailbox = Mailbox(offers=offers)

    assert await _sent_to(mailbox) == Sent()

    (envelope,) = mailbox.received
    assert envelope.rcpt_tos == [CUSTOMER_EMAIL]
    assert envelope.mail_from == "bookings@example.org"
    assert isinstance(envelope.content, bytes)
    assert b"Message-ID: <event.anna@example.org>" in envelope.content


@pytest.mark.requirement("notify-once")
@pytest.mark.parametrize(
    "mailbox",
    [
        Mailbox(to_sender="451 try later"),
        Mailbox(to_recipient="450 greylisted"),
        Mailbox(to_data="452 full"),
        Mailbox(to_sender="421 closing"),
        Mailbox(to_sender="530 authentication required"),
    ],
)
async def test_a_passing_fault_is_tried_again(mailbox: Mailbox, offers: tuple[str, ...]) -> None:
    outcome = await _sent_to(replace(mailbox, offers=offers))

    answer = next(one for one in (mailbox.to_sender, mailbox.to_recipient, mailbox.to_data) if one != OK)
    assert outcome == TryAgain(answer)


@pytest.mark.requirement("notify-once")
@pytest.mark.parametrize(
    ("mailbox", "outcome"),
    [
        (Mailbox(to_recipient="550 no such user"), Refused),
        (Mailbox(to_recipient="550 5.7.1 not for you"), Refused),
        (Mailbox(to_data="550 5.1.1 no such user"), Refused),
        (Mailbox(to_data="552 5.2.2 mailbox is full"), Refused),
        (Mailbox(to_sender="550 not from you"), Faulty),
        (Mailbox(to_sender="550 5.1.8 no such sender"), Faulty),
        (Mailbox(to_data="554 spam"), Faulty),
        (Mailbox(to_data="500 Line too long"), Faulty),
        (Mailbox(to_data="554 5.6.0 the header is not one"), Faulty),
    ],
)
async def test_a_lasting_refusal_is_the_recipients_or_ours(
    mailbox: Mailbox, outcome: type[Refused | Faulty], offers: tuple[str, ...]
) -> None:
    answer = next(one for one in (mailbox.to_sender, mailbox.to_recipient, mailbox.to_data) if one != OK)

    assert await _sent_to(replace(mailbox, offers=offers)) == outcome(answer)


async def test_an_address_that_no_command_can_hold_is_our_fault() -> None:
    async with _listening(lambda: SMTP(Mailbox())) as port:
        for address in ("änna@example.org", "anna@example.org\x00", "anna@example.org> <eve@example.org", ""):
            assert isinstance(await _sender(port).send(replace(LETTER, recipient=address)), Faulty)


class _Slow(asyncio.Protocol):
    """A server that asks for the letter and then reads nothing, until it is told to."""

    def __init__(self) -> None:
        self.heard, self.gone = bytearray(), asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(b"220 hi\r\n")

    def data_received(self, data: bytes) -> None:
        self.heard += data
        if data == b"DATA\r\n":
            self.transport.pause_reading()
            self.transport.write(b"354 go on\r\n")
        elif data[:4] in (b"EHLO", b"MAIL", b"RCPT"):
            self.transport.write(b"250 ok\r\n")

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone.set()


@pytest.mark.requirement("notify-once")
async def test_the_rest_of_a_letter_that_was_given_up_never_arrives() -> None:
    server = _Slow()
    async with _listening(lambda: server) as port:
        huge = replace(LETTER, content=LETTER.content + b"x" * 70 * 300_000)
        assert isinstance(await _sender(port, timeout_seconds=0.3).send(huge), TryAgain)
        server.transport.resume_reading()
        await server.gone.wait()
    assert len(server.heard) < len(huge.content)
    assert not server.heard.endswith(b"\r\n.\r\n")


PIPELINING = b"250-mail.example.org\r\n250 PIPELINING\r\n"


class _Script(asyncio.Protocol):
    """A server that says one thing on connecting, and then hangs up, is silent, or loses the mail."""

    def __init__(self, greeting: bytes, answers: dict[bytes, bytes | None]) -> None:
        self._greeting, self._answers = greeting, answers
        self.heard: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._greeting)
        if not self._greeting:
            transport.close()

    def data_received(self, data: bytes) -> None:
        self.heard.append(data)
        answer = self._answers.get(data[:4].upper(), b"250 ok\r\n")
        if answer is None:
            self._transport.close()
        else:
            self._transport.write(answer)


@pytest.mark.requirement("notify-once")
@pytest.mark.parametrize(
    ("greeting", "answers"),
    [
        (b"", {}),
        (b"554 go away\r\n", {}),
        (b"220 hi\r\n", {b"EHLO": None}),
        (b"220 hi\r\n", {b"EHLO": b"550 no\r\n", b"HELO": b"550 no\r\n"}),
        (b"220 hi\r\n", {b"MAIL": None}),
        (b"220 hi\r\n", {b"DATA": None}),
        (b"220 hi\r\n", {b"MAIL": b"nonsense\r\n"}),
        (b"220 hi\r\n", {b"MAIL": b"250-" + b"x" * 40_000}),
        (b"220 hi\r\n", {b"EHLO": PIPELINING, b"MAIL": b"250 ok\r\n250 ok\r\n421 4.3.2 shutting down\r\n"}),
        (b"220 hi\r\n", {b"EHLO": PIPELINING, b"MAIL": b"250 ok\r\n250 ok\r\n250 not asked\r\n"}),
    ],
)
async def test_a_server_that_breaks_off_is_tried_again(greeting: bytes, answers: dict[bytes, bytes | None]) -> None:
    async with _listening(lambda: _Script(greeting, answers)) as port:
        assert isinstance(await _sender(port).send(LETTER), TryAgain)


ENVELOPE = [b"MAIL FROM:<bookings@example.org>\r\n", f"RCPT TO:<{CUSTOMER_EMAIL}>\r\n".encode(), b"DATA\r\n"]


@pytest.mark.parametrize(
    ("script", "together"),
    [
        ({b"DATA": b"354 go on\r\n"}, False),
        ({b"EHLO": PIPELINING, b"MAIL": b"250-2.1.0 yes\r\n250 yes\r\n251 2.1.5 yes\r\n354 go on\r\n"}, True),
    ],
)
async def test_commands_go_together_where_the_server_takes_them_so(
    script: dict[bytes, bytes | None], together: bool
) -> None:
    server = _Script(b"220 hi\r\n", script)
    async with _listening(lambda: server) as port:
        assert await _sender(port).send(LETTER) == Sent()

    envelope = [b"".join(ENVELOPE)] if together else ENVELOPE
    mail = [*envelope, LETTER.content + b".\r\n"]
    assert server.heard[1 : len(mail) + 1] == mail
    assert server.heard[len(mail) + 1 :] in ([], [b"QUIT\r\n"]), "from Python 3.12 on a server waits for the farewell"


async def test_lines_that_begin_with_a_dot_arrive(offers: tuple[str, ...]) -> None:
    mailbox, content = Mailbox(offers=offers), b".a\r\n\r\n.\r\n..b\r\nc.\r\n"
    assert await _sent_to(mailbox, replace(LETTER, content=content)) == Sent()
    assert [one.content for one in mailbox.received] == [content]


async def test_a_server_that_says_what_it_was_not_asked_gets_the_next_mail_on_a_new_connection() -> None:
    greeted: list[_Script] = []

    def server() -> _Script:
        greeted.append(_Script(b"220 hi\r\n", {b"DATA": b"354 go on\r\n", b"MESS": b"250 ok\r\n250 and more\r\n"}))
        return greeted[-1]

    async with _listening(server) as port:
        smtp = _sender(port)
        assert [await smtp.send(LETTER), await smtp.send(LETTER)] == [Sent(), Sent()]
    assert len(greeted) == 2


@pytest.mark.requirement("notify-once")
async def test_a_server_that_falls_silent_is_tried_again() -> None:
    async with _listening(lambda: _Script(b"220 hi\r\n", {b"MAIL": b""})) as port:
        assert isinstance(await _sender(port, timeout_seconds=0.1).send(LETTER), TryAgain)


@pytest.mark.requirement("notify-once")
async def test_a_server_that_is_not_there_is_tried_again() -> None:
    async with _listening(lambda: _Script(b"", {})) as port:
        pass

    assert isinstance(await _sender(port).send(LETTER), TryAgain)


class _Door:
    """Opens a session for each connection, and tells when one has ended."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox, self.sessions, self.ended = mailbox, list[SMTP](), asyncio.Queue[None]()

    def __call__(self) -> SMTP:
        ended = self.ended

        class Visit(SMTP):  # type: ignore[misc] # aiosmtpd has no types
            def connection_lost(self, error: Exception | None) -> None:
                super().connection_lost(error)
                ended.put_nowait(None)

        self.sessions.append(Visit(self.mailbox, hostname="mail.example.org"))
        return self.sessions[-1]


async def test_a_burst_of_mails_takes_few_connections_that_are_closed_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "IDLE_SECONDS", 0.05)
    door = _Door(Mailbox())
    async with _listening(door) as port:
        smtp = _sender(port)
        for _ in range(3):
            assert [*await asyncio.gather(smtp.send(LETTER), smtp.send(LETTER))] == [Sent(), Sent()]
        assert (len(door.mailbox.received), len(door.sessions)) == (6, 2)
        async with asyncio.timeout(5):
            await door.ended.get()
            await door.ended.get()
        assert await smtp.send(LETTER) == Sent()


@pytest.mark.requirement("notify-once")
async def test_a_connection_on_which_a_mail_failed_takes_no_other() -> None:
    door = _Door(Mailbox(to_data="452 full"))
    async with _listening(door) as port:
        smtp = _sender(port)
        assert isinstance(await smtp.send(LETTER), TryAgain)
        door.mailbox.to_data = OK
        assert await smtp.send(LETTER) == Sent()
    assert len(door.sessions) == 2


@pytest.mark.requirement("notify-once")
async def test_a_server_that_hangs_up_after_a_mail_gets_the_next_on_a_new_connection() -> None:
    door = _Door(Mailbox())
    async with _listening(door) as port:
        smtp = _sender(port)
        assert await smtp.send(LETTER) == Sent()
        door.sessions[0].transport.close()
        await door.ended.get()
        await smtp.send(LETTER)  # may still meet the old connection: then it is tried again
        assert await smtp.send(LETTER) == Sent()
    assert len(door.sessions) == 2


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
@pytest.mark.parametrize(("password", "outcome"), [("right", Sent), ("wrong", TryAgain)])
async def test_a_refused_login_is_our_fault_and_not_the_mails(password: str, outcome: type[Outcome]) -> None:
    def authenticate(_: object, __: object, ___: object, ____: object, given: object) -> AuthResult:
        right = getattr(given, "password", None) == b"right"
        return AuthResult(success=right, handled=right)

    def server() -> SMTP:
        return SMTP(Mailbox(), authenticator=authenticate, auth_required=True, auth_require_tls=False)

    async with _listening(server) as port:
        smtp = SmtpSender(
            host="127.0.0.1", port=port, username="booking", password=lambda: password, local_hostname="client"
        )
        assert isinstance(await smtp.send(LETTER), outcome)


@pytest.mark.requirement("secrets")
@pytest.mark.filterwarnings("ignore:Requiring AUTH")
async def test_a_password_that_was_changed_is_used_from_the_next_login_on() -> None:
    valid, known = [b"old"], ["old"]

    def authenticate(_: object, __: object, ___: object, ____: object, given: object) -> AuthResult:
        right = getattr(given, "password", None) == valid[0]
        return AuthResult(success=right, handled=right)

    def server() -> SMTP:
        return SMTP(Mailbox(), authenticator=authenticate, auth_required=True, auth_require_tls=False)

    async with _listening(server) as port:
        smtp = SmtpSender(
            host="127.0.0.1", port=port, username="booking", password=lambda: known[0], local_hostname="client"
        )
        valid[0] = b"new"
        assert isinstance(await smtp.send(LETTER), TryAgain)
        known[0] = "new"
        assert isinstance(await smtp.send(LETTER), Sent)


async def test_a_server_without_starttls_gets_no_mail_in_the_clear() -> None:
    mailbox = Mailbox()
    async with _listening(lambda: SMTP(mailbox)) as port:
        smtp = SmtpSender(host="127.0.0.1", port=port, encryption=Encryption.STARTTLS, local_hostname="client")
        assert isinstance(await smtp.send(LETTER), TryAgain)

    assert mailbox.received == []
