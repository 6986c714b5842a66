"""Refund: money that goes back to the payer (API reference).

Attributes are replaced, never changed in place: an event keeps a shallow copy as its snapshot. Amounts are
minor units, instants are epoch seconds.
"""

from dataclasses import dataclass

from stripe_simulator.errors import JsonObject


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
    pending_reason: str = "processing"
    balance_transaction: str | None = None
    failure_balance_transaction: str | None = None
    is_release: bool = False

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
            rendered["pending_reason"] = self.pending_reason
        if self.failure_balance_transaction is not None:
            rendered["failure_balance_transaction"] = self.failure_balance_transaction
        if self.failure_reason is not None:
            rendered["failure_reason"] = self.failure_reason
        return rendered
