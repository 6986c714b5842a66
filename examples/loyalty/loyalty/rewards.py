"""Every fifth completed booking puts 10.00 EUR into the customer's wallet, paid by the loyalty programme."""

from __future__ import annotations

from uuid import UUID, uuid5

from booking_contracts.booking import BookingCompleted
from booking_contracts.faststream import Bookings
from booking_contracts.payments import TopUpWallet
from booking_contracts.types import Actor, Price

from loyalty.bookings_done import BookingsDone

EVERY = 5
REWARD = Price(amount=1000, currency="EUR")
"""10.00 EUR, in cents."""
_IDS = UUID("4f1f7d5a-3c0e-4c39-9a3e-6c1d0b0a52f7")


def reward(customer_id: str, card: str) -> TopUpWallet:
    """A wallet is its customer's own, so the customer is the actor; the money comes from the programme's card."""
    return TopUpWallet(
        customer_id=customer_id,
        amount=REWARD,
        payment_method=card,
        actor=Actor(kind="customer", id=customer_id),
    )


def give_rewards(bookings: Bookings, done: BookingsDone, card: str) -> None:
    """Hears BookingCompleted. `card` is the id of the programme's payment method at Stripe.

    An event may come twice, and the process may end between the file and the command. Both are harmless: the booking
    keeps its number, and the reward's command has an id made of the booking's, which the booking system acts on once.
    """

    @bookings.on(BookingCompleted)
    async def completed(event: BookingCompleted) -> None:
        if done.which(event.booking_id, event.customer.id) % EVERY == 0:
            await bookings.send(reward(event.customer.id, card), command_id=uuid5(_IDS, str(event.booking_id)))
