"""Finds what an earlier try may have made, where the idempotency key cannot tell: by time and metadata."""

from __future__ import annotations

import stripe

from services.payments.calls import AuthorizeCall, RefundCall
from services.payments.stripe_api import StripeApi, options

MARGIN_SECONDS = 300
PAGE = 100


async def payment_intent(api: StripeApi, asked: AuthorizeCall) -> stripe.PaymentIntent | None:
    """The PaymentIntent of an attempt, made since it was asked for; its metadata names booking and attempt."""
    since = int(asked.asked_at.timestamp()) - MARGIN_SECONDS
    page = await api.v1.payment_intents.list_async(
        {"created": {"gte": since}, "limit": PAGE}, options(asked.api_version)
    )
    wanted = {"booking_id": str(asked.booking_id), "attempt": str(asked.attempt)}
    async for intent in page.auto_paging_iter():
        if _matches(intent.metadata, wanted):
            return intent
    return None


async def refund(api: StripeApi, asked: RefundCall) -> stripe.Refund | None:
    """A refund of the PaymentIntent whose metadata names ours."""
    page = await api.v1.refunds.list_async(
        {"payment_intent": asked.payment_intent, "limit": PAGE}, options(asked.api_version)
    )
    async for found in page.auto_paging_iter():
        if found.status not in ("failed", "canceled") and _matches(found.metadata, {"refund_id": str(asked.refund_id)}):
            return found
    return None


def _matches(metadata: object, wanted: dict[str, str]) -> bool:
    """StripeObject is no dict: what is not there raises."""
    try:
        return all(metadata[name] == value for name, value in wanted.items())  # type: ignore[index]
    except (KeyError, TypeError):
        return False
