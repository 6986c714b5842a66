"""Amounts as operators read them, in findings, on pages and screens."""

from __future__ import annotations

from decimal import Decimal

from services.notifications.locales.formats import MINOR_DIGITS

NOTHING = "–"


def money(minor: int | None, currency: str) -> str:
    """An amount in minor units as 1,234.50 EUR; with the decimals that the currency has."""
    if minor is None:
        return NOTHING
    digits = MINOR_DIGITS.get(currency, 2)
    return f"{Decimal(minor).scaleb(-digits):,.{digits}f} {currency}"
