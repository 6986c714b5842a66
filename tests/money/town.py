"""Random lives of bookings, act by act: who books what, pays how, and what becomes of it. Seeded.

Nobody here looks at answers: commands that come too early, too late or twice are part of a life.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from booking_contracts.envelope import uuid7
from booking_contracts.testkit import sample
from booking_contracts.testkit.people import ADMIN, WALLET, customer, customer_actor, provider_actor
from booking_contracts.types import Actor, Money, PaymentChoice, Price

from tests.faults.sendable import Sendable, of

CURRENCIES = ("EUR", "EUR", "USD", "JPY")
POLICIES: tuple[Any, ...] = (
    "flexible",
    "moderate",
    "strict",
    {"tiers": [{"hours_before": 40, "percent": 67}, {"hours_before": 3, "percent": 33}]},
)
ACCOUNTS = ("acct_one", "acct_two", "acct_closed", None)
ACCOUNT_WEIGHTS = (45, 35, 10, 10)
PAYMENTS: tuple[tuple[PaymentChoice | None, int], ...] = (
    *(
        (PaymentChoice(method="card", payment_method=f"pm_card_{card}"), weight)
        for card, weight in (
            ("visa", 45),
            ("chargeDeclined", 6),
            ("visa_chargeDeclinedInsufficientFunds", 2),
            ("authenticationRequired", 8),
            ("refundFail", 4),
            ("pendingRefund", 4),
            ("createDispute", 3),
        )
    ),
    (PaymentChoice(method="card"), 4),
    (WALLET, 18),
    (None, 6),
)
LIVES_PER_STUDIO = 80
WALLETS_PER_STUDIO = 6
SLOT_DAYS = (3, 4, 6, 9)


@dataclass(frozen=True)
class Studio:
    """A provider with one offering and some slots far apart."""

    provider_id: UUID
    offering_id: UUID
    price: Price
    starts: tuple[datetime, ...]
    approval: bool

    @property
    def actor(self) -> Actor:
        return provider_actor(self.provider_id)


@dataclass(frozen=True)
class Life:
    """One booking, from its customer's side."""

    booking_id: UUID
    who: str
    studio: Studio
    seats: int
    payment: PaymentChoice | None

    @property
    def actor(self) -> Actor:
        return customer_actor(self.who)

    @property
    def price(self) -> int:
        """In minor units."""
        return self.studio.price.amount * self.seats


@dataclass
class Town:
    """Studios and lives. Every act is a list of commands; those of one booking keep their order."""

    rng: random.Random
    now: datetime
    count: int
    studios: list[Studio] = field(default_factory=list)
    lives: list[Life] = field(default_factory=list)

    def providers(self) -> list[Sendable]:
        """To be sent well before the rest: registering has its own topic."""
        commands = []
        for _ in range(-(-self.count // LIVES_PER_STUDIO)):
            studio = self._studio()
            self.studios.append(studio)
            account = self.rng.choices(ACCOUNTS, ACCOUNT_WEIGHTS)[0]
            policy = self.rng.choice(POLICIES)
            register = sample.register_provider(
                provider_id=studio.provider_id, payout_account=account, refund_policy=policy
            )
            commands.append(of(register))
        self.lives = [self._life(self.rng.choice(self.studios), number) for number in range(self.count)]
        return commands

    def opening(self) -> Iterator[Sendable]:
        """Offerings, slots, and money for the wallets; not always enough."""
        for studio in self.studios:
            yield of(
                sample.define_offering(
                    provider_id=studio.provider_id,
                    offering_id=studio.offering_id,
                    price=studio.price,
                    capacity=LIVES_PER_STUDIO,
                    approval=studio.approval,
                    commission_bps=self.rng.choice((0, 1, 333, 1000, 2999)),
                    actor=studio.actor,
                )
            )
            for start in studio.starts:
                slot = sample.open_slot(offering_id=studio.offering_id, starts_at=start, actor=studio.actor)
                yield of(slot, key=str(studio.provider_id))
            for number in range(WALLETS_PER_STUDIO * 2):
                yield self._top_up(studio, number % WALLETS_PER_STUDIO)

    def more_money(self) -> Iterator[Sendable]:
        """Some wallets are topped up again, while Stripe fails."""
        for studio in self.studios:
            for number in range(0, WALLETS_PER_STUDIO, 2):
                yield self._top_up(studio, number)

    def booking(self) -> Iterator[Sendable]:
        """Everybody books; some repent at once, some click twice."""
        for life in self.lives:
            place = self._place(life)
            yield place
            if self._sometimes(5):
                yield place
            if life.studio.approval and self._sometimes(90):
                yield self._answer(life)
            if self._sometimes(8):
                yield of(sample.cancel_booking(booking_id=life.booking_id, actor=life.actor))
            elif self._sometimes(4):
                yield of(sample.abandon_payment(booking_id=life.booking_id, actor=life.actor))

    def paying(self) -> Iterator[Sendable]:
        """Who has not paid tries; also some who have."""
        for life in self._some(25):
            payment = self._payment() or WALLET
            yield of(sample.pay_booking(booking_id=life.booking_id, payment=payment, actor=life.actor))

    def changing(self) -> Iterator[Sendable]:
        """Some cancel, some move and some of these cancel, some providers cannot, some slots are closed."""
        for life in self._some(22):
            if self._sometimes(20):
                start = self.rng.choice(life.studio.starts)
                move = sample.reschedule_booking(
                    booking_id=life.booking_id, starts_at=start, actor=self._one_of(life, provider=30)
                )
                yield of(move)
                if self._sometimes(50):
                    continue
            actor = self._one_of(life, provider=15, admin=5)
            yield of(sample.cancel_booking(booking_id=life.booking_id, actor=actor))
        for studio in self.studios:
            if self._sometimes(3):
                start = self.rng.choice(studio.starts)
                close = sample.close_slot(offering_id=studio.offering_id, starts_at=start, actor=studio.actor)
                yield of(close, key=str(studio.provider_id))

    def sessions(self) -> Iterator[Sendable]:
        """Sessions are over: completed, disputed, or forgotten."""
        for life in self._some(60):
            if self._sometimes(75):
                yield of(sample.complete_session(booking_id=life.booking_id, actor=life.studio.actor))
            if self._sometimes(30):
                yield of(sample.raise_dispute(booking_id=life.booking_id, actor=life.actor))

    def verdicts(self) -> Iterator[Sendable]:
        """Half of them confirm; every dispute is decided, some twice and differently."""
        for life in self.lives:
            if self._sometimes(40):
                yield of(sample.confirm_session(booking_id=life.booking_id, actor=life.actor))
            for _ in range(2 if self._sometimes(10) else 1):
                refund = self.rng.choice((0, life.price, self.rng.randint(0, life.price)))
                currency = life.studio.price.currency
                yield of(
                    sample.resolve_dispute(
                        booking_id=life.booking_id,
                        refund=Money(amount=refund, currency=currency),
                        release=Money(amount=life.price - refund, currency=currency),
                    )
                )

    def withdrawals(self) -> Iterator[Sendable]:
        """What is left in the wallets, as far as they guess right."""
        for studio in self.studios:
            for number in range(WALLETS_PER_STUDIO):
                who = _wallet(studio, number)
                amount = Price(amount=self.rng.randint(100, 2 * studio.price.amount), currency=studio.price.currency)
                yield of(sample.withdraw_from_wallet(customer_id=who, amount=amount, actor=customer_actor(who)))

    def _studio(self) -> Studio:
        day = self.now.replace(minute=0, second=0, microsecond=0)
        starts = tuple(day + timedelta(days=days, hours=self.rng.randint(0, 20)) for days in SLOT_DAYS)
        price = Price(amount=self.rng.randint(101, 20_000), currency=self.rng.choice(CURRENCIES))
        return Studio(uuid7(), uuid7(), price, starts, approval=self._sometimes(25))

    def _life(self, studio: Studio, number: int) -> Life:
        payment = self._payment()
        by_wallet = payment == WALLET or (payment is None and self._sometimes(50))
        who = _wallet(studio, self.rng.randrange(WALLETS_PER_STUDIO)) if by_wallet else f"card-{number % 997}"
        return Life(uuid7(), who, studio, self.rng.choice((1, 1, 2)), payment)

    def _payment(self) -> PaymentChoice | None:
        return self.rng.choices([choice for choice, _ in PAYMENTS], [weight for _, weight in PAYMENTS])[0]

    def _place(self, life: Life) -> Sendable:
        return of(
            sample.place_booking(
                booking_id=life.booking_id,
                offering_id=life.studio.offering_id,
                starts_at=self.rng.choice(life.studio.starts),
                seats=life.seats,
                customer=customer(life.who, email=f"{life.who}@example.com"),
                payment=life.payment,
                actor=life.actor,
            )
        )

    def _answer(self, life: Life) -> Sendable:
        answer = sample.reject_booking if self._sometimes(10) else sample.approve_booking
        return of(answer(booking_id=life.booking_id, actor=life.studio.actor))

    def _top_up(self, studio: Studio, number: int) -> Sendable:
        who = _wallet(studio, number)
        amount = Price(amount=self.rng.randint(100, 4 * studio.price.amount), currency=studio.price.currency)
        card = "pm_card_chargeDeclined" if self._sometimes(10) else "pm_card_visa"
        return of(sample.top_up_wallet(customer_id=who, amount=amount, payment_method=card, actor=customer_actor(who)))

    def _one_of(self, life: Life, provider: int, admin: int = 0) -> Actor:
        """The customer, or with these percentages somebody else."""
        drawn = self.rng.randrange(100)
        return life.studio.actor if drawn < provider else ADMIN if drawn < provider + admin else life.actor

    def _some(self, percent: int) -> Sequence[Life]:
        return self.rng.sample(self.lives, len(self.lives) * percent // 100)

    def _sometimes(self, percent: int) -> bool:
        return self.rng.randrange(100) < percent


def _wallet(studio: Studio, number: int) -> str:
    return f"wallet-{studio.provider_id.hex[-10:]}-{number}"
