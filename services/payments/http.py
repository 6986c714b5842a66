"""Payments over HTTP (contract.md, HTTP): reads about money, the client secret, and Stripe's webhook."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import stripe
import structlog
from aiohttp import web

from services.chassis.clock import Clock
from services.chassis.http import POOL, WRITES, add_description, answer, open_to, page_of
from services.chassis.parameters import OPAQUE_ID, limit_of, path_id, read_cursor, row_number, text_of
from services.chassis.problems import Problem, bad_request, unavailable
from services.payments import metrics
from services.payments.model.payment import Status
from services.payments.store import reads
from services.payments.stripe_calls.api import NO_ANSWER, StripeApi
from services.payments.stripe_events.events import BadEvent, read_event
from services.payments.stripe_events.signature import BadSignature, verify
from services.payments.stripe_events.together import Together

log = structlog.get_logger()
ACCOUNT = r"[a-z_]{1,40}(:[A-Za-z0-9._:@-]{1,160})?"


@dataclass(frozen=True, slots=True)
class Outside:
    """What the paths need beside the database."""

    api: StripeApi
    clock: Clock
    webhook_secrets: Callable[[], Sequence[str]]
    wake: Callable[[], None]


OUTSIDE: web.AppKey[Outside] = web.AppKey("outside")
EVENTS: web.AppKey[Together] = web.AppKey("events")


def add_routes(app: web.Application, outside: Outside) -> None:
    """Payments' own paths."""
    app[OUTSIDE], app[EVENTS] = outside, Together(app[WRITES], outside.clock)
    add_description(app, "payments")
    app.router.add_get("/v1/payments/{booking_id}", payment)
    app.router.add_get("/v1/payments/{booking_id}/client-secret", client_secret)
    app.router.add_get("/v1/wallets/{customer_id}", wallet)
    app.router.add_get("/v1/ledger", ledger)
    app.router.add_post("/webhooks/stripe", stripe_webhook)
    app.on_cleanup.append(_close)


async def _close(app: web.Application) -> None:
    await app[OUTSIDE].api.close()


@open_to("read:money")
async def payment(request: web.Request) -> web.Response:
    """A booking's payment."""
    found = await reads.payment_shown(request.app[POOL], path_id(request, "booking_id"))
    if found is None:
        raise Problem(404, "Not Found", "There is no payment for this booking.")
    return answer(found)


@open_to("client-secret")
async def client_secret(request: web.Request) -> web.Response:
    """What the payer's browser needs to name a card or to pass 3-D Secure; read from Stripe, kept nowhere."""
    found = await reads.payment(request.app[POOL], path_id(request, "booking_id"))
    if found is None:
        raise Problem(404, "Not Found", "There is no payment for this booking.")
    if found.status is not Status.REQUIRES_ACTION or found.payment_intent is None:
        raise Problem(409, "Conflict", f"The payment is {found.status}: it does not wait for the payer.")
    try:
        secret = await request.app[OUTSIDE].api.client_secret(found.payment_intent)
    except (stripe.StripeError, *NO_ANSWER) as error:
        log.warning("client secret not read", payment_intent=found.payment_intent, error=type(error).__name__)
        raise unavailable("Stripe does not answer; try again shortly.") from None
    return web.json_response({"client_secret": secret}, headers={"Cache-Control": "no-store"})


@open_to("read:money")
async def wallet(request: web.Request) -> web.Response:
    """A customer's balances, one per currency; none for a customer who has never had any."""
    customer_id = request.match_info["customer_id"]
    if re.fullmatch(OPAQUE_ID, customer_id, re.ASCII) is None:
        raise Problem(404, "Not Found", "customer_id must be an id as commands carry it, e.g. c-123.")
    return answer(await reads.wallet(request.app[POOL], customer_id))


@open_to("read:money", "account", "limit", "cursor")
async def ledger(request: web.Request) -> web.Response:
    """Entries, oldest first, of `account` or of all."""
    limit, account = limit_of(request), text_of(request, "account", ACCOUNT, "wallet:bob:available")
    found = await reads.ledger(request.app[POOL], account, read_cursor(request, row_number) or 0, limit)
    return page_of(found, limit, lambda item: item["entry_id"], _without_number)


def _without_number(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name != "entry_id"}


async def stripe_webhook(request: web.Request) -> web.Response:
    """Verify the raw bytes, keep the event, then say 200; what it means is worked out behind it."""
    outside = request.app[OUTSIDE]
    payload = await request.read()
    try:
        verify(payload, request.headers.get("Stripe-Signature", ""), outside.webhook_secrets(), outside.clock.now())
        event = read_event(payload)
    except (BadSignature, BadEvent) as bad:
        metrics.webhooks_refused.inc()
        raise bad_request(str(bad)) from None
    metrics.events_received.labels("webhook").inc()
    if await request.app[EVENTS].take(event) and not event.caused_by_us:
        outside.wake()
    return answer({"received": True})
