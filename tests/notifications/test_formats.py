"""Money and text as people read them."""

from __future__ import annotations

import unicodedata

import pytest
from babel import Locale
from booking_contracts.currencies import ISO_4217
from booking_contracts.types import Money
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.locales.formats import MINOR_DIGITS, many_lines, money, one_line


@pytest.mark.requirement("notify-people")
@pytest.mark.parametrize(
    ("amount", "currency", "tag", "shown"),
    [
        (4500, "EUR", "en", "€45.00"),
        (4500, "EUR", "de", "45,00\xa0€"),
        (123456789, "EUR", "de", "1.234.567,89\xa0€"),
        (5, "USD", "en", "$0.05"),
        (0, "EUR", "en", "€0.00"),
        (4500, "JPY", "en", "¥4,500"),
        (4500, "KRW", "de", "4.500\xa0₩"),
        (4500, "KWD", "en", "KWD\xa04.500"),
        (4500, "LBP", "en", "LBP\xa045.00"),  # CLDR would print no decimals, ISO 4217 has two
        (4500, "IQD", "de", "4,500\xa0IQD"),  # CLDR none, ISO 4217 three
    ],
)
def test_money_has_the_decimals_of_its_currency(amount: int, currency: str, tag: str, shown: str) -> None:
    assert money(Money(amount=amount, currency=currency), Locale(tag)) == shown


def test_every_exception_is_a_currency_that_messages_may_carry() -> None:
    assert MINOR_DIGITS.keys() <= ISO_4217


@pytest.mark.requirement("notify-safely")
@given(st.text(st.characters(exclude_categories=[])))
def test_one_line_is_one_line_without_control_characters(text: str) -> None:
    line = one_line(text)

    assert not any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in line)
    assert len(line.splitlines()) <= 1
    assert len(line) <= 300
    line.encode()


@pytest.mark.requirement("notify-safely")
@pytest.mark.parametrize("control", "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
def test_characters_that_turn_the_reading_direction_go(control: str) -> None:
    assert one_line(f"moc.live{control}//:sptth") == "moc.live //:sptth"


def test_prose_keeps_its_lines_and_loses_its_control_characters() -> None:
    assert many_lines("first \t\r\n second\x00\x1b[31m\rthird\n") == "first\n second  [31m\nthird"
