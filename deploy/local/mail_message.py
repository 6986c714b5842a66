"""A received message in the shape that MAILBOX_URL shows.

Read with the parser's older policy, whose headers are plain strings: a twentieth of the time, and a mailbox that takes
longer over a mail than its sender would slow every measurement of the stack.
"""

import base64
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses
from typing import Literal

from booking_contracts.testkit.mail import Attachment, Mail

FaultKind = Literal["temporary", "permanent", "disconnect", "disconnect_after"]
"""`disconnect` loses the message and the connection; `disconnect_after` keeps the first, not the second."""


def mail_message(content: bytes, sender: str, recipients: list[str]) -> Mail:
    """Parse a message. `from` and `to` are bare addresses, `recipients` those of the SMTP envelope."""
    message = message_from_bytes(content)
    pairs = [(name, _unfolded(value)) for name, value in message.raw_items()]
    headers: dict[str, str] = {}
    for name, value in pairs:
        headers[name] = ", ".join(filter(None, (headers.get(name), _decoded(value))))
    text, html, calendar, attachments = _parts(message)
    return {
        "from": _addresses(pairs, "from") or sender,
        "to": _addresses(pairs, "to") or ", ".join(recipients),
        "subject": next((_decoded(value) for name, value in pairs if name.lower() == "subject"), ""),
        "text": text,
        "html": html,
        "calendar": calendar,
        "headers": headers,
        "attachments": attachments,
        "recipients": list(recipients),
    }


def _unfolded(value: str) -> str:
    """A header's value on one line; bytes beyond ASCII are UTF-8 (RFC 6532)."""
    return "".join(value.encode("utf-8", "surrogateescape").decode("utf-8", "replace").splitlines())


def _decoded(value: str) -> str:
    """With its encoded words decoded."""
    try:
        return str(make_header(decode_header(value)))
    except (ValueError, LookupError):
        return value


def _addresses(pairs: list[tuple[str, str]], header: str) -> str:
    """Bare addresses, read before anything is decoded: a decoded name may hold a comma."""
    values = [value for name, value in pairs if name.lower() == header]
    return ", ".join(address for _name, address in getaddresses(values) if address)


def _parts(message: Message) -> tuple[str | None, str | None, str | None, list[Attachment]]:
    text: str | None = None
    html: str | None = None
    calendar: str | None = None
    attachments: list[Attachment] = []
    for part in message.walk():
        if part.is_multipart():
            continue
        kind = part.get_content_type()
        inline = part.get_filename() is None and part.get_content_disposition() != "attachment"
        if inline and kind == "text/plain" and text is None:
            text = _text(part).replace("\r\n", "\n")
        elif inline and kind == "text/html" and html is None:
            html = _text(part).replace("\r\n", "\n")
        elif inline and kind == "text/calendar" and calendar is None:
            calendar = _text(part)
        else:
            attachments.append(_attachment(part))
    return text, html, calendar, attachments


def _attachment(part: Message) -> Attachment:
    kind = part.get_content_type()
    if part.get_content_maintype() == "text":
        return {
            "filename": part.get_filename(),
            "content_type": kind,
            "encoding": "text",
            "content": _text(part),
        }
    content = base64.b64encode(_raw(part)).decode()
    return {"filename": part.get_filename(), "content_type": kind, "encoding": "base64", "content": content}


def _text(part: Message) -> str:
    """Line endings stay as sent: in iCalendar they matter."""
    charset = part.get_content_charset("utf-8")
    try:
        return _raw(part).decode(charset, errors="replace")
    except LookupError:
        return _raw(part).decode("utf-8", errors="replace")


def _raw(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""
