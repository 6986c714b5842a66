"""A letter as an e-mail: text and HTML in the recipient's language and zone, with its calendar entry."""

from __future__ import annotations

from base64 import encodebytes
from binascii import b2a_qp
from dataclasses import replace
from datetime import datetime
from email.utils import format_datetime
from functools import cache
from pathlib import Path
from string import Formatter

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from services.notifications import header_values
from services.notifications.invite import invite_for
from services.notifications.locales import FALLBACK, LANGUAGES, tag_of, understood
from services.notifications.locales.fields import Fields, facts_of, fields_of, variant_of
from services.notifications.locales.formats import one_line
from services.notifications.model.letters import Letter
from services.notifications.sender import Mail

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    keep_trailing_newline=True,
)
TEMPLATES.filters["quoted_printable"] = lambda text: b2a_qp(text.encode()).decode("ascii")
TEMPLATES.filters["base64"] = lambda content: encodebytes(content).decode("ascii")
_MAIL, _TEXT, _HTML = map(TEMPLATES.get_template, ("mail.eml", "letter.txt", "letter.html"))


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
    lines or folded in `header_values`, and what is not ASCII is encoded. A Message-ID is not folded: not all programs
    would find it again. A template has the form of the mail: the standard library's classes take five times as long.
    """
    name, address = header_values.sender_of(sender)
    letter = replace(letter, recipient=header_values.reachable(letter.recipient))
    subject, page = _page(letter, unsubscribe_url)
    mail = _MAIL.render(
        sender=header_values.mailbox("From", name, address),
        recipient=header_values.mailbox("To", letter.name, letter.recipient),
        subject=header_values.text("Subject", subject),
        date=format_datetime(now),
        message_id=one_line(message_id),
        unsubscribe_link=header_values.link("List-Unsubscribe", unsubscribe_url) if unsubscribe_url else None,
        text=_TEXT.render(page),
        html=_HTML.render(page),
        invite=invite_for(letter, organizer=address, sequence=sequence, now=now),
    )
    return Mail(address, letter.recipient, mail.replace("\n", "\r\n").encode("ascii"))


def plain(letter: Letter) -> tuple[str, str]:
    """Subject and text, as the mail has them for who reads no HTML; of a reminder without the link that ends them."""
    subject, page = _page(letter, None)
    return subject, _TEXT.render(page)


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
        "unsubscribe": language.unsubscribe if unsubscribe_url else "",
        "unsubscribe_url": unsubscribe_url,
    }


@cache
def _named(template: str) -> tuple[str, ...]:
    """The values that a sentence of ours names."""
    return tuple(name for _, name, _, _ in Formatter().parse(template) if name is not None)


def _is_complete(template: str, found: Fields) -> bool:
    """Whether this letter has every value that the sentence names."""
    return all(found[name] is not None for name in _named(template))


def _in_html(template: str, found: Fields) -> Markup:
    """The sentence with its values, each read in its own direction: a Hebrew name moves no word of ours."""
    values = {name: f"<bdi>{escape(found[name])}</bdi>" for name in _named(template)}
    return Markup(str(escape(template)).format_map(values))
