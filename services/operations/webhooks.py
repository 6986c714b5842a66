"""`bookingctl webhooks`: systems that are told of events, and what became of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

import typer

from services.chassis.clock import SystemClock
from services.notifications.model.deliveries import State
from services.notifications.model.subscriptions import SECRET_OVERLAP
from services.notifications.subscriptions import operator
from services.notifications.subscriptions.operator import Wanted
from services.operations.terminal import Json, in_utc, run_on, show

app = typer.Typer(help="Webhooks: list, show, redeliver, test, rotate, disable, enable.", no_args_is_help=True)
SUBSCRIPTION = (
    *("subscription_id", "url", "state", "disabled_for", "waiting", "failing_since", "last_error"),
    *("provider_id", "customer_id", "event_types"),
)
DELIVERY = ("delivery_id", "created_at", "type", "key", "state", "tries", "try_at", "status", "reason", "answer")
SubscriptionId = Annotated[UUID, typer.Argument(help="a subscription, as `bookingctl webhooks list` shows it")]
Limit = Annotated[int, typer.Option(min=1, help="at most so many")]
OverlapHours = Annotated[float, typer.Option(min=0, help="for so long both secrets are signed with")]


@app.command("list")
def list_(
    ailing: Annotated[bool, typer.Option("--ailing", help="those that fail, or are switched off")] = False,
    limit: Limit = 500,
    as_json: Json = False,
) -> None:
    """Subscriptions, the oldest first, with how much waits for each (1000: as much or more)."""
    rows = run_on("notifications", lambda c: operator.listed(c, ailing=ailing, most=limit))
    show(rows, SUBSCRIPTION, as_json=as_json)


@app.command("show")
def show_(
    subscription_id: SubscriptionId, state: State | None = None, limit: Limit = 50, as_json: Json = False
) -> None:
    """What one subscription was sent, the newest first, with what it answered last."""
    wanted = state.value if state else None
    rows = run_on("notifications", lambda c: operator.deliveries(c, subscription_id, wanted, limit))
    show(rows, DELIVERY, as_json=as_json)


@app.command("redeliver")
def redeliver(
    delivery_id: Annotated[UUID | None, typer.Argument(help="one delivery; else those that the options name")] = None,
    subscription: Annotated[UUID | None, typer.Option(help="of this subscription")] = None,
    since: Annotated[datetime | None, typer.Option(help="of events from this instant on, UTC")] = None,
    until: Annotated[datetime | None, typer.Option(help="of events before this instant, UTC; else until now")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="that failed, or were not sent while it was off")] = False,
) -> None:
    """Send again what has ended, under the same webhook-id."""
    wanted = Wanted(delivery_id, subscription, in_utc(since), in_utc(until), failed)
    count = run_on("notifications", lambda c: operator.redeliver(c, SystemClock(), wanted))
    typer.echo(f"{count} are sent again")


@app.command("test")
def test(subscription_id: SubscriptionId) -> None:
    """Send an event that means nothing; `show` says what became of it."""
    delivery = run_on("notifications", lambda c: operator.test(c, SystemClock(), subscription_id))
    typer.echo(f"delivery {delivery} is on its way: bookingctl webhooks show {subscription_id}")


@app.command("rotate")
def rotate(subscription_id: SubscriptionId, overlap_hours: OverlapHours = SECRET_OVERLAP / timedelta(hours=1)) -> None:
    """A new secret, shown this once; for its owner alone."""
    overlap = timedelta(hours=overlap_hours)
    typer.echo(run_on("notifications", lambda c: operator.rotate(c, SystemClock(), subscription_id, overlap)))


@app.command("disable")
def disable(subscription_id: SubscriptionId) -> None:
    """Switch it off: nothing is sent, what waits is given up and can be redelivered."""
    typer.echo(run_on("notifications", lambda c: operator.switch(c, SystemClock(), subscription_id, on=False)))


@app.command("enable")
def enable(subscription_id: SubscriptionId) -> None:
    """Switch it on: it is told of what happens from now on; see `redeliver` for what it has missed."""
    typer.echo(run_on("notifications", lambda c: operator.switch(c, SystemClock(), subscription_id, on=True)))
