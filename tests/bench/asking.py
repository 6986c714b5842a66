"""Everything that is read of a filled database (years.py): each HTTP path in each way, and what runs now and then.

Both are found by name: a GET path or a background task of a service that stands in neither list is a failure.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, get_args
from uuid import uuid4

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from services.booking import gauges as booking_metrics
from services.booking import http as booking_http
from services.booking.availability_process import CalendarProcess
from services.chassis import gateway_calls, gauges, local_messages, retention, revisions
from services.chassis.clock import Clock
from services.chassis.database import Connection, Pool
from services.chassis.http import Pools, new_app
from services.chassis.settings import Scope
from services.notifications import http as notifications_http
from services.notifications.model.targets import Targets
from services.notifications.subscriptions import gauges as subscribers
from services.notifications.subscriptions import outcomes, queue
from services.payments import business
from services.payments import gauges as payments_gauges
from services.payments import http as payments_http
from services.payments.comparison.rounds import Comparison
from services.payments.reconciliation.reconciler import Reconciler
from services.payments.stripe_calls.api import StripeApi
from services.payments.stripe_calls.circuit_breaker import CircuitBreaker
from services.payments.stripe_events.sweeper import Sweeper
from tests.bench.years import HOT, HOT_START, SOON, WHALE, named
from tests.doors import HEALTHY, a_token

TOKEN, SECRET = "all", "whsec_bench"
RANGE = f"from={SOON:%Y-%m-%dT%H:%M:%SZ}&to={SOON + timedelta(days=7):%Y-%m-%dT%H:%M:%SZ}"
Reading = Callable[[TestClient[Any, Any]], Awaitable[None]]


def of_booking(n: int, scale: int) -> list[str]:
    """Paths of booking with the `n`th booking's ids; of customers and providers with few bookings, and with many."""
    one, provider = named("booking", n), named("provider", 2 + n % (scale // 500))
    owners = [f"customer_id={WHALE}", f"customer_id={HOT}", f"customer_id=customer-{n % (scale // 5)}"]
    owners += [f"provider_id={provider}", f"provider_id={named('provider', 0)}"]
    ways = (
        *("", "&include=all", "&state=DISPUTED", "&state=CONFIRMED,PENDING_PAYMENT&limit=200", f"&{RANGE}"),
        *("&order=-starts_at&limit=20", f"&{RANGE}&state=COMPLETED&order=-starts_at"),
    )
    slot = f"offering_id={named('offering', 1)}&starts_at={HOT_START:%Y-%m-%dT%H:%M:%SZ}"
    return [
        f"/v1/bookings/{one}",
        f"/v1/bookings/{one}/history",
        f"/v1/bookings/{one}/cancellation-quote",
        f"/v1/commands/{named('command', n)}",
        f"/v1/availability?offering_id={named('offering', 2 + n % (scale // 500))}&{RANGE}",
        f"/v1/availability?provider_id={named('provider', 0)}&{RANGE}",
        *(f"/v1/bookings?{owner}{way}" for owner in owners for way in ways),
        f"/v1/bookings?{slot}",
        f"/v1/bookings?{slot}&include=all",
    ]


def of_payments(n: int, scale: int) -> list[str]:
    """Paths of payments."""
    one = named("booking", n)
    accounts = (f"escrow:{one}", "stripe:clearing", f"wallet:customer-{n % (scale // 5)}:available")
    return [
        f"/v1/payments/{one}",
        f"/v1/payments/{one}/client-secret",
        f"/v1/wallets/customer-{n % (scale // 5)}",
        f"/v1/commands/{named('command', n)}",
        "/v1/ledger",
        *(f"/v1/ledger?account={account}" for account in accounts),
    ]


def of_notifications(n: int, scale: int) -> list[str]:
    """Paths of notifications."""
    return [
        f"/v1/deliveries?booking_id={named('booking', n)}",
        f"/v1/commands/{named('command', n)}",
        "/v1/webhook-subscriptions",
    ]


PATHS: Mapping[str, Callable[[int, int], list[str]]] = {
    "booking": of_booking,
    "payments": of_payments,
    "notifications": of_notifications,
}
NOT_READING = ("/health", "/metrics", "/codes.md", "/openapi.json", "/unsubscribe")
ANSWERS = {200, 404, 409}
"""What a path may be answered: a booking of the fill need not be one that can be cancelled, or waits for a card."""


@dataclass(frozen=True)
class RoundsOf:
    """What a service does now and then, by name; each does it once. `session` is planned as a batch's connection is."""

    pool: Pool
    session: Connection
    clock: Clock
    api: StripeApi

    def every(self, service: str) -> dict[str, Callable[[], Awaitable[object]]]:
        """The engine's own, and the service's."""
        own: dict[str, dict[str, Callable[[], Awaitable[object]]]] = {
            "booking": {
                "services.booking.gauges.run": lambda: booking_metrics.look(self.pool),
                "totals": lambda: booking_metrics.look_at_all(self.pool),
            },
            "payments": {
                "services.payments.business.run": lambda: business.look(self.pool),
                "services.payments.gauges.run": lambda: payments_gauges.look(self.pool),
                "stripe_event is purged": lambda: retention.purge(self.pool, payments_gauges.EVENTS),
                "services.payments.comparison.rounds.Comparison.run": self._compare,
                "services.payments.reconciliation.reconciler.Reconciler.run": self._reconcile,
                "services.payments.stripe_events.sweeper.Sweeper.run": self._sweep,
            },
            "notifications": {
                "services.notifications.subscriptions.gauges.Gauges.run": lambda: subscribers.Gauges(self.clock).look(
                    self.pool
                ),
                "webhook_event is purged": lambda: subscribers.purge(self.pool),
                "services.notifications.subscriptions.worker.SubscriptionWorker.run": self._post,
            },
        }
        return {
            "gauges": lambda: gauges.sample(self.pool, self.clock, ()),
            "revision": lambda: revisions.missing_revisions(self.pool, service),
            "timers": lambda: local_messages.peek(self.session, self.clock.now(), 500, ["a", "b"]),
            "calls": self._calls,
            **{f"{rule.table} is purged": self._purge(rule) for rule in retention.RULES},
            **own[service],
        }

    def _purge(self, rule: retention.Rule) -> Callable[[], Awaitable[int]]:
        return lambda: retention.purge(self.pool, rule)

    async def _calls(self) -> None:
        taken = await gateway_calls.due(self.session, 64)
        again = [gateway_calls.Postponed(call.id, 3600.0, "busy") for call in taken]
        await gateway_calls.postpone(self.session, again)

    async def _post(self) -> None:
        now = self.clock.now()
        await queue.claim(self.session, now, per_subscription=8, held={}, most_doubtful=8, most=64)
        await outcomes.end(self.session, now)

    async def _compare(self) -> None:
        await self.pool.execute(  # that has read all that was there when it began
            """
            UPDATE comparison_state SET try_at = now() - interval '1 hour', since = $1, entry = last, entry_seen = last
            FROM (SELECT max(entry_id) AS last FROM ledger_entry) newest
            """,
            self.clock.now() - timedelta(minutes=5),
        )
        await Comparison(self.api, self.clock, CircuitBreaker()).compare(self.pool)

    async def _reconcile(self) -> None:
        await self.pool.execute("UPDATE reconciled_until SET try_at = now() - interval '1 hour'")
        await Reconciler(self.api, self.clock).reconcile(self.pool)

    async def _sweep(self) -> None:
        await self.pool.execute("UPDATE stripe_sweep SET try_at = now() - interval '1 hour'")
        await Sweeper(self.api, self.clock).sweep(self.pool)


@asynccontextmanager
async def served(
    service: str, pools: Pools, url: str, clock: Clock, api: StripeApi
) -> AsyncIterator[TestClient[Any, Any]]:
    """The service's real paths over real HTTP."""
    app = new_app(lambda: (a_token(TOKEN, *get_args(Scope)),), pools, HEALTHY)
    if service == "booking":
        booking_http.add_routes(app, clock, CalendarProcess({"DATABASE_URL": url}))
    elif service == "payments":
        payments_http.add_routes(app, payments_http.Outside(api, clock, lambda: (SECRET,), lambda: None))
    else:
        notifications_http.add_routes(app, clock, Targets())
    async with TestClient(TestServer(app), headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        yield client


def read_paths(app: web.Application) -> set[str]:
    """Those that are asked for with GET and read the database."""
    found = {route.resource.canonical for route in app.router.routes() if route.method == "GET" and route.resource}
    return {path for path in found if not path.startswith(NOT_READING)}


def signed(clock: Clock) -> tuple[bytes, dict[str, str]]:
    """A webhook of Stripe's that nobody has brought yet: body and headers."""
    event = {"id": f"evt_{uuid4().hex}", "type": "charge.dispute.created"}
    dispute = {"id": "dp_x", "payment_intent": "pi_77", "amount": 1, "currency": "eur"}
    body = json.dumps({**event, "data": {"object": dispute}}).encode()
    seconds = int(clock.now().timestamp())
    mac = hmac.digest(SECRET.encode(), b"%d.%b" % (seconds, body), "sha256").hex()
    return body, {"Stripe-Signature": f"t={seconds},v1={mac}"}
