"""The table of a payment's states against the handlers: whatever is told to a payment in whatever state.

The walk is wide rather than likely: Stripe says anything to any call. What the handlers do then is what is drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import cache, partial

import pytest
from booking_contracts.types import PaymentChoice

from services.chassis.unit_of_work import Changed
from services.payments.local_messages import MISSING
from services.payments.model import ledger
from services.payments.model.chargeback import Chargeback
from services.payments.model.payment import INITIAL, TRANSITIONS, Payment, Status
from services.payments.model.settlement import Settlement
from services.payments.model.wallet import Balance
from tests.payments.builders import BOOKING, CARD, NOW, PRICE, World, authorize, capture, settle, void

Act = Callable[[World], object]
Step = tuple[Status | None, Status]
WALLET = PaymentChoice(method="wallet")
ANSWERS = ("requires_capture", "requires_action", "requires_payment_method", "canceled", "processing", "succeeded")
MOST_ACTS = 16
"""The longest way has 8. A walk that does not end goes round: `node` tells worlds apart that are the same."""


def acts(world: World, method: PaymentChoice) -> Iterator[Act]:
    """What can happen next."""
    payment = world.work.find(Payment, BOOKING)
    attempt = max(1, payment.attempt) if payment else 1
    for number in (attempt, attempt + 1) if attempt < 2 else (attempt,):
        yield lambda w, n=number: w.tell(authorize(n, payment=method))  # type: ignore[misc]
    yield lambda w: w.tell(authorize(attempt, payment=method, expires_at=NOW - timedelta(minutes=1)))
    yield lambda w: w.tell(capture(attempt))
    yield lambda w: w.tell(void(attempt))
    if payment is None or not any(world.work.all(Settlement)):
        yield lambda w: w.tell(settle(refund=PRICE, attempt=attempt))
        yield lambda w: w.tell(settle(release=PRICE, attempt=attempt))
    if payment is None:
        return
    if payment.calling is not None:
        for status in (*ANSWERS, MISSING):
            yield partial(World.stripe_says, status=status)
        yield partial(World.stripe_says, status="requires_payment_method", error_code="card_declined")
        yield partial(World.stripe_says, status="requires_capture", error_code="capture_refused")
        yield partial(World.stripe_says, status="", error_code="amount_too_small")
    elif payment.payment_intent is not None:
        for kind in ("succeeded", "canceled"):
            yield partial(World.event, kind=kind)
    if payment.captured_minor:
        for status in ("needs_response", "lost", "won"):
            yield partial(World.dispute, status=status)


def node(world: World) -> object:
    """What tells two worlds apart, as far as the next step goes."""
    payment = world.work.find(Payment, BOOKING)
    if payment is None:
        return None
    flags = (payment.owes_void, payment.capture_asked, payment.settling is None, payment.voided_through)
    money = (payment.captured_minor > 0, payment.escrow_minor, payment.disputes, payment.lost_minor)
    disputed = [(one.outcome, one.covered_minor) for one in world.work.all(Chargeback)]
    known = (*disputed, payment.payment_intent, payment.by_wallet, any(world.work.all(Settlement)))
    return payment.attempt, payment.status, payment.calling, flags, money, known


def replayed(done: tuple[Act, ...]) -> World:
    world = World()
    world.work.load(Balance(ledger.available("bob"), "EUR", PRICE))
    for act in done:
        act(world)
    return world


def steps(world: World) -> Iterator[Step]:
    """The changes of status in a world's journal; None is where there is no payment yet."""
    changes = [effect for effect in world.work.journal if isinstance(effect, Changed)]
    for change in changes:
        before, after = change.before, change.after
        if not isinstance(after, Payment):
            continue
        assert before is None or isinstance(before, Payment)
        status = before.status if before else None
        if after.attempt and (before is None or before.attempt != after.attempt):
            yield status, Status.PENDING
            status = Status.PENDING
        if status is not after.status:
            yield status, after.status


@cache
def walked() -> frozenset[Step]:
    """Every step that some way through the handlers takes; ends when no act leads to a world not seen before."""
    found: set[Step] = set()
    for method in (CARD, WALLET):
        seen: set[object] = {None}
        ways: list[tuple[Act, ...]] = [()]
        while ways:
            way = ways.pop(0)
            assert len(way) < MOST_ACTS, "the walk goes round"
            for act in acts(replayed(way), method):
                world = replayed((*way, act))
                found.update(steps(world))
                if node(world) not in seen:
                    seen.add(node(world))
                    ways.append((*way, act))
    return frozenset(found)


@pytest.mark.requirement("payment-capture-timing", "late-payment")
def test_the_handlers_take_the_steps_of_the_table_and_no_others() -> None:
    begun: set[Step] = {(None, status) for status in INITIAL}
    table: set[Step] = {(before, after) for before, following in TRANSITIONS.items() for after in following}
    assert walked() - begun - table == set(), "a step that the table does not have"
    assert (begun | table) - walked() == set(), "a step that no way leads to"


def test_every_status_is_in_the_table() -> None:
    assert set(TRANSITIONS) == set(Status)
