"""Handing mail to an SMTP server; what came of it is a type, never an exception."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from aiosmtplib import SMTP, SMTPDataError, SMTPException, SMTPRecipientRefused, SMTPResponseException
from booking_contracts.headers import safe_text

from services.notifications.smtp_session import Session


@dataclass(frozen=True, slots=True)
class Sent:
    """The server answered 250: the mail is its responsibility now."""


@dataclass(frozen=True, slots=True)
class TryAgain:
    """Nothing is wrong with the mail; the server, the network or our access to it is at fault."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """No mail will ever reach this recipient."""

    reason: str


@dataclass(frozen=True, slots=True)
class Faulty:
    """The server will never take this mail, to whomever it is: what we wrote, or who we say we are, is at fault."""

    reason: str


Outcome = Sent | TryAgain | Refused | Faulty


@dataclass(frozen=True, slots=True)
class Mail:
    """A message as it goes over the wire, and the bare addresses of its SMTP envelope."""

    sender: str
    recipient: str
    content: bytes


class MailSender(Protocol):
    async def send(self, mail: Mail) -> Outcome:
        """Send once; never raises for a fault of mail or network."""
        ...


class Encryption(StrEnum):
    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


AUTHENTICATION_REQUIRED = 530  # RFC 4954, section 6: may answer any command
_OF_RECIPIENT = re.compile(r"5\.[12]\.")
"""Enhanced codes of an address, and of a mailbox (RFC 3463): some servers look for it only after they have the mail."""
IDLE_SECONDS = 2.0
LONGEST_REASON = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpSender:
    """A connection that has just delivered a mail takes the next one, if it comes within IDLE_SECONDS; after a
    refusal or a fault it is closed, so that no session state outlives it. The caller alone bounds how many are
    open. `timeout_seconds` is for the whole delivery of one mail. Each login asks for the password of then.
    """

    host: str
    port: int
    encryption: Encryption = Encryption.NONE
    username: str | None = None
    password: Callable[[], str | None] = lambda: None
    timeout_seconds: float = 30.0
    local_hostname: str | None = None
    _idle: dict[Session, asyncio.TimerHandle] = field(default_factory=dict, init=False, repr=False)

    async def send(self, mail: Mail) -> Outcome:
        try:
            async with asyncio.timeout(self.timeout_seconds):
                session = self._idle_session() or await self._open()
                return session if isinstance(session, TryAgain) else await self._send(session, mail)
        except TimeoutError:
            return TryAgain(f"no answer from {self.host}:{self.port} in {self.timeout_seconds:g} s")

    async def _send(self, session: Session, mail: Mail) -> Outcome:
        outcome: Outcome | None = None
        try:
            outcome = await _attempt(session, mail)
        finally:
            if isinstance(outcome, Sent) and session.is_free:
                self._keep(session)
            else:
                session.abort()
        return outcome

    async def _open(self) -> Session | TryAgain:
        try:
            return await Session.opened(self._client())
        except (SMTPException, OSError) as fault:
            return TryAgain(f"no session: {_told(fault)}")

    def _idle_session(self) -> Session | None:
        """The one used last, so that what a burst has opened falls idle after it."""
        while self._idle:
            session, goodbye = self._idle.popitem()
            goodbye.cancel()
            if session.is_free:
                return session
            session.abort()
        return None

    def _keep(self, session: Session) -> None:
        loop = asyncio.get_running_loop()
        self._idle[session] = loop.call_later(IDLE_SECONDS, self._say_goodbye, session)

    def _say_goodbye(self, session: Session) -> None:
        del self._idle[session]
        session.say_goodbye()

    def _client(self) -> SMTP:
        return SMTP(
            hostname=self.host,
            port=self.port,
            username=self.username,
            password=self.password(),
            use_tls=self.encryption is Encryption.TLS,
            start_tls=self.encryption is Encryption.STARTTLS,
            timeout=None,
            local_hostname=self.local_hostname,
        )


async def _attempt(session: Session, mail: Mail) -> Outcome:
    try:
        await session.send(mail.sender, mail.recipient, mail.content)
    except SMTPRecipientRefused as refusal:
        return _judged(refusal, of_recipient=True)
    except SMTPDataError as refusal:
        return _judged(refusal, of_recipient=_OF_RECIPIENT.match(refusal.message) is not None)
    except SMTPResponseException as refusal:
        return _judged(refusal)
    except ValueError as fault:
        return Faulty(_told(fault))
    except (SMTPException, OSError) as fault:
        return TryAgain(_told(fault))
    return Sent()


def _judged(answer: SMTPResponseException, *, of_recipient: bool = False) -> Outcome:
    """RFC 5321, 4.2.1: 5yz is permanent, all else may pass."""
    if answer.code < 500 or answer.code == AUTHENTICATION_REQUIRED:
        return TryAgain(_told(answer))
    return Refused(_told(answer)) if of_recipient else Faulty(_told(answer))


def _told(fault: Exception) -> str:
    """What to write down of a fault: the server's own answer where there is one, on one line."""
    if isinstance(fault, SMTPResponseException):
        return safe_text(f"{fault.code} {' '.join(fault.message.split())}", LONGEST_REASON)
    return safe_text(f"{type(fault).__name__}: {' '.join(str(fault).split())}", LONGEST_REASON)
