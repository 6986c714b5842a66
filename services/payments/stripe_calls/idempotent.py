"""A request that changes something at Stripe, sent until its outcome is known and never with effect twice.

The idempotency key sees to that, but for four cases that need a look first (engine.md, Gateway calls): a key under
which Stripe has stored a failure or another request; a call older than a day, whose key Stripe has forgotten; a call
whose result was lost, because what Stripe has stored under its key may be old by now; and one that may have been made
before the database was set back (requests.py), so that its key may be forgotten and its result lost.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import stripe

from services.chassis.clock import Clock
from services.chassis.gateway_calls import OpenCall, TryAgain
from services.chassis.messages import LocalBody
from services.payments.model import idempotency_keys
from services.payments.stripe_calls.api import NO_ANSWER, Found, Refusal, judge, key_is_spent
from services.payments.stripe_calls.parameters import StripeCall

KEY_IS_TRUSTED = timedelta(hours=23)
MOST_KEYS = 5
"""New keys in one try."""


@dataclass(frozen=True)
class Request:
    """A request that changes something: how it is sent under a key, how its object is found, what an answer means."""

    send: Callable[[str], Awaitable[Found]]
    look_up: Callable[[], Awaitable[Found | None]]
    read: Callable[[Found], LocalBody]
    refused: Callable[[Refusal], Awaitable[LocalBody]]


class KeyedRequests:
    """Sends requests under their keys."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._burnt: dict[UUID, int] = {}
        """Open calls whose first keys are spent and made nothing: how many keys."""

    async def outcome(self, call: OpenCall, asked: StripeCall, request: Request) -> LocalBody | TryAgain:
        """One try: a definite outcome, or TryAgain."""
        outcome = await self._send(call, asked, request)
        if not isinstance(outcome, TryAgain):
            self._burnt.pop(call.id, None)
        return outcome

    async def _send(self, call: OpenCall, asked: StripeCall, request: Request) -> LocalBody | TryAgain:
        """Send under the key; look where the key does not protect."""
        age = max(self._clock.now() - asked.asked_at, timedelta(seconds=call.age_seconds))
        look_first = asked.look_first or age > KEY_IS_TRUSTED
        if look_first and (found := await request.look_up()) is not None:
            return request.read(found)
        for _ in range(MOST_KEYS):
            burnt = self._burnt.get(call.id, 0)
            key = idempotency_keys.after_stored_failure(call.idempotency_key, burnt)
            try:
                return request.read(await request.send(key))
            except (stripe.StripeError, *NO_ANSWER) as error:
                outcome = judge(error)
                if isinstance(outcome, Refusal):
                    return await request.refused(outcome)
                if not key_is_spent(error):
                    return outcome
                spent = outcome
            if (found := await request.look_up()) is not None:
                return request.read(found)
            self._burnt[call.id] = burnt + 1
        return TryAgain(f"no one of {MOST_KEYS} keys helps: {spent.reason}", spent.after_seconds)
