"""Customer, PaymentMethod, SetupIntent and Event (API reference).

Attributes are replaced, never changed in place: an event keeps a shallow copy as its snapshot. Amounts are
minor units, instants are epoch seconds.
"""

from dataclasses import dataclass, field
from typing import Protocol

from stripe_simulator.cards import Card
from stripe_simulator.errors import JsonObject
from stripe_simulator.payment_objects import CARD_OPTIONS, NO_BILLING_DETAILS

API_VERSION = "2026-10-28.endive"


class Resource(Protocol):
    """Anything with an id that Stripe can show."""

    id: str
    created: int

    def render(self) -> JsonObject:
        """The object as Stripe's API shows it."""
        ...


@dataclass(slots=True)
class Customer:
    id: str
    created: int
    email: str | None = None
    name: str | None = None
    phone: str | None = None
    description: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)

    def render(self) -> JsonObject:
        return {
            "id": self.id,
            "object": "customer",
            "address": None,
            "balance": 0,
            "created": self.created,
            "currency": None,
            "default_source": None,
            "delinquent": False,
            "description": self.description,
            "discount": None,
            "email": self.email,
            "invoice_prefix": self.id[-8:].upper(),
            "invoice_settings": {
                "custom_fields": None,
                "default_payment_method": None,
                "footer": None,
                "rendering_options": None,
            },
            "livemode": False,
            "metadata": self.metadata,
            "name": self.name,
            "phone": self.phone,
            "preferred_locales": [],
            "shipping": None,
            "tax_exempt": "none",
            "test_clock": None,
        }


@dataclass(slots=True)
class PaymentMethod:
    id: str
    created: int
    card: Card
    customer: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)

    def render(self) -> JsonObject:
        card = self.card.details()
        card["display_brand"] = self.card.brand
        card["generated_from"] = None
        card["networks"] = {"available": [self.card.brand], "preferred": None}
        card["three_d_secure_usage"] = {"supported": True}
        return {
            "id": self.id,
            "object": "payment_method",
            "allow_redisplay": "unspecified",
            "billing_details": NO_BILLING_DETAILS,
            "card": card,
            "created": self.created,
            "customer": self.customer,
            "customer_account": None,
            "livemode": False,
            "metadata": self.metadata,
            "type": "card",
        }


@dataclass(slots=True)
class SetupIntent:
    id: str
    created: int
    client_secret: str
    status: str
    usage: str
    customer: str | None
    description: str | None
    metadata: dict[str, str]
    payment_method: str | None = None
    cancellation_reason: str | None = None
    last_setup_error: JsonObject | None = None
    next_action: JsonObject | None = None

    def render(self) -> JsonObject:
        return {
            "id": self.id,
            "object": "setup_intent",
            "application": None,
            "automatic_payment_methods": None,
            "cancellation_reason": self.cancellation_reason,
            "client_secret": self.client_secret,
            "created": self.created,
            "customer": self.customer,
            "customer_account": None,
            "description": self.description,
            "excluded_payment_method_types": None,
            "flow_directions": None,
            "last_setup_error": self.last_setup_error,
            "latest_attempt": None,
            "livemode": False,
            "mandate": None,
            "metadata": self.metadata,
            "next_action": self.next_action,
            "on_behalf_of": None,
            "payment_method": self.payment_method,
            "payment_method_configuration_details": None,
            "payment_method_options": CARD_OPTIONS,
            "payment_method_types": ["card"],
            "single_use_mandate": None,
            "status": self.status,
            "usage": self.usage,
        }


@dataclass(slots=True)
class Event:
    """`snapshot` is a copy of the object as it was; `subject` names its payment or transfer.

    `deliveries`: how often the endpoint has taken it; Stripe's event does not tell.
    """

    id: str
    created: int
    type: str
    subject: str
    snapshot: Resource
    request_id: str | None
    idempotency_key: str | None
    pending_webhooks: int = 0
    deliveries: int = 0

    def render(self) -> JsonObject:
        return {
            "id": self.id,
            "object": "event",
            "api_version": API_VERSION,
            "created": self.created,
            "data": {"object": self.snapshot.render()},
            "livemode": False,
            "pending_webhooks": self.pending_webhooks,
            "request": {"id": self.request_id, "idempotency_key": self.idempotency_key},
            "type": self.type,
        }
