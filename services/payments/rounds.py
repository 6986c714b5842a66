"""What payments does again and again beside its messages: sweeping Stripe's events, reconciling."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import stripe
import structlog

from services.payments.gateway.api import NO_ANSWER

log = structlog.get_logger()


async def in_rounds(what: str, every_seconds: float, work: Callable[[], Awaitable[object]]) -> None:
    """Do `work` about twice in `every_seconds`, until cancelled; a round that fails is logged, and the next one comes.

    Which replica's round counts is for the work itself to settle, in the database.
    """
    while True:
        await asyncio.sleep(every_seconds * random.uniform(0.4, 0.6))
        try:
            await work()
        except (stripe.StripeError, *NO_ANSWER) as error:
            log.warning(f"{what} failed", error=repr(error))
        except Exception:
            log.error(f"{what} failed", exc_info=True)
