"""What notifications can be asked over HTTP (contract.md, HTTP)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from booking_contracts.http.operation import Answer, ById, Operation, Page, Paged, Parameters
from booking_contracts.problems import ProblemKind
from booking_contracts.types import EventInstant, Id, OpaqueId

MOST_TYPES = 100


class Delivery(Answer):
    """One letter's way to one person, or one event's to one subscriber, and what became of it.

    Of a webhook `kind` is the event's type, `recipient` the subscription, `audience` provider or customer where the
    subscription is one's own, else admin; it is listed for 30 days, and may be pending again where it is redelivered.
    """

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


class Subscribe(BaseModel):
    """Who is to be told of which events. Left out: of every type, of every provider, of every customer."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    url: Annotated[str, StringConstraints(max_length=2_000), Field(description="https; where events are posted to.")]
    event_types: Annotated[
        tuple[str, ...], Field(max_length=MOST_TYPES, description="E.g. `booking.BookingConfirmed.v1`; none: all.")
    ] = ()
    provider_id: Annotated[Id | None, Field(description="Events that concern this provider alone.")] = None
    customer_id: Annotated[OpaqueId | None, Field(description="Events that concern this customer alone.")] = None
    owner_email: Annotated[
        str, StringConstraints(max_length=320), Field(description="Who is written to when it is switched off.")
    ]
    description: Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""


class Subscription(Answer):
    """A receiver of events. `disabled_for`: it answered 410, failed for five days, or an operator switched it off."""

    subscription_id: Id
    url: str
    event_types: tuple[str, ...]
    provider_id: Id | None
    customer_id: str | None
    owner_email: Annotated[str | None, Field(description="Null for tokens without `read:pii`.")]
    description: str
    state: Literal["active", "disabled", "deleted"]
    disabled_for: Literal["gone", "failing", "operator"] | None
    created_at: EventInstant
    disabled_at: EventInstant | None
    failing_since: Annotated[EventInstant | None, Field(description="Since when no try succeeded.")]
    last_error: Annotated[str | None, Field(description="Of the last try, where it failed.")]


class NewSubscription(Subscription):
    """With the secret that its events are signed with, which is never shown again."""

    secret: str


class SubscriptionPage(Page):
    """Subscriptions, oldest first."""

    items: tuple[Subscription, ...]


class SubscriptionsOf(Paged):
    """All that there are."""


class Link(Parameters):
    """A link of ours, signed; `token` is its last part."""

    token: str


UNKNOWN = (ProblemKind.NOT_FOUND,)
WRITE: Literal["webhooks:write"] = "webhooks:write"
OPERATIONS = (
    Operation(
        "subscribe",
        "/v1/webhook-subscriptions",
        "Have events posted to a URL",
        NewSubscription,
        WRITE,
        problems=(ProblemKind.CONFLICT, ProblemKind.BODY_TOO_LARGE),
        description="In CloudEvents' JSON, signed as Standard Webhooks says. Asked twice, it makes two subscriptions.",
        method="post",
        body=Subscribe,
    ),
    Operation(
        "subscriptions", "/v1/webhook-subscriptions", "Who is told of events", SubscriptionPage, WRITE, SubscriptionsOf
    ),
    Operation(
        "endSubscription",
        "/v1/webhook-subscriptions/{id}",
        "Have no more events posted",
        Subscription,
        WRITE,
        ById,
        UNKNOWN,
        "What waits for it is given up, and its secrets are forgotten.",
        method="delete",
    ),
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
        problems=(
            ProblemKind.BAD_REQUEST,
            ProblemKind.NOT_FOUND,
            ProblemKind.BODY_TOO_LARGE,
            ProblemKind.UNAVAILABLE,
        ),
        description="By the button of the page, or by a mail program (RFC 8058): `List-Unsubscribe=One-Click`.",
        method="post",
        sent="application/x-www-form-urlencoded",
    ),
)
