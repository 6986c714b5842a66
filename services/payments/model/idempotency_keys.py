"""The idempotency keys of all calls to Stripe, one function each (docs/contract.md; requirement retry-mechanism).

A key names what is wanted, never the call: asked again under it, Stripe gives the answer that it gave before. The
formats are stored, here and at Stripe: one that changes makes a second charge or refund of a call that is under way.
"""

from __future__ import annotations

import re
from uuid import UUID


def of_intent(booking_id: UUID, operation: str, attempt: int) -> str:
    """Authorise, capture, void or look at the PaymentIntent of an attempt."""
    return f"{booking_id}:{operation}:{attempt}"


def of_leftover(booking_id: UUID, attempt: int, payment_intent: str) -> str:
    """Cancel a PaymentIntent that nobody wants."""
    return f"{booking_id}:leftover:{attempt}:{payment_intent}"


def of_refund(booking_id: UUID, attempt: int, number: int, tries: int) -> str:
    """A booking's refund; further refunds, and further tries of one that failed, have keys of their own."""
    return _numbered(booking_id, "refund", attempt, number, tries)


def of_payout(booking_id: UUID, attempt: int, number: int, tries: int) -> str:
    """A transfer to the provider, in the same way."""
    return _numbered(booking_id, "payout", attempt, number, tries)


def of_top_up(command_id: UUID) -> str:
    """A charge for a wallet."""
    return f"{command_id}:top_up"


def of_withdrawal(command_id: UUID, number: int) -> str:
    """The refund of a top-up; a withdrawal that takes several has a key for each."""
    return f"{command_id}:refund" + ("" if number == 1 else f"-{number}")


def of_confirmation(key: str) -> str:
    """The second request of a call that makes a PaymentIntent and then confirms it."""
    return f"{key}:confirm"


def after_stored_failure(key: str, burnt: int) -> str:
    """A key whose answer Stripe has stored as a failure without effect is left behind, `burnt` times so far."""
    return f"{key}:{burnt}" if burnt else key


def is_ours(key: object) -> bool:
    """Whether a key has the form of these; the dashboard and others who use the account have other ones."""
    return isinstance(key, str) and _OURS.match(key) is not None


_OURS = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}:[a-z_]+")


def _numbered(booking_id: UUID, what: str, attempt: int, number: int, tries: int) -> str:
    operation = what if number == 1 else f"{what}-{number}"
    again = "" if tries == 1 else f":try-{tries}"
    return f"{booking_id}:{operation}:{attempt}{again}"
