"""Refund and Dispute: money that goes back to the payer (API reference).

Attributes are replaced, never changed in place: an event keeps a shallow copy as its snapshot. Amounts are
minor units, instants are epoch seconds.
"""

from dataclasses import dataclass

from deploy.local.stripe_simulator.errors import JsonObject


@dataclass(slots=True)
class Refund:
    id: str
    created: int
    amount: int
    currency: str
    charge: str
    payment_intent: str
    metadata: dict[str, str]
    reason: str | None
    status: str
    failure_reason: str | None = None
    balance_transaction: str | None = None

    def render(self) -> JsonObject:
        rendered: JsonObject = {
            "id": self.id,
            "object": "refund",
            "amount": self.amount,
            "balance_transaction": self.balance_transaction,
            "charge": self.charge,
            "created": self.created,
            "currency": self.currency,
            "destination_details": {"card": {"type": "refund"}, "type": "card"},
            "metadata": self.metadata,
            "payment_intent": self.payment_intent,
            "reason": self.reason,
            "receipt_number": None,
            "source_transfer_reversal": None,
            "status": self.status,
            "transfer_reversal": None,
        }
        if self.status == "pending":
            rendered["pending_reason"] = "processing"
        if self.failure_reason is not None:
            rendered["failure_reason"] = self.failure_reason
        return rendered


@dataclass(slots=True)
class Dispute:
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

    def render(self) -> JsonObject:
        return {
            "id": self.id,
            "object": "dispute",
            "amount": self.amount,
            "balance_transactions": [],
            "charge": self.charge,
            "created": self.created,
            "currency": self.currency,
            "enhanced_eligibility_types": [],
            "evidence": {"enhanced_evidence": {}},
            "evidence_details": {
                "due_by": self.due_by,
                "enhanced_eligibility": {},
                "has_evidence": False,
                "past_due": False,
                "submission_count": 0,
            },
            "is_charge_refundable": False,
            "livemode": False,
            "metadata": {},
            "payment_intent": self.payment_intent,
            "payment_method_details": {
                "card": {"brand": self.brand, "case_type": "chargeback", "network_reason_code": "10.4"},
                "type": "card",
            },
            "reason": self.reason,
            "status": self.status,
        }
