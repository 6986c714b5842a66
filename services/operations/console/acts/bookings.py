"""What is done about a booking: an admin's command, as everybody sends them (docs/contract.md), and its reply."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

import structlog
from aiokafka.errors import KafkaError
from booking_contracts.booking import CancelBooking, CommandAccepted, CommandRejected
from booking_contracts.client import BookingClient
from booking_contracts.client.errors import ClientError, NoReply, NotPublished
from booking_contracts.envelope import uuid7
from booking_contracts.topics import BOOKING_REPLIES
from booking_contracts.types import Actor
from pydantic import Field

from services.chassis.operator import NotPossible
from services.operations.console.acts.framework import Act, Doing
from services.operations.console.databases import Databases
from services.operations.console.reads.sagas import state_of
from services.operations.console.roles import Role
from services.operations.console.routes import SETTINGS

REPLY_SECONDS = 10.0
log = structlog.get_logger()


class Cancel(Act):
    """CancelBooking by an admin whose id is the operator's name."""

    NAME: ClassVar[str] = "booking-cancel"
    TITLE: ClassVar[str] = "Cancel the booking"
    ROLE: ClassVar[Role] = Role.OPERATOR
    SERVICE: ClassVar[str | None] = "booking"
    DANGEROUS: ClassVar[bool] = True
    SUBJECT: ClassVar[str] = "booking_id"

    booking_id: UUID
    told: str | None = Field(
        None,
        title="What its people are told",
        max_length=500,
        description="stands in their letters and in the booking's history; the reason below stays among operators",
    )

    async def says(self, databases: Databases) -> str:
        """What becomes of seats and money."""
        async with databases.reading("booking") as connection:
            state = await state_of(connection, self.booking_id)
        return (
            f"Booking {self.booking_id} is {state}. As an admin you cancel it whatever its deadlines: its seats are "
            "free, the customer gets all of the money back, customer and provider are written to."
        )

    async def do(self, doing: Doing) -> str:
        """Published, and answered by booking."""
        command = CancelBooking(
            booking_id=self.booking_id, reason=self.told, actor=Actor(kind="admin", id=doing.operator.name)
        )
        settings, command_id = doing.app[SETTINGS], uuid7()
        try:
            client = BookingClient(
                settings.kafka_bootstrap_servers,
                source="/console",
                topics=(BOOKING_REPLIES,),
                security=settings.kafka_login(),
            )
            async with client:
                reply = await client.ask(command, command_id=command_id, timeout_seconds=REPLY_SECONDS)
        except NoReply:
            return f"command {command_id} is with Kafka, and booking has not answered within {REPLY_SECONDS:.0f} s yet"
        except NotPublished as unknown:
            raise NotPossible(f"{unknown} Look at the booking; cancelling it twice does no harm.") from None
        except (ClientError, KafkaError, OSError) as fault:
            log.warning("a command could not be published", error=repr(fault))
            raise NotPossible(f"nothing was published: {fault}") from None
        if isinstance(reply, CommandRejected):
            raise NotPossible(f"booking refused it, {reply.code}: {reply.message}")
        assert isinstance(reply, CommandAccepted), "booking answers its commands"
        return f"booking accepted it: {reply.state}, command {command_id}"


ACTS: Sequence[type[Act]] = (Cancel,)
