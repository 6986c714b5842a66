"""Values as the console shows them: instants, money, spans, counts, and personal data without what is personal."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from booking_contracts.envelope import rfc3339
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from services.operations.amounts import NOTHING, money

SIGN = "•••"
PERSONAL = re.compile(
    r"""
    \s*((?:\bDETAIL:\s+)?(?:\bFailing\ row\ contains|\bKey\ \([^\n]*?\)=(?=\())|\bDETAIL:
        |\binput_value=|'input':|\binvalid\ input\ [^:\n]*:)
        .*?(?=\n\n(?:The\ above|During\ handling)|\Z)  # to the end, or to the error that was raised next
    |\S*@\S*
    """,
    re.DOTALL | re.VERBOSE,
)
"""In an error: what PostgreSQL and pydantic quote of the data, and addresses. A value may have lines of its own."""


def time(value: datetime | None) -> Markup | str:
    """An instant, in UTC; console.js shows it as the reader wants it."""
    if value is None:
        return NOTHING
    return Markup('<time datetime="{}">{}</time>').format(rfc3339(value), f"{value:%Y-%m-%d %H:%M:%S}")


def span(value: float | timedelta | None) -> str:
    """A time that something took, or is late, as people say it: 35 ms, 1.4 s, 3 min, 5 h, 2 d."""
    if value is None:
        return NOTHING
    seconds = float(value.total_seconds() if isinstance(value, timedelta) else value)
    for below, unit, name in ((1, 0.001, "ms"), (10, 1, ""), (120, 1, "s"), (7200, 60, "min"), (172800, 3600, "h")):
        if abs(seconds) < below:
            return f"{seconds / unit:.0f} {name}" if name else f"{seconds:.1f} s"
    return f"{seconds / 86400:.0f} d"


def count(value: int | None, bound: int | None = None) -> str:
    """A number, exact; where counting stopped at `bound`, with a plus."""
    if value is None:
        return NOTHING
    return f"{bound:,}+" if bound is not None and value >= bound else f"{value:,}"


def short(value: UUID | str | None) -> str:
    """The end of an id, enough to tell it from its neighbours: ids of one time begin alike."""
    return NOTHING if value is None else f"…{str(value)[-8:]}"


def pretty(value: Any) -> str:
    """A JSON document, indented; what is stored as text or bytes is read first, and shown as it is where it is none."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return str(value)
    document: str = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    return document


@pass_context
def masked(context: Context, value: object) -> str:
    """Personal data: its first character, unless this page was asked for unmasked by who may."""
    if value is None or value == "":
        return NOTHING
    return str(value) if context.get("unmasked") else f"{str(value)[0]}{SIGN}"


def without_people(said: str) -> str:
    """What a machine said, such as an error or a mail server's answer, without addresses and what it quotes of data."""
    return PERSONAL.sub(lambda found: f" {found[1]} {SIGN}" if found[1] else SIGN, said).strip()


@pass_context
def impersonal(context: Context, value: object) -> str:
    """`without_people`, unless this page was asked for unmasked by who may."""
    if value is None or value == "":
        return NOTHING
    return str(value) if context.get("unmasked") else without_people(str(value))


@pass_context
def raised(context: Context, error: str | None) -> str:
    """The last line of an error, `impersonal`: above it stands from where it was raised."""
    return impersonal(context, (error or "").strip()).splitlines()[-1]


@pass_context
def withheld(context: Context, value: Any) -> str:
    """A document that may hold personal data: `pretty`, or that it is not shown."""
    return pretty(value) if context.get("unmasked") else "not shown: it may hold personal data"


def words(markdown: str) -> str:
    """A sentence of our pages without its links and signs."""
    return re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", markdown).replace("`", "")


FILTERS = {
    "time": time,
    "money": money,
    "span": span,
    "count": count,
    "short": short,
    "pretty": pretty,
    "masked": masked,
    "impersonal": impersonal,
    "raised": raised,
    "withheld": withheld,
    "words": words,
}
