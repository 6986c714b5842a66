"""Rejection codes: why a command was refused (contract.md, Replies; which code when: rules.md)."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from pydantic import JsonValue


class Code(StrEnum):
    """A stable word for why a command was refused."""

    INVALID_COMMAND = "INVALID_COMMAND"
    UNKNOWN_TYPE = "UNKNOWN_TYPE"
    BOOKING_NOT_FOUND = "BOOKING_NOT_FOUND"
    BOOKING_EXISTS = "BOOKING_EXISTS"
    OFFERING_NOT_FOUND = "OFFERING_NOT_FOUND"
    PROVIDER_NOT_FOUND = "PROVIDER_NOT_FOUND"
    SLOT_NOT_OFFERED = "SLOT_NOT_OFFERED"
    SLOT_IN_PAST = "SLOT_IN_PAST"
    NOTICE_TOO_SHORT = "NOTICE_TOO_SHORT"
    BEYOND_HORIZON = "BEYOND_HORIZON"
    SLOT_FULL = "SLOT_FULL"
    PROVIDER_BUSY = "PROVIDER_BUSY"
    PRICE_CHANGED = "PRICE_CHANGED"
    NOT_ALLOWED = "NOT_ALLOWED"
    ILLEGAL_TRANSITION = "ILLEGAL_TRANSITION"
    ALREADY_CANCELLED = "ALREADY_CANCELLED"
    DEADLINE_PASSED = "DEADLINE_PASSED"
    TOO_EARLY = "TOO_EARLY"
    WINDOW_CLOSED = "WINDOW_CLOSED"
    AMOUNT_MISMATCH = "AMOUNT_MISMATCH"
    QUOTE_EXPIRED = "QUOTE_EXPIRED"
    ENTRY_NOT_FOUND = "ENTRY_NOT_FOUND"
    ALREADY_WAITING = "ALREADY_WAITING"
    SLOT_AVAILABLE = "SLOT_AVAILABLE"
    WAITLIST_CLOSED = "WAITLIST_CLOSED"
    OFFER_EXPIRED = "OFFER_EXPIRED"
    TOO_BUSY = "TOO_BUSY"
    DISCARDED = "DISCARDED"
    INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS"
    CARD_DECLINED = "CARD_DECLINED"


class Rejected(Exception):
    """A command is refused: a stable code, a sentence that tells the sender what to do, and details.

    `subject` is the booking that the command was about, where there is one. Details of INVALID_COMMAND are the field
    and the problem of the first error, and `errors`: each of them as {field, problem, message} (refusals.Problem), 20
    at most; where none are named, the one that the details are about.
    """

    def __init__(self, code: Code, message: str, subject: UUID | None = None, **details: JsonValue) -> None:
        super().__init__(f"{code}: {message}")
        if code is Code.INVALID_COMMAND and "errors" not in details:
            details["errors"] = [{**details, "message": message}]
        self.code, self.message, self.subject, self.details = code, message, subject, details
