"""The address of the list behind each number and verdict, without prefix: of the one object where that is all there is.
Pure."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from services.operations.console.reads.engine import Engine
from services.operations.console.reads.queues import Queue
from services.operations.console.reads.waiting_for_people import Audit, Sagas, Told

GROUPS = "/groups"
STRIPE = "/stripe"
MONEY = "/money"
UNANSWERED = "/sagas?unanswered=1"
UNPAID = "/payments?status=declined"
FINDINGS = "/findings"


def replicas(service: str | None = None) -> str:
    """Its processes, and how each is."""
    return "/replicas" + (f"?{urlencode({'service': service})}" if service else "")


def group(service: str) -> str:
    """Where it stands in Kafka, and who is in its group."""
    return f"{GROUPS}?{urlencode({'service': service})}"


def database(service: str) -> str:
    """The sessions of its database."""
    return f"/database?{urlencode({'service': service})}"


def queue(service: str, of: Queue) -> str:
    """What waits there."""
    return f"/queues?{urlencode({'service': service, 'of': of})}"


def letters(engine: Engine) -> str:
    """Its dead letters."""
    one = engine.the_letter
    return f"/letters/{engine.service}/{one}" if one else f"/letters?{urlencode({'service': engine.service})}"


def blocked(engine: Engine) -> str:
    """Keys whose messages wait."""
    key = {"key": engine.the_key} if engine.the_key else {}
    return f"/letters?{urlencode({'service': engine.service, **key})}#blocked"


def stuck(sagas: Sagas) -> str:
    """Sagas that are stuck."""
    return f"/bookings/{sagas.the_stuck}" if sagas.the_stuck else "/sagas?status=stuck"


def subscription(subscription_id: UUID) -> str:
    """A subscriber, and what it was sent."""
    return f"/webhooks/{subscription_id}"


def dead(told: Told) -> str:
    """Subscribers that are dead."""
    return subscription(told.the_dead) if told.the_dead else "/webhooks?ailing=1"


def awaited(told: Told) -> str:
    """Those for whom webhooks wait."""
    return f"{subscription(told.the_awaited)}?state=pending" if told.the_awaited else "/webhooks?waiting=1"


def findings(audit: Audit) -> str:
    """What the auditor has found."""
    return f"{FINDINGS}/{audit.the_finding}" if audit.the_finding else FINDINGS
