"""The texts in messages: patterns that schemas show, the same in words, and the readers that a service brings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from pydantic import ValidationInfo

INSTANT = "must be an instant in UTC, e.g. 2030-01-31T09:00:00Z"
DATE = "must be a date, e.g. 2030-01-31"
ONE_LINE = r"^[^\x00-\x1f\x7f-\x9f]*$"
LINES = r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*$"
OPAQUE_ID = r"^[A-Za-z0-9._:@-]{1,128}$"
PAYMENT_METHOD = r"^[A-Za-z0-9_]{1,128}$"
PAYOUT_ACCOUNT = r"^acct_[A-Za-z0-9_]{1,100}$"
WALL_TIME = r"^([01]\d|2[0-3]):[0-5]\d$"
WALL_TIME_TO_24 = r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$"

WORDS = {
    ONE_LINE: "must be a text in one line, without control characters",
    LINES: "must be a text without control characters other than tabs and line feeds",
    OPAQUE_ID: "must be an id of 1 to 128 letters a to z, digits and . _ : @ -",
    PAYMENT_METHOD: "must be the id of a Stripe payment method, e.g. pm_card_visa",
    PAYOUT_ACCOUNT: "must be the id of a Stripe account, e.g. acct_1032D82eZvKYlo2C",
    WALL_TIME: "must be a time of day with two digits each, e.g. 09:00",
    WALL_TIME_TO_24: "must be a time of day with two digits each, e.g. 17:00; the day ends at 24:00",
}
"""Pattern → what follows the name of the field in a refusal."""

Kind = Literal["text", "email", "phone", "locale", "timezone"]
"""`text` is what people read: names, titles, reasons, notes."""
Reading = Mapping[Kind, Callable[[str], str]]
"""How a service reads the texts of a command that need more than a pattern: pydantic's `context` of validation.

Each returns the text as it is kept, or raises ValueError with what follows the field's name in the refusal. Without a
context, in events and rows, texts stay as they are: what was stored once stays readable.
"""


def read_as(kind: Kind) -> Callable[[str, ValidationInfo], str]:
    """For an AfterValidator: reads the text as its kind, where the context says how."""

    def read(text: str, info: ValidationInfo) -> str:
        reading: Reading = info.context or {}
        return reading[kind](text) if kind in reading else text

    return read
