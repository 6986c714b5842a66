"""What a booking costs (requirement price-integrity; rules.md, Booking flows)."""

from __future__ import annotations

from booking_contracts.codes import Code, Rejected
from booking_contracts.types import Money

from services.booking.model.catalogue import Offering
from services.booking.model.wish import Wish


def total(price: Money, seats: int) -> Money:
    """Price is per seat."""
    return Money(amount=price.amount * seats, currency=price.currency)


def check_price(wish: Wish, price: Money) -> None:
    """What the publisher believes about the price is never trusted, only compared (requirement price-integrity)."""
    if wish.expected_price is not None and wish.expected_price != price:
        raise Rejected(
            Code.PRICE_CHANGED, "The price is another now; show it and send it again.", price=price.model_dump()
        )


def check_payable(wish: Wish, offering: Offering) -> None:
    """What the party costs is an amount; only a slot that was opened before its price was raised can ask for more."""
    if not offering.can_charge(wish.seats):
        problem = "cost more than can be paid at once"
        raise Rejected(Code.INVALID_COMMAND, f"seats {problem}; book fewer.", field="seats", problem=problem)
