"""A received message in the shape that MAILBOX_URL shows."""

import base64
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import getaddresses
from typing import Literal, TypedDict

FaultKind = Literal["temporary", "permanent", "disconnect", "disconnect_after"]
"""`disconnect` loses the message and the connection; `disconnect_after` keeps the first, not the second."""


class Attachment(TypedDict):
    """A part that is neither the text nor the HTML; `content` is text or, for other types, base64."""

    filename: str | None
    content_type: str
    encoding: Literal["text", "base64"]
    content: str


# The functional form, because `from` is a keyword.
MailMessage = TypedDict(
    "MailMessage",
    {
        "from": str,
        "to": str,
        "subject": str,
        "text": str | None,
        "html": str | None,
        "headers": dict[str, str],
        "attachments": list[Attachment],
        "recipients": list[str],
    },
)


def mail_message(content: bytes, sender: str, recipients: list[str]) -> MailMessage:
    """Parse a message. `from` and `to` are bare addresses, `recipients` those of the SMTP envelope."""
    message = BytesParser(_class=EmailMessage, policy=policy.default).parsebytes(content)
    text, html, attachments = _parts(message)
    return {
        "from": _addresses(message, "From") or sender,
        "to": _addresses(message, "To") or ", ".join(recipients),
        "subject": str(message.get("Subject", "")),
        "text": text,
        "html": html,
        "headers": {name: ", ".join(map(str, message.get_all(name, []))) for name in message},
        "attachments": attachments,
        "recipients": list(recipients),
    }


def _addresses(message: EmailMessage, header: str) -> str:
    return ", ".join(address for _name, address in getaddresses(map(str, message.get_all(header, []))) if address)


def _parts(message: EmailMessage) -> tuple[str | None, str | None, list[Attachment]]:
    text: str | None = None
    html: str | None = None
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
        else:
            attachments.append(_attachment(part))
    return text, html, attachments


def _attachment(part: EmailMessage) -> Attachment:
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


def _text(part: EmailMessage) -> str:
    """Line endings stay as sent: in iCalendar they matter."""
    charset = part.get_content_charset("utf-8")
    try:
        return _raw(part).decode(charset, errors="replace")
    except LookupError:
        return _raw(part).decode("utf-8", errors="replace")


def _raw(part: EmailMessage) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""
