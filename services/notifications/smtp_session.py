"""Mails over one connection to an SMTP server (RFC 5321), several commands at once where it takes them so (RFC 2920).

aiosmtplib opens it: greeting, TLS, login. It would wait for the answer to each command, twice as many round trips.
"""

from __future__ import annotations

import asyncio
import re
from typing import Self, cast

from aiosmtplib import (
    SMTP,
    SMTPDataError,
    SMTPHeloError,
    SMTPRecipientRefused,
    SMTPResponse,
    SMTPResponseException,
    SMTPSenderRefused,
    SMTPServerDisconnected,
)

_ADDRESS = re.compile(r"[!-;=?-~]+")
"""What can stand between < and > without ending either: printable ASCII, no spaces."""
_LINE = re.compile(rb"(\d{3})([ -]|$)(.*)", re.DOTALL)
LONGEST_REPLY = 32 * 1024
MALFORMED = -1


class Session(asyncio.Protocol):
    """A session that takes mails, one after the other, until one of them fails."""

    def __init__(self, transport: asyncio.Transport, *, pipelining: bool) -> None:
        self._transport, self._pipelining = transport, pipelining
        self._said, self._more = bytearray(), asyncio.Event()
        transport.set_protocol(self)

    @classmethod
    async def opened(cls, client: SMTP) -> Self:
        """A new session. Raises SMTPException or OSError."""
        try:
            await client.connect()
            if client.is_ehlo_or_helo_needed:
                try:
                    await client.ehlo()
                except SMTPHeloError:
                    await client.helo()
            return cls(cast(asyncio.Transport, client.transport), pipelining=client.supports_extension("pipelining"))
        except BaseException:
            client.close()
            raise

    @property
    def is_free(self) -> bool:
        """Whether it takes a mail: the server is there, and has said nothing that it was not asked."""
        return not self._transport.is_closing() and not self._said

    async def send(self, sender: str, recipient: str, content: bytes) -> None:
        """Hand over a message, whose lines end with CRLF.

        Raises SMTPSenderRefused, SMTPRecipientRefused, SMTPDataError, SMTPServerDisconnected; SMTPResponseException for
        what is no answer, ValueError for what is no address.
        """
        mail, rcpt, data = _command("MAIL FROM", sender), _command("RCPT TO", recipient), b"DATA\r\n"
        if self._pipelining:
            mail, rcpt, data = mail + rcpt + data, b"", b""
        answer = await self._asked(mail)
        if answer.code != 250:
            raise SMTPSenderRefused(*answer, sender)
        answer = await self._asked(rcpt)
        if answer.code not in (250, 251):
            raise SMTPRecipientRefused(*answer, recipient)
        answer = await self._asked(data)
        if answer.code != 354:
            raise SMTPDataError(*answer)
        answer = await self._asked(_stuffed(content) + b".\r\n")
        if answer.code != 250:
            raise SMTPDataError(*answer)

    def say_goodbye(self) -> None:
        """End it as a server likes it, without waiting for its answer."""
        self._transport.write(b"QUIT\r\n")
        self._transport.close()

    def abort(self) -> None:
        """End it here and now: the rest of a letter that was given up must not arrive beside the next try."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._said += data
        self._more.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._more.set()

    async def _asked(self, command: bytes) -> SMTPResponse:
        """The answer to a command, or to the next of those that are written already."""
        if command:
            self._transport.write(command)
        while (answer := self._answer()) is None:
            if self._transport.is_closing():
                raise SMTPServerDisconnected("Connection lost")
            self._more.clear()
            await self._more.wait()
        return answer

    def _answer(self) -> SMTPResponse | None:
        """The next one that has come in full (RFC 5321, 4.2.1), taken from what the server said."""
        texts: list[bytes] = []
        begin = 0
        while (end := self._said.find(b"\n", begin)) >= 0:
            line = bytes(self._said[begin:end]).rstrip(b"\r")
            if (found := _LINE.fullmatch(line)) is None:
                raise SMTPResponseException(MALFORMED, f"Malformed SMTP response line: {line.decode(errors='replace')}")
            texts.append(found[3].strip())
            begin = end + 1
            if found[2] != b"-":
                del self._said[:begin]
                return SMTPResponse(int(found[1]), b"\n".join(texts).decode("utf-8", "surrogateescape"))
        if len(self._said) > LONGEST_REPLY:
            raise SMTPResponseException(MALFORMED, "Response too long")
        return None


def _command(verb: str, address: str) -> bytes:
    if _ADDRESS.fullmatch(address) is None:
        raise ValueError(f"{address!r} cannot stand in an SMTP command")
    return f"{verb}:<{address}>\r\n".encode("ascii")


def _stuffed(content: bytes) -> bytes:
    """With a dot before each line that begins with one (RFC 5321, 4.5.2)."""
    stuffed = content.replace(b"\n.", b"\n..")
    return b"." + stuffed if stuffed.startswith(b".") else stuffed
