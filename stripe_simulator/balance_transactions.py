"""Balance transactions: every movement of the account's balance, which is their sum (API reference, "Balance").

Amounts are minor units: what came in is positive. There is no waiting: all of it is available at once. Nothing costs a
fee by itself.
"""

from dataclasses import dataclass

from stripe_simulator.errors import JsonObject

KINDS: dict[str, tuple[str, str]] = {
    "charge": ("charge", "charge"),
    "refund": ("refund", "refund"),
    "refund_failure": ("refund_failure", "refund_failure"),
    "transfer": ("transfer", "transfer"),
    "reversal": ("transfer_refund", "transfer_reversal"),
    "dispute": ("adjustment", "dispute"),
    "dispute_reversal": ("adjustment", "dispute_reversal"),
    "payout": ("payout", "payout"),
    "topup": ("topup", "topup"),
}
"""Type and reporting_category of each (pages "Balance transaction types", "Reporting categories")."""


@dataclass(slots=True)
class BalanceTransaction:
    """One movement; `source` is the object that caused it, None for what the control port did."""

    id: str
    created: int
    amount: int
    currency: str
    kind: str
    source: str | None
    fee: int = 0

    def render(self) -> JsonObject:
        kind, category = KINDS[self.kind]
        fees = [{"amount": self.fee, "application": None, "currency": self.currency, "type": "stripe_fee"}]
        return {
            "id": self.id,
            "object": "balance_transaction",
            "amount": self.amount,
            "available_on": self.created,
            "balance_type": "payments",
            "created": self.created,
            "currency": self.currency,
            "description": None,
            "exchange_rate": None,
            "fee": self.fee,
            "fee_details": fees if self.fee else [],
            "net": self.amount - self.fee,
            "reporting_category": category,
            "source": self.source,
            "status": "available",
            "type": kind,
        }
