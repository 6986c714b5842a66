"""Looking at Stripe: a look changes nothing, so it is repeated at once where Stripe stumbles."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar
from uuid import UUID

import stripe
from stripe.params import ChargeListParams, PaymentIntentListParams

from services.payments.stripe_calls.api import NO_ANSWER, PAGE, Refusal, StripeApi, judge, matches, options

LOOKS = 4
NEWEST_PAGES = 5
"""Stripe keeps a failure for the next try, which follows within seconds or, when Stripe is away, minutes."""

Found = TypeVar("Found")
Listed = TypeVar("Listed", stripe.Charge, stripe.PaymentIntent, stripe.Refund, stripe.Transfer)


async def patiently(look: Callable[[], Awaitable[Found]]) -> Found:
    """One look, at most LOOKS times. Raises what Stripe's SDK raises."""
    for _ in range(LOOKS - 1):
        try:
            return await look()
        except (stripe.StripeError, *NO_ANSWER) as error:
            if isinstance(judge(error), Refusal):
                raise
            await asyncio.sleep(0.1)
    return await look()


async def unless_missing(look: Callable[[], Awaitable[Found]]) -> Found | None:
    """One look; None where Stripe knows no such object, which no further look changes."""
    try:
        return await look()
    except stripe.InvalidRequestError as error:
        if error.http_status != 404:
            raise
        return None


async def first_match(
    list_them: Callable[[], Awaitable[stripe.ListObject[Listed]]], ours: Mapping[str, object], most_pages: int = 1_000
) -> Listed | None:
    """The first object of a list, newest first, whose metadata says `ours`; each page with patience of its own."""
    page = await patiently(list_them)
    for number in itertools.count(1):
        for found in page.data:
            if matches(found.metadata, **ours):
                return found
        if not page.has_more or number == most_pages:
            break
        page = await patiently(page.next_page_async)
    return None


async def find_intent(api: StripeApi, api_version: str, group: UUID, **ours: object) -> stripe.PaymentIntent | None:
    """The PaymentIntent that a lost answer was about, by its metadata, however many others there are.

    One that reserved or took money has a charge, and charges are listed by transfer group. One without a charge is
    looked for among the newest: what is missed there holds no money, and the reconciler cancels it.
    """
    chosen = options(api_version)
    in_group: ChargeListParams = {"transfer_group": str(group), "limit": PAGE}
    charge = await first_match(lambda: api.v1.charges.list_async(in_group, chosen), ours)
    if charge is not None:
        intent = str(charge.payment_intent)
        return await patiently(lambda: api.v1.payment_intents.retrieve_async(intent, {}, chosen))
    newest: PaymentIntentListParams = {"limit": PAGE}
    return await first_match(lambda: api.v1.payment_intents.list_async(newest, chosen), ours, NEWEST_PAGES)
