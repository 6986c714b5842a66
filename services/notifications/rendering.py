"""A letter as an e-mail: text and HTML in the recipient's language and zone, with its calendar entry."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from email import encoders
from email.charset import QP, Charset
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.policy import compat32
from email.utils import format_datetime
from pathlib import Path
from string import Formatter

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from services.notifications import header_values
from services.notifications.invite import Invite, invite_for
from services.notifications.locales import FALLBACK, LANGUAGES, tag_of, understood
from services.notifications.locales.fields import Fields, facts_of, fields_of, variant_of
from services.notifications.locales.formats import one_line
from services.notifications.model.letters import Letter
from services.notifications.sender import Mail

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    keep_trailing_newline=True,
)

_UTF8 = Charset("utf-8")
_UTF8.body_encoding = QP
_WIRE = compat32.clone(linesep="\r\n", max_line_length=998)
"""Headers are folded before, in `header_values`; a folded Message-ID would not be found again by all programs."""


def render(
    letter: Letter,
    *,
    sender: str,
    message_id: str,
    now: datetime,
    sequence: int,
    unsubscribe_url: str | None = None,
) -> Mail:
    """The mail for a letter. `sender` is an address, with or without a name; `message_id` includes its
    angle brackets; `sequence` is the event's ce_sequence, for the calendar entry.

    Raises header_values.Unaddressable. No value can end a header (requirement notify-safely): values are single
    lines, and what is not ASCII is encoded. Made of the standard library's older classes: EmailMessage parses every
    header that it is given, which is five times the work of all the rest.
    """
    name, address = header_values.sender_of(sender)
    letter = replace(letter, recipient=header_values.reachable(letter.recipient))
    subject, page = _page(letter, unsubscribe_url)
    message = _body(page, invite_for(letter, organizer=address, sequence=sequence, now=now))
    message["From"] = header_values.mailbox("From", name, address)
    message["To"] = header_values.mailbox("To", letter.name, letter.recipient)
    message["Subject"] = header_values.text("Subject", subject)
    message["Date"] = format_datetime(now)
    message["Message-ID"] = one_line(message_id)
    message["Auto-Submitted"] = "auto-generated"
    if unsubscribe_url:
        message["List-Unsubscribe"] = f"<{one_line(unsubscribe_url)}>"
    return Mail(address, letter.recipient, message.as_bytes(policy=_WIRE))


def _body(page: dict[str, object], invite: Invite | None) -> MIMEMultipart:
    """Text and HTML to choose from, and the calendar entry beside them.

    No quoted-printable or base64 text can hold "=_", so these boundaries are safe (RFC 2045, 6.7).
    """
    text, html = (_TEMPLATES.get_template(f"letter.{kind}").render(page) for kind in ("txt", "html"))
    letter = MIMEMultipart("alternative", "=_letter", (_text("plain", text), _text("html", html)))
    if invite is None:
        return letter
    calendar = MIMENonMultipart("text", "calendar", method=invite.method, charset="utf-8")
    calendar.set_payload(invite.content)
    encoders.encode_base64(calendar)  # text would lose its CRLF, which RFC 5545 (3.1) asks for
    calendar.add_header("Content-Disposition", "attachment", filename="invite.ics")
    return MIMEMultipart("mixed", "=_mail", (letter, calendar))


def _text(subtype: str, content: str) -> MIMENonMultipart:
    part = MIMENonMultipart("text", subtype)
    part.set_payload(content, _UTF8)
    return part


def _page(letter: Letter, unsubscribe_url: str | None) -> tuple[str, dict[str, object]]:
    """(subject, what the templates show)."""
    locale, variant = understood(letter.locale), variant_of(letter.event)
    wording = LANGUAGES[locale.language].wording(letter.kind, letter.audience, variant)
    if wording is None:  # the admin's letters are in English alone
        locale = FALLBACK
        wording = LANGUAGES[locale.language].wording(letter.kind, letter.audience, variant)
    assert wording is not None, f"no wording for {letter.kind} to {letter.audience}"
    language, found = LANGUAGES[locale.language], fields_of(letter, locale)
    titled, *sentences = wording
    subject = one_line(titled.format_map(found)) if _is_complete(titled, found) else str(letter.kind)
    sentences = [sentence for sentence in sentences if _is_complete(sentence, found)]
    return subject, {
        "language": tag_of(locale),
        "subject": subject,
        "greeting": language.greeting.format_map(found),
        "greeting_html": _in_html(language.greeting, found),
        "sentences": [sentence.format_map(found) for sentence in sentences],
        "sentences_html": [_in_html(sentence, found) for sentence in sentences],
        "facts": [(language.labels[fact], value) for fact, value in facts_of(letter, found)],
        "closing": language.closing,
        "unsubscribe": language.unsubscribe.format(url=unsubscribe_url) if unsubscribe_url else "",
    }


def _is_complete(template: str, found: Fields) -> bool:
    """Whether this letter has every value that the sentence names."""
    return all(found[name] is not None for _, name, _, _ in Formatter().parse(template) if name is not None)


def _in_html(template: str, found: Fields) -> Markup:
    """The sentence with its values, each read in its own direction: a Hebrew name moves no word of ours."""
    return escape(template).format_map({name: Markup("<bdi>{}</bdi>").format(value) for name, value in found.items()})
