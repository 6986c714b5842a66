"""What booking can be asked over HTTP (contract.md, HTTP)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from booking_contracts.http.every_service import BookingReply, command_reply
from booking_contracts.http.operation import Answer, ById, Operation, Page, Paged, Parameters, Scope
from booking_contracts.problems import ProblemKind
from booking_contracts.types import Actor, EventInstant, Id, Instant, Money, OpaqueId

BookingState = Literal[
    "PENDING_APPROVAL",
    "PENDING_PAYMENT",
    "CONFIRMED",
    "PENDING_CONFIRMATION",
    "COMPLETED",
    "DISPUTED",
    "RESOLVED_REFUNDED",
    "RESOLVED_RELEASED",
    "RESOLVED_SPLIT",
    "CANCELLED_BY_CUSTOMER",
    "CANCELLED_BY_PROVIDER",
    "CANCELLED_BY_ADMIN",
    "REJECTED_BY_PROVIDER",
    "PAYMENT_FAILED",
    "EXPIRED",
]


class Slot(Answer):
    """A slot that is offered, or was closed; `reason` is null exactly when it is free."""

    offering_id: Id
    starts_at: EventInstant
    ends_at: EventInstant
    seats_left: int
    free: bool
    reason: Literal["closed", "too_soon", "too_far", "provider_busy", "held", "full"] | None


class Availability(Answer):
    """Slots from now on, in the order of their start; never paged."""

    slots: tuple[Slot, ...]


class Person(Answer):
    """A customer, or who comes in their place. To tokens without `read:pii` the id alone is shown."""

    id: str
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    locale: str | None = None
    timezone: str | None = None


class Booking(Answer):
    """A booking as it is now. Who starts late loads bookings, then applies events above their `sequence`."""

    booking_id: Id
    state: BookingState
    seats: int
    price: Money
    starts_at: EventInstant
    ends_at: EventInstant
    offering_id: Id
    provider_id: Id
    customer: Person
    attendee: Person | None
    payment_id: Id | None
    deadline: Annotated[EventInstant | None, Field(description="When its state ends by itself, where it does.")]
    sequence: Annotated[int, Field(description="`ce_sequence` of its newest event.")]


class BookingPage(Page):
    """Bookings."""

    items: tuple[Booking, ...]


class HistoryItem(Answer):
    """What somebody did to a booking; `type` is that of the message which asked for it."""

    at: EventInstant
    actor: Actor
    type: str
    from_: Annotated[BookingState | None, Field(alias="from", description="Null where the booking was made.")]
    to: BookingState
    reason: str | None
    causation_id: Annotated[Id | None, Field(description="The id of the message that caused it.")]


class HistoryPage(Page):
    """The history of a booking, oldest first."""

    items: tuple[HistoryItem, ...]


class CancellationQuote(Answer):
    """What its customer would get back if they cancelled now."""

    refund: Money
    kept: Money
    policy_version: str
    valid_until: EventInstant


From = Annotated[Instant | None, Field(alias="from", description="Starts at or after this instant, with its offset.")]
To = Annotated[Instant | None, Field(description="Starts before this instant, with its offset.")]


class AvailabilityOf(Parameters):
    """Either `offering_id` or `provider_id`, and at most 62 days."""

    offering_id: Id | None = None
    provider_id: Id | None = None
    from_: Annotated[Instant, Field(alias="from", description="Slots that start at or after this instant.")]
    to: Annotated[Instant, Field(description="Slots that start before this instant; at most 62 days after `from`.")]


class BookingsOf(Paged):
    """Of a customer, of a provider, or on a slot: `offering_id` with `starts_at`."""

    customer_id: OpaqueId | None = None
    provider_id: Id | None = None
    offering_id: Id | None = None
    starts_at: Instant | None = None
    state: Annotated[
        tuple[BookingState, ...],
        Field(description="These states alone. Without it all but PAYMENT_FAILED and EXPIRED; also with commas."),
    ] = ()
    include: Annotated[Literal["all"] | None, Field(description="PAYMENT_FAILED and EXPIRED too.")] = None
    order: Annotated[
        Literal["booking_id", "starts_at", "-starts_at"] | None,
        Field(description="By id, or by their start, or the latest start first. With `from` or `to`: starts_at."),
    ] = None
    from_: From = None
    to: To = None


class HistoryOf(ById, Paged):
    """The history of one booking."""


UNKNOWN = (ProblemKind.NOT_FOUND,)
READ: Scope = "read:bookings"
OPERATIONS = (
    Operation(
        "availability",
        "/v1/availability",
        "Slots of an offering or a provider",
        Availability,
        READ,
        AvailabilityOf,
        UNKNOWN,
        "Name either `offering_id` or `provider_id`. More than 10,000 slots are refused: ask for fewer days.",
    ),
    Operation(
        "bookings",
        "/v1/bookings",
        "Bookings of a customer, of a provider, or on a slot",
        BookingPage,
        READ,
        BookingsOf,
        description="Name one of `customer_id`, `provider_id`, or `offering_id` with `starts_at`. "
        "People are shown by their ids alone to tokens without `read:pii`.",
    ),
    Operation(
        "booking",
        "/v1/bookings/{id}",
        "One booking",
        Booking,
        READ,
        ById,
        UNKNOWN,
        "People are shown by their ids alone to tokens without `read:pii`.",
    ),
    Operation("history", "/v1/bookings/{id}/history", "Who did what to it", HistoryPage, READ, HistoryOf, UNKNOWN),
    Operation(
        "cancellationQuote",
        "/v1/bookings/{id}/cancellation-quote",
        "What its customer would get back",
        CancellationQuote,
        READ,
        ById,
        (*UNKNOWN, ProblemKind.CONFLICT),
        "A preview without an id. The command QuoteCancellation makes a quote that is honoured.",
    ),
    command_reply(BookingReply),
)
