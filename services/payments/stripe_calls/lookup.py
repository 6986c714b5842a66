"""Looking for what a call has made at Stripe, when its answer was lost."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from uuid import UUID

import stripe

from services.payments.stripe_calls.api import Found, StripeApi, matches, patiently

NEWEST_PAGES = 5
"""Stripe keeps a failure for the next try, which follows within seconds or, when Stripe is away, minutes."""


async def unless_missing(look: Callable[[], Awaitable[Found]]) -> Found | None:
    """One look; None where Stripe knows no such object, which no further look changes."""
    try:
        return await look()
    except stripe.InvalidRequestError as error:
        if error.http_status != 404:
            raise
        return None


async def first_match(
    pages: AsyncIterator[Sequence[Found]], ours: Mapping[str, object], most_pages: int = 1_000
) -> Found | None:
    """The first object of a list, newest first, whose metadata says `ours`."""
    async for page in pages:
        most_pages -= 1
        for found in page:
            if matches(found.get("metadata"), **ours):
                return found
        if not most_pages:
            break
    return None


async def find_intent(api: StripeApi, api_version: str, group: UUID, **ours: object) -> Found | None:
    """The PaymentIntent that a lost answer was about, by its metadata, however many others there are.

    One that reserved or took money has a charge, and charges are listed by transfer group. One without a charge is
    looked for among the newest: what is missed there holds no money, and the reconciler cancels it.
    """
    charge = await first_match(api.pages("charges", api_version, transfer_group=str(group)), ours)
    if charge is not None:
        intent = charge["payment_intent"]
        return await patiently(lambda: api.look("payment_intents", intent, api_version=api_version))
    return await first_match(api.pages("payment_intents", api_version), ours, NEWEST_PAGES)
