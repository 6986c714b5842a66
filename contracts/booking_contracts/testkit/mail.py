"""A mail as the mailbox of a test stack shows it."""

from __future__ import annotations

from typing import Literal, TypedDict


class Attachment(TypedDict):
    """A part that is no form of the letter itself; `content` is text or, for other types, base64."""

    filename: str | None
    content_type: str
    encoding: Literal["text", "base64"]
    content: str


# The functional form, because `from` is a keyword.
Mail = TypedDict(
    "Mail",
    {
        "from": str,
        "to": str,
        "subject": str,
        "text": str | None,
        "html": str | None,
        "calendar": str | None,
        "headers": dict[str, str],
        "attachments": list[Attachment],
        "recipients": list[str],
    },
)
"""`from` and `to` are bare addresses, `recipients` those of the SMTP envelope;
`calendar` is the form of the letter that calendars act on (iMIP), which may be attached too."""
