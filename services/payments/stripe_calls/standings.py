"""What Stripe says, when it is asked about one object, that this has brought to our balance, in minor units."""

from __future__ import annotations

import stripe

from services.payments.model.comparison import Kind
from services.payments.stripe_calls.api import PAGE, Found, StripeApi


async def standing(api: StripeApi, kind: Kind, subject: str) -> int | None:
    """0 for what Stripe does not know; None for a refund that waits for the balance. Raises what the SDK raises."""
    try:
        match kind:
            case Kind.CHARGE if subject.startswith("ch_"):
                return int((await api.look("charges", subject))["amount_captured"])
            case Kind.CHARGE:
                found = await api.look("charges", payment_intent=subject, limit=PAGE)
                return sum(int(charge["amount_captured"]) for charge in found["data"])
            case Kind.REFUND:
                return _refund(await api.look("refunds", subject, expand=["balance_transaction"]))
            case Kind.DISPUTE:
                return _dispute(await api.look("disputes", subject))
            case Kind.TRANSFER:
                transfer = await api.look("transfers", subject)
                return int(transfer["amount_reversed"] - transfer["amount"])
            case _:
                raise AssertionError(f"{kind} is nothing that Stripe can be asked about")
    except stripe.InvalidRequestError as error:
        if error.http_status not in (400, 404):
            raise
        return 0


def _refund(refund: Found) -> int | None:
    """A refund that only released the rest of an authorisation has taken nothing."""
    transaction = refund["balance_transaction"]
    if refund["status"] in ("failed", "canceled"):
        return 0
    if transaction is None:
        return None if refund["status"] == "pending" else 0
    released = isinstance(transaction, dict) and transaction["reporting_category"] == "partial_capture_reversal"
    return 0 if released else -int(refund["amount"])


def _dispute(dispute: Found) -> int:
    """By its movements; by its status where it lists none."""
    moved = [one["amount"] for one in dispute["balance_transactions"]]
    if moved:
        return int(sum(moved))
    with_us = dispute["status"] in ("won", "prevented") or dispute["status"].startswith("warning")
    return 0 if with_us else -int(dispute["amount"])
