"""What is done about subscribers and what they were sent (services/notifications/subscriptions/operator.py)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

import asyncpg
from pydantic import BeforeValidator, Field

from services.chassis.operator import NotPossible
from services.notifications.subscriptions import operator
from services.operations.console.acts.framework import Act, Doing
from services.operations.console.asked import instant_or_empty
from services.operations.console.databases import Databases
from services.operations.console.roles import Role

Instant = Annotated[datetime | None, BeforeValidator(instant_or_empty)]


class Redeliver(Act):
    """As `bookingctl webhooks redeliver` of one."""

    NAME: ClassVar[str] = "webhook-redeliver"
    TITLE: ClassVar[str] = "Send the webhook again"
    ROLE: ClassVar[Role] = Role.OPERATOR
    SERVICE: ClassVar[str | None] = "notifications"
    SUBJECT: ClassVar[str] = "delivery_id"

    delivery_id: UUID
    booking_id: UUID | None = None

    async def says(self, databases: Databases) -> str:
        """Under which id."""
        return "The same event is posted again under the same webhook-id: a subscriber that has it leaves it."

    async def do(self, doing: Doing) -> str:
        """It alone."""
        async with doing.databases.acting("notifications") as connection:
            await operator.redeliver(connection, doing.clock, operator.Wanted(delivery=self.delivery_id))
        return "it is sent again"


class RedeliverMany(Act):
    """As `bookingctl webhooks redeliver` of a subscription's."""

    NAME: ClassVar[str] = "webhooks-redeliver"
    TITLE: ClassVar[str] = "Send many webhooks again"
    ROLE: ClassVar[Role] = Role.OPERATOR
    SERVICE: ClassVar[str | None] = "notifications"
    SUBJECT: ClassVar[str] = "subscription_id"

    subscription_id: UUID
    since: Instant = Field(None, title="Of events from this instant on, UTC", description="2031-05-01 10:00; or empty")
    until: Instant = Field(None, title="Of events before this instant, UTC", description="or empty: until now")
    failed: bool = Field(False, title="Failed ones alone", description="or not sent while it was switched off")

    async def says(self, databases: Databases) -> str:
        """To whom."""
        row = await _subscription(databases, self.subscription_id)
        return f"What {row['url']} was sent in this time is posted again, under the same webhook-ids, the oldest first."

    async def do(self, doing: Doing) -> str:
        """Only what has come to its end."""
        wanted = operator.Wanted(None, self.subscription_id, self.since, self.until, self.failed)
        async with doing.databases.acting("notifications") as connection:
            count = await operator.redeliver(connection, doing.clock, wanted)
        if not count:
            raise NotPossible("there is nothing of that, or the subscription is switched off: enable it first")
        return f"{count} are sent again"


class _OfSubscription(Act):
    ROLE: ClassVar[Role] = Role.OPERATOR
    SERVICE: ClassVar[str | None] = "notifications"
    EFFECT: ClassVar[str]
    SUBJECT: ClassVar[str] = "subscription_id"

    subscription_id: UUID

    async def says(self, databases: Databases) -> str:
        """What happens to whom."""
        row = await _subscription(databases, self.subscription_id)
        return f"{row['url']}, {row['state']}: {self.EFFECT}"


class Enable(_OfSubscription):
    """As `bookingctl webhooks enable`."""

    NAME: ClassVar[str] = "webhook-enable"
    TITLE: ClassVar[str] = "Switch it on"
    EFFECT: ClassVar[str] = "it is told of what happens from now on. What it has missed is sent when you send it again."

    async def do(self, doing: Doing) -> str:
        """From now on."""
        async with doing.databases.acting("notifications") as connection:
            return await operator.switch(connection, doing.clock, self.subscription_id, on=True)


class Disable(_OfSubscription):
    """As `bookingctl webhooks disable`."""

    NAME: ClassVar[str] = "webhook-disable"
    TITLE: ClassVar[str] = "Switch it off"
    DANGEROUS: ClassVar[bool] = True
    EFFECT: ClassVar[str] = "nothing is sent to it any more; what waits is given up, and can be sent again later."

    async def do(self, doing: Doing) -> str:
        """At once."""
        async with doing.databases.acting("notifications") as connection:
            return await operator.switch(connection, doing.clock, self.subscription_id, on=False)


class SendTest(_OfSubscription):
    """As `bookingctl webhooks test`."""

    NAME: ClassVar[str] = "webhook-test"
    TITLE: ClassVar[str] = "Send it a test"
    EFFECT: ClassVar[str] = "it is sent an event that means nothing; its answer is in the list of its deliveries."

    async def do(self, doing: Doing) -> str:
        """Its outcome comes later."""
        async with doing.databases.acting("notifications") as connection:
            delivery = await operator.test(connection, doing.clock, self.subscription_id)
        return f"delivery {delivery} is on its way"


async def _subscription(databases: Databases, subscription_id: UUID) -> asyncpg.Record:
    async with databases.reading("notifications") as connection:
        return await operator.one(connection, subscription_id)


ACTS: Sequence[type[Act]] = (Redeliver, RedeliverMany, Enable, Disable, SendTest)
