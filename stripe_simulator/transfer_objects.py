"""Transfer and its Reversals: money that goes to a connected account, and back (API reference).

Attributes are replaced, never changed in place: an event keeps a shallow copy as its snapshot. Amounts are
minor units, instants are epoch seconds.
"""

from dataclasses import dataclass

from stripe_simulator.errors import JsonObject


@dataclass(slots=True)
class Reversal:
    id: str
    created: int
    amount: int
    currency: str
    transfer: str
    metadata: dict[str, str]
    balance_transaction: str | None = None

    def render(self) -> JsonObject:
        return {
            "id": self.id,
            "object": "transfer_reversal",
            "amount": self.amount,
            "balance_transaction": self.balance_transaction,
            "created": self.created,
            "currency": self.currency,
            "destination_payment_refund": None,
            "metadata": self.metadata,
            "source_refund": None,
            "transfer": self.transfer,
        }


@dataclass(slots=True)
class Transfer:
    id: str
    created: int
    amount: int
    currency: str
    destination: str
    destination_payment: str
    source_transaction: str | None
    transfer_group: str | None
    description: str | None
    metadata: dict[str, str]
    amount_reversed: int = 0
    reversals: tuple[Reversal, ...] = ()
    balance_transaction: str | None = None

    def render(self) -> JsonObject:
        return {
            "id": self.id,
            "object": "transfer",
            "amount": self.amount,
            "amount_reversed": self.amount_reversed,
            "balance_transaction": self.balance_transaction,
            "created": self.created,
            "currency": self.currency,
            "description": self.description,
            "destination": self.destination,
            "destination_payment": self.destination_payment,
            "livemode": False,
            "metadata": self.metadata,
            "reversals": {
                "object": "list",
                "data": [reversal.render() for reversal in reversed(self.reversals[-10:])],
                "has_more": len(self.reversals) > 10,
                "url": f"/v1/transfers/{self.id}/reversals",
            },
            "reversed": self.amount_reversed == self.amount,
            "source_transaction": self.source_transaction,
            "source_type": "card",
            "transfer_group": self.transfer_group,
        }
