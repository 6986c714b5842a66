"""A mail server that keeps what it receives, and shows it over HTTP at MAILBOX_URL.

It refuses what a strict server in the world would refuse (`mail_rules`), so that no letter is lost there alone.

`GET /messages`, `DELETE /messages`, `POST /snapshot`, which keeps what there is, and `POST /restore`, which has it so
again. For tests `PUT /faults` with a list of {"kind", "count"}: the next `count` deliveries fail that way, in the order
of the list, which replaces the one before. With `--password-file`, read at each login, nobody is heard without it.
"""

import argparse
import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from aiohttp import web
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from booking_contracts.testkit.mail import Mail

from deploy.local.mail_message import FaultKind, mail_message
from deploy.local.mail_rules import problem_of

MESSAGE_LIMIT_BYTES = 10 * 1024 * 1024


@dataclass
class Mailbox:
    """Received messages, oldest first, and the faults still to come."""

    messages: list[Mail] = field(default_factory=list)
    faults: list[tuple[FaultKind, int]] = field(default_factory=list)
    kept: list[Mail] | None = None

    def next_fault(self) -> FaultKind | None:
        """Use up one fault."""
        if not self.faults:
            return None
        kind, count = self.faults[0]
        self.faults[:1] = [(kind, count - 1)] if count > 1 else []
        return kind


class Receiver:
    """What aiosmtpd calls when a message has been transmitted."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def handle_EHLO(  # noqa: N802
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, offers: list[str]
    ) -> list[str]:
        """aiosmtpd reads one command after the other, however many come at once, but does not say so (RFC 2920)."""
        session.host_name = hostname
        return [offers[0], "250-PIPELINING", *offers[1:]]

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Store the message, refuse it, or fail as the faults say."""
        if problem := problem_of(envelope.content, smtputf8=envelope.smtp_utf8):
            return problem
        fault = self._mailbox.next_fault()
        if fault == "temporary":
            return "451 4.3.0 Try again later"
        if fault == "permanent":
            return "550 5.1.1 Mailbox unavailable"
        if fault != "disconnect":
            self._mailbox.messages.append(mail_message(envelope.content, envelope.mail_from, envelope.rcpt_tos))
        if fault is not None:
            server.transport.abort()
        return "250 2.0.0 Accepted"


def mailbox_app(
    mailbox: Mailbox, smtp_port: int, host: str = "127.0.0.1", password_file: Path | None = None
) -> web.Application:
    """The HTTP side; the SMTP server runs as long as the application does."""

    async def smtp_server(_app: web.Application) -> AsyncIterator[None]:
        def session() -> SMTP:
            login = _login(password_file)
            return SMTP(Receiver(mailbox), data_size_limit=MESSAGE_LIMIT_BYTES, enable_SMTPUTF8=True, **login)

        server = await asyncio.get_running_loop().create_server(session, host, smtp_port)
        yield
        server.close()

    async def read(_request: web.Request) -> web.Response:
        return web.json_response(mailbox.messages)

    async def clear(_request: web.Request) -> web.Response:
        mailbox.messages.clear()
        return web.Response(status=204)

    async def snapshot(_request: web.Request) -> web.Response:
        mailbox.kept = [*mailbox.messages]
        return web.Response(status=204)

    async def restore(_request: web.Request) -> web.Response:
        if mailbox.kept is None:
            return web.json_response({"problem": "there is no snapshot: POST /snapshot makes one"}, status=409)
        mailbox.messages[:], mailbox.faults[:] = mailbox.kept, []
        return web.Response(status=204)

    async def read_faults(_request: web.Request) -> web.Response:
        return web.json_response([{"kind": kind, "count": count} for kind, count in mailbox.faults])

    async def replace_faults(request: web.Request) -> web.Response:
        faults = _requested_faults(await request.text())
        if faults is None:
            problem = f'a list of {{"kind", "count"}} is expected, kind one of {", ".join(get_args(FaultKind))}'
            return web.json_response({"problem": problem}, status=400)
        mailbox.faults[:] = faults
        return await read_faults(request)

    app = web.Application()
    app.cleanup_ctx.append(smtp_server)
    app.add_routes([web.get("/messages", read), web.delete("/messages", clear)])
    app.add_routes([web.post("/snapshot", snapshot), web.post("/restore", restore)])
    app.add_routes([web.get("/faults", read_faults), web.put("/faults", replace_faults)])
    return app


def _login(password_file: Path | None) -> dict[str, Any]:
    """What aiosmtpd asks before it takes mail."""
    if password_file is None:
        return {}

    def known(
        _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, said: LoginPassword
    ) -> AuthResult:
        right = said.password == password_file.read_bytes()
        return AuthResult(success=right, handled=right)

    return {"authenticator": known, "auth_required": True, "auth_require_tls": False}


def _requested_faults(body: str) -> list[tuple[FaultKind, int]] | None:
    try:
        asked = json.loads(body)
        faults = [(fault["kind"], fault["count"]) for fault in asked]
    except (ValueError, TypeError, KeyError):
        return None
    if not isinstance(asked, list):
        return None
    valid = all(kind in get_args(FaultKind) and type(count) is int and count > 0 for kind, count in faults)
    return faults if valid else None


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--http-port", type=int, required=True)
    parser.add_argument("--password-file", type=Path)
    arguments = parser.parse_args()
    app = mailbox_app(Mailbox(), arguments.smtp_port, arguments.host, arguments.password_file)
    web.run_app(app, host=arguments.host, port=arguments.http_port, print=None, access_log=None, shutdown_timeout=1)


if __name__ == "__main__":
    main()
