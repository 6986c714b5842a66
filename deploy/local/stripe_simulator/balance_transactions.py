"""Balance transactions: every movement of the balance, with what it cost (API reference; page "Reporting categories").

A movement is known by the event that follows it: what the balance gained or lost since the event before is of that
event's object. `fee` takes from the balance too.
"""

from dataclasses import dataclass

from deploy.local.stripe_simulator.account_objects import Resource
from deploy.local.stripe_simulator.errors import JsonObject
from deploy.local.stripe_simulator.payment_objects import Charge
from deploy.local.stripe_simulator.refund_objects import Refund
from deploy.local.stripe_simulator.transfer_objects import Transfer

TYPES = {
    "charge": "charge",
    "refund": "refund",
    "refund_failure": "refund_failure",
    "transfer": "transfer",
    "transfer_reversal": "transfer_refund",
    "dispute": "adjustment",
    "dispute_reversal": "adjustment",
}
"""`type` by `reporting_category`."""


@dataclass(slots=True)
class BalanceTransaction:
    """`amount` and `fee` in minor units; what the balance gained is `net`."""

    id: str
    created: int
    amount: int
    currency: str
    reporting_category: str
    source: str
    fee: int = 0

    @property
    def net(self) -> int:
        return self.amount - self.fee

    def render(self) -> JsonObject:
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
            "net": self.net,
            "reporting_category": self.reporting_category,
            "source": self.source,
            "status": "available",
            "type": TYPES[self.reporting_category],
        }


def movement_of(
    resource: Resource, transaction_id: str, created: int, amount: int, currency: str
) -> BalanceTransaction:
    """What the balance gained (or lost: negative) by what has just become of an object."""
    taken = amount < 0
    category, source = "dispute" if taken else "dispute_reversal", resource.id
    if isinstance(resource, Charge):
        category = "charge"
    elif isinstance(resource, Refund):
        category = "refund" if taken else "refund_failure"
    elif isinstance(resource, Transfer):
        category = "transfer" if taken else "transfer_reversal"
        source = resource.id if taken else resource.reversals[-1].id
    return BalanceTransaction(transaction_id, created, amount, currency, category, source)
