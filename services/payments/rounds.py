"""Periodic work of payments beside its messages: sweeping Stripe's events, reconciling."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import stripe
import structlog

from services.payments import metrics
from services.payments.stripe_calls.api import NO_ANSWER

log = structlog.get_logger()


async def in_rounds(what: str, every_seconds: float, work: Callable[[], Awaitable[object]]) -> None:
    """Do `work` about twice in `every_seconds`, until cancelled. One that fails is counted and logged.

    Which replica's round counts is for the work itself to settle, in the database.
    """
    while True:
        await asyncio.sleep(every_seconds * random.uniform(0.4, 0.6))
        try:
            await work()
        except (stripe.StripeError, *NO_ANSWER) as error:
            metrics.rounds_failed.labels(what).inc()
            log.warning(f"{what} failed", error=repr(error))
        except Exception:
            metrics.rounds_failed.labels(what).inc()
            log.error(f"{what} failed", exc_info=True)
