"""PaymentIntent and Charge: what is kept of each, and how Stripe writes it (API reference).

Attributes are replaced, never changed in place: an event keeps a shallow copy as its snapshot. Amounts are
minor units, instants are epoch seconds.
"""

from dataclasses import dataclass, field

from stripe_simulator.cards import Card, Decline
from stripe_simulator.errors import JsonObject

NO_ADDRESS: JsonObject = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
NO_BILLING_DETAILS: JsonObject = {
    "address": NO_ADDRESS,
    "email": None,
    "name": None,
    "phone": None,
    "tax_id": None,
}
CARD_OPTIONS: JsonObject = {
    "card": {
        "installments": None,
        "mandate_options": None,
        "network": None,
        "request_three_d_secure": "automatic",
    }
}


@dataclass(slots=True)
class PaymentIntent:
    id: str
    created: int
    amount: int
    currency: str
    client_secret: str
    status: str
    capture_method: str = "automatic_async"
    confirmation_method: str = "automatic"
    allowed_payment_method_types: list[str] | None = None
    automatic_payment_methods: JsonObject | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    customer: str | None = None
    description: str | None = None
    payment_method: str | None = None
    transfer_group: str | None = None
    receipt_email: str | None = None
    setup_future_usage: str | None = None
    statement_descriptor: str | None = None
    amount_capturable: int = 0
    amount_received: int = 0
    canceled_at: int | None = None
    cancellation_reason: str | None = None
    last_payment_error: JsonObject | None = None
    latest_charge: str | None = None
    next_action: JsonObject | None = None

    def render(self) -> JsonObject:
        return {
            "id": self.id,
            "object": "payment_intent",
            "allowed_payment_method_types": self.allowed_payment_method_types,
            "amount": self.amount,
            "amount_capturable": self.amount_capturable,
            "amount_details": {"tip": {}},
            "amount_received": self.amount_received,
            "application": None,
            "application_fee_amount": None,
            "automatic_payment_methods": self.automatic_payment_methods,
            "canceled_at": self.canceled_at,
            "cancellation_reason": self.cancellation_reason,
            "capture_method": self.capture_method,
            "client_secret": self.client_secret,
            "confirmation_method": self.confirmation_method,
            "created": self.created,
            "currency": self.currency,
            "customer": self.customer,
            "customer_account": None,
            "description": self.description,
            "excluded_payment_method_types": None,
            "last_payment_error": self.last_payment_error,
            "latest_charge": self.latest_charge,
            "livemode": False,
            "metadata": self.metadata,
            "next_action": self.next_action,
            "on_behalf_of": None,
            "payment_method": self.payment_method,
            "payment_method_configuration_details": None,
            "payment_method_options": CARD_OPTIONS,
            "payment_method_types": ["card"],
            "processing": None,
            "receipt_email": self.receipt_email,
            "review": None,
            "setup_future_usage": self.setup_future_usage,
            "shipping": None,
            "source": None,
            "statement_descriptor": self.statement_descriptor,
            "statement_descriptor_suffix": None,
            "status": self.status,
            "transfer_data": None,
            "transfer_group": self.transfer_group,
        }


@dataclass(slots=True)
class Charge:
    """`capture_before` is when a manual authorisation ends; None when nothing waits for a capture.

    `released` is the part of `amount_refunded` that was never captured: what a Refund gave back of an authorisation.
    """

    id: str
    created: int
    amount: int
    currency: str
    card: Card
    payment_intent: str
    payment_method: str
    customer: str | None
    metadata: dict[str, str]
    description: str | None
    transfer_group: str | None
    status: str
    decline: Decline | None = None
    captured: bool = False
    amount_captured: int = 0
    amount_refunded: int = 0
    released: int = 0
    disputed: bool = False
    balance_transaction: str | None = None
    capture_before: int | None = None

    @property
    def refundable(self) -> int:
        """What was captured and not refunded."""
        return self.amount_captured - (self.amount_refunded - self.released)

    @property
    def refunded(self) -> bool:
        return self.amount_refunded > 0 and self.refundable == 0

    def render(self) -> JsonObject:
        decline = self.decline
        card = self.card.details()
        card["amount_authorized"] = None if decline else self.amount
        if self.capture_before is not None:
            card["capture_before"] = self.capture_before
        card["network"] = self.card.brand
        card["three_d_secure"] = None
        return {
            "id": self.id,
            "object": "charge",
            "amount": self.amount,
            "amount_captured": self.amount_captured,
            "amount_refunded": self.amount_refunded,
            "application": None,
            "application_fee": None,
            "application_fee_amount": None,
            "balance_transaction": self.balance_transaction,
            "billing_details": NO_BILLING_DETAILS,
            "calculated_statement_descriptor": "SIMULATOR",
            "captured": self.captured,
            "created": self.created,
            "currency": self.currency,
            "customer": self.customer,
            "description": self.description,
            "disputed": self.disputed,
            "failure_balance_transaction": None,
            "failure_code": decline.code if decline else None,
            "failure_message": decline.message if decline else None,
            "fraud_details": {},
            "livemode": False,
            "metadata": self.metadata,
            "on_behalf_of": None,
            "outcome": {
                "advice_code": None,
                "network_advice_code": None,
                "network_decline_code": None,
                "network_status": "declined_by_network" if decline else "approved_by_network",
                "reason": decline.decline_code if decline else None,
                "risk_level": "normal",
                "seller_message": decline.message if decline else "Payment complete.",
                "type": "issuer_declined" if decline else "authorized",
            },
            "paid": self.status == "succeeded",
            "payment_intent": self.payment_intent,
            "payment_method": self.payment_method,
            "payment_method_details": {"card": card, "type": "card"},
            "receipt_email": None,
            "receipt_number": None,
            "receipt_url": None,
            "refunded": self.refunded,
            "review": None,
            "shipping": None,
            "source_transfer": None,
            "statement_descriptor": None,
            "statement_descriptor_suffix": None,
            "status": self.status,
            "transfer_data": None,
            "transfer_group": self.transfer_group,
        }
