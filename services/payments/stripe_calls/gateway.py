"""Stripe behind the engine's Gateway protocol: an intended call in, what came of it out.

A definite outcome is a local message; everything else is TryAgain: the same request, byte-identical, under its key.
"""

from __future__ import annotations

import asyncio

import stripe

from services.chassis.clock import Clock
from services.chassis.gateway_calls import OpenCall, TryAgain
from services.chassis.messages import LocalBody
from services.payments.stripe_calls.api import NO_ANSWER, StripeApi, judge
from services.payments.stripe_calls.circuit_breaker import CircuitBreaker
from services.payments.stripe_calls.disputes import Disputes
from services.payments.stripe_calls.idempotent import KeyedRequests
from services.payments.stripe_calls.operations import Operations
from services.payments.stripe_calls.payment_intents import Intents
from services.payments.stripe_calls.refunds import Refunds
from services.payments.stripe_calls.transfers import Transfers
from services.payments.stripe_calls.wallets import Wallets

TRY_SECONDS = 25.0
"""All requests of one try together; below the lease."""


class StripeGateway:
    """Makes the calls of payments. Never raises for Stripe's faults."""

    def __init__(self, api: StripeApi, clock: Clock, breaker: CircuitBreaker) -> None:
        requests = KeyedRequests(clock)
        self._breaker = breaker
        self._operations: Operations = {
            **Intents(api, requests).operations,
            **Refunds(api, requests).operations,
            **Transfers(api, requests).operations,
            **Wallets(api, requests).operations,
            **Disputes(api).operations,
        }

    async def call(self, call: OpenCall) -> LocalBody | TryAgain:
        """One try of a call."""
        if (wait := self._breaker.wait_seconds()) is not None:
            return TryAgain("Stripe does not answer: the circuit is open", wait)
        outcome = await self._try(call)
        if isinstance(outcome, TryAgain) and outcome.after_seconds is None:
            self._breaker.failed()
        else:
            self._breaker.answered()
        return outcome

    async def _try(self, call: OpenCall) -> LocalBody | TryAgain:
        try:
            async with asyncio.timeout(TRY_SECONDS):
                return await self._operations[call.operation](call)
        except (stripe.StripeError, *NO_ANSWER) as error:
            found = judge(error)
            return found if isinstance(found, TryAgain) else TryAgain(f"{found.status} {found.code}", 60.0)
