"""Dispute: money that the payer's bank takes back, and the evidence against it (API reference).

Attributes are replaced, never changed in place: an event keeps a shallow copy as its snapshot. Amounts are
minor units, instants are epoch seconds.
"""

from dataclasses import dataclass, field

from stripe_simulator.balance_transactions import BalanceTransaction
from stripe_simulator.errors import JsonObject

EVIDENCE = (
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
)
INQUIRIES = ("warning_needs_response", "warning_under_review", "warning_closed")
FINAL = ("won", "lost", "warning_closed", "prevented")
STATUSES = (*INQUIRIES, "needs_response", "under_review", "won", "lost", "prevented")


@dataclass(slots=True)
class Dispute:
    """`amount` and `currency` are the bank's words; `taken` leaves the balance, in the charge's currency."""

    id: str
    created: int
    amount: int
    currency: str
    charge: str
    payment_intent: str
    reason: str
    status: str
    due_by: int
    brand: str
    taken: int
    metadata: dict[str, str] = field(default_factory=dict)
    evidence: dict[str, str] = field(default_factory=dict)
    submissions: int = 0
    movements: tuple[BalanceTransaction, ...] = ()

    @property
    def withdrawn(self) -> bool:
        """Whether the money is with the bank."""
        return sum(movement.amount for movement in self.movements) < 0

    def render(self) -> JsonObject:
        return {
            "id": self.id,
            "object": "dispute",
            "amount": self.amount,
            "balance_transactions": [movement.render() for movement in self.movements],
            "charge": self.charge,
            "created": self.created,
            "currency": self.currency,
            "enhanced_eligibility_types": [],
            "evidence": {**dict.fromkeys(EVIDENCE), "enhanced_evidence": {}, **self.evidence},
            "evidence_details": {
                "due_by": self.due_by,
                "enhanced_eligibility": {},
                "has_evidence": bool(self.evidence),
                "past_due": False,
                "submission_count": self.submissions,
            },
            "is_charge_refundable": self.status in INQUIRIES,
            "livemode": False,
            "metadata": self.metadata,
            "payment_intent": self.payment_intent,
            "payment_method_details": {
                "card": {
                    "brand": self.brand,
                    "case_type": "inquiry" if self.status in INQUIRIES else "chargeback",
                    "network_reason_code": "10.4",
                },
                "type": "card",
            },
            "reason": self.reason,
            "status": self.status,
        }
