"""Values as people read them: money, instants, periods, and text that cannot break out of its line."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_time
from babel.numbers import format_currency, parse_pattern
from booking_contracts.types import Money, Period

from services.notifications.locales.zones import zone_name

LONGEST_LINE = 300
RECENT = 1_000
"""Values that are kept as they were written: the letters of a booking, and of a slot, name the same ones."""
MINOR_DIGITS = {
    code: digits
    for digits, codes in {
        0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF",
        3: "BHD IQD JOD KWD LYD OMR TND",
    }.items()
    for code in codes.split()
}
"""Decimals of the currencies that do not have two (ISO 4217). CLDR prints LBP with none: not the same."""

_CODE_TOUCHES_DIGIT = re.compile(r"(?<=[A-Z])(?=\d)")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Unicode's categories Cc, Cs, Zl and Zp, which never change, and what turns the direction."""


def one_line(text: str) -> str:
    """Text for a header or a single line: no line break, control or direction-changing character."""
    line = " ".join((text if text.isprintable() else _UNPRINTABLE.sub(" ", text)).split())
    return line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1] + "…"


def many_lines(text: str) -> str:
    """Prose: line breaks stay, other control characters and blanks before a break go."""
    lines = re.split(r"\r\n|\r|\n", text)
    return "\n".join(_UNPRINTABLE.sub(" ", line).rstrip() for line in lines).strip()


def zone(name: str) -> ZoneInfo:
    """The IANA zone of that name, UTC where there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")


@lru_cache(RECENT)
def money(value: Money, locale: Locale) -> str:
    """`{"amount": 4500, "currency": "EUR"}` is €45.00 in English and 45,00 € in German."""
    digits = MINOR_DIGITS.get(value.currency, 2)
    pattern = parse_pattern(locale.currency_formats["standard"].pattern)
    pattern.frac_prec = (digits, digits)
    amount = Decimal(value.amount).scaleb(-digits)
    shown = format_currency(amount, value.currency, format=pattern, locale=locale, currency_digits=False)
    return _CODE_TOUCHES_DIGIT.sub("\N{NO-BREAK SPACE}", shown)


@lru_cache(RECENT)
def instant(at: datetime, where: ZoneInfo, locale: Locale) -> str:
    """Weekday, date, time and zone, e.g. Sunday, March 28, 2027, 9:00 AM (Central European …).

    `at` is in UTC: within a zone, the two hours of a clock put back are equal (PEP 495), and one would be told as the
    other.
    """
    assert at.tzinfo is UTC, "what events tell is in UTC"
    return f"{_date_and_time(at.astimezone(where), locale)} {_zone_name(at.astimezone(where), locale)}"


@lru_cache(RECENT)
def period(span: Period, where: ZoneInfo, locale: Locale) -> str:
    """From … to; the second date and zone are left out where they are those of the first."""
    starts, ends = span.starts_at.astimezone(where), span.ends_at.astimezone(where)
    if starts.date() == ends.date() and starts.utcoffset() == ends.utcoffset():
        return f"{_date_and_time(starts, locale)} – {_time(ends, locale)} {_zone_name(starts, locale)}"
    return f"{instant(span.starts_at, where, locale)} – {instant(span.ends_at, where, locale)}"


def _date_and_time(local: datetime, locale: Locale) -> str:
    return f"{format_date(local, 'full', locale=locale)}, {_time(local, locale)}"


def _time(local: datetime, locale: Locale) -> str:
    # CLDR writes a narrow no-break space before AM, which many mail programs show as a box.
    return format_time(local, "short", tzinfo=local.tzinfo, locale=locale).replace("\u202f", " ")


def _zone_name(local: datetime, locale: Locale) -> str:
    return f"({zone_name(local, locale)}, {local.tzinfo})"
