"""Rounds of payments beside its messages: sweeping Stripe's events, reconciling, comparing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import stripe

from services.chassis import periodic
from services.payments import metrics
from services.payments.stripe_calls.api import NO_ANSWER


async def in_rounds(what: str, every_seconds: float, work: Callable[[], Awaitable[object]]) -> None:
    """Do `work` about twice in `every_seconds`, until cancelled; that Stripe does not answer is to be expected."""
    failed = metrics.rounds_failed.labels(what).inc
    await periodic.every(every_seconds, work, what, failed=failed, expected=(stripe.StripeError, *NO_ANSWER))
