"""Rounds of payments beside its messages: sweeping Stripe's events, reconciling, comparing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import stripe
import structlog

from services.chassis import periodic
from services.chassis.database import Pool
from services.chassis.set_back import reads_again
from services.payments import metrics
from services.payments.stripe_calls.api import NO_ANSWER

log = structlog.get_logger()


async def knows_its_commands(pool: Pool) -> bool:
    """Whether this database has read again what it was asked for. Until then much at Stripe seems to be nobody's."""
    if not await reads_again(pool):
        return True
    log.info("commands are read again; Stripe is compared when they are")
    return False


async def in_rounds(what: str, every_seconds: float, work: Callable[[], Awaitable[object]]) -> None:
    """Do `work` about twice in `every_seconds`, until cancelled; that Stripe does not answer is to be expected."""
    failed = metrics.rounds_failed.labels(what).inc
    await periodic.every(every_seconds, work, what, failed=failed, expected=(stripe.StripeError, *NO_ANSWER))
