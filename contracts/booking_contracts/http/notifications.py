"""What notifications can be asked over HTTP (contract.md, HTTP)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from booking_contracts.http.operation import Answer, Operation, Page, Paged, Parameters
from booking_contracts.problems import ProblemKind
from booking_contracts.types import EventInstant, Id


class Delivery(Answer):
    """One letter's way to one person, and what became of it."""

    delivery_id: Id
    booking_id: Annotated[Id, Field(description="The booking, or the entry of a waitlist, that it is about.")]
    event_id: Id
    kind: Annotated[str, Field(description="What the letter says, e.g. `confirmed`. New kinds may come.")]
    audience: Literal["customer", "provider", "admin"]
    to_attendee: Annotated[bool, Field(description="Of `customer`: it went to who comes and not to who pays.")]
    recipient: Annotated[str | None, Field(description="Null for tokens without `read:pii`.")]
    channel: Literal["email", "webhook"]
    state: Literal["pending", "succeeded", "failed"]
    reason: Annotated[str | None, Field(description="Why it failed; null for tokens without `read:pii`.")]
    created_at: EventInstant
    settled_at: EventInstant | None


class DeliveryPage(Page):
    """Deliveries, oldest first."""

    items: tuple[Delivery, ...]


class DeliveriesOf(Paged):
    """Of one booking, or of one entry of a waitlist."""

    booking_id: Id


class Link(Parameters):
    """A link of ours, signed; `token` is its last part."""

    token: str


OPERATIONS = (
    Operation(
        "deliveries",
        "/v1/deliveries",
        "Who was told what of a booking, and what became of it",
        DeliveryPage,
        "read:bookings",
        DeliveriesOf,
    ),
    Operation(
        "remindersPage",
        "/unsubscribe/{token}",
        "Asks whether somebody wants no more reminders",
        "text/html",
        parameters=Link,
        problems=(ProblemKind.NOT_FOUND,),
        description="The link in a reminder, for browsers. It ends nothing: its button does. No token is needed.",
    ),
    Operation(
        "endReminders",
        "/unsubscribe/{token}",
        "Ends somebody's reminders, and nothing else",
        "text/html",
        parameters=Link,
        problems=(ProblemKind.BAD_REQUEST, ProblemKind.NOT_FOUND, ProblemKind.UNAVAILABLE),
        description="By the button of the page, or by a mail program (RFC 8058): `List-Unsubscribe=One-Click`.",
        method="post",
        sent="application/x-www-form-urlencoded",
    ),
)
