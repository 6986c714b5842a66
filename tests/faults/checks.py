"""The independent checker: pure functions from facts to violations. It shares no code with what it checks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

from tests.faults.facts import Facts
from tests.faults.seat_checks import seats, waitlist
from tests.faults.stream_checks import no_lost_command, one_reply, order, tail

LIVE_INTENTS = ("requires_capture", "succeeded")
KeyT = TypeVar("KeyT", bound=Hashable)


def history(facts: Facts) -> list[str]:
    """Each booking's history begins with nothing, is unbroken, enters no state twice and ends at its state."""
    steps = _by(facts.history, lambda step: step.booking_id)
    wrong = []
    for booking in facts.bookings:
        mine = sorted(steps.get(booking.booking_id, []), key=lambda step: step.number)
        chain = [None, *(step.after for step in mine)]
        if [step.before for step in mine] != chain[:-1] or [step.number for step in mine] != [*range(1, len(chain))]:
            wrong.append(f"booking {booking.booking_id}: its history is broken: {mine}")
        if chain[-1] != booking.state:
            wrong.append(f"booking {booking.booking_id} is {booking.state}, its history ends at {chain[-1]}")
        entered = Counter(step.after for step in mine if step.before != step.after)
        wrong += [
            f"booking {booking.booking_id} entered {state} twice" for state, times in entered.items() if times > 1
        ]
    return wrong


def money_once(facts: Facts) -> list[str]:
    """One PaymentIntent per attempt, one capture and one refund per booking, never more back than taken."""
    attempts = Counter((intent.booking_id, intent.attempt) for intent in facts.intents)
    wrong = [
        f"booking {booking}: attempt {number} has {n} PaymentIntents"
        for (booking, number), n in attempts.items()
        if n > 1
    ]
    for booking, intents in _by(facts.intents, lambda intent: intent.booking_id).items():
        if sum(intent.received > 0 for intent in intents) > 1:
            wrong.append(f"booking {booking} was charged {sum(intent.received > 0 for intent in intents)} times")
        if sum(intent.refunds for intent in intents) > 1:
            wrong.append(f"booking {booking} was refunded {sum(intent.refunds for intent in intents)} times")
        wrong += [
            f"{intent.id}: more refunded than received" for intent in intents if intent.refunded > intent.received
        ]
    return wrong


def sagas(facts: Facts) -> list[str]:
    """Every saga has come to its end, waits for the customer or a chargeback, or is stuck with a reason."""
    return [
        f"saga of {saga.booking_id} hangs at {saga.step}"
        for saga in facts.sagas
        if not (
            saga.status in ("done", "waiting_for_customer", "waiting_for_chargeback")
            or (saga.status == "stuck" and saga.problem)
        )
    ]


def ledger(facts: Facts) -> list[str]:
    """Every transaction, and so the whole, sums to zero per currency."""
    sums: Counter[tuple[str, str]] = Counter()
    for entry in facts.entries:
        sums[entry.transaction, entry.currency] += entry.amount
    return [f"ledger transaction {of} is {amount} {currency} off" for (of, currency), amount in sums.items() if amount]


def payments_are_stripes(facts: Facts) -> list[str]:
    """Our payments say what Stripe says, both ways."""
    intents = {intent.id: intent for intent in facts.intents}
    wrong = []
    for payment in facts.payments:
        if payment.intent is None:
            continue
        intent = intents.get(payment.intent)
        if intent is None:
            wrong.append(f"payment of {payment.booking_id} names {payment.intent}, which Stripe has not")
        elif (payment.captured, payment.refunded) != (intent.received, intent.refunded):
            wrong.append(f"payment of {payment.booking_id}: {payment} against {intent}")
    known = {payment.intent for payment in facts.payments}
    return wrong + [
        f"{intent.id} is {intent.status} and nobody's"
        for intent in facts.intents
        if intent.status in LIVE_INTENTS and intent.id not in known
    ]


def bookings_are_paid(facts: Facts) -> list[str]:
    """A confirmed booking's price is in escrow; a dead one holds no money."""
    paid = {payment.booking_id: payment for payment in facts.payments}
    wrong = []
    for booking in facts.bookings:
        payment = paid.get(booking.booking_id)
        if booking.state == "CONFIRMED" and (payment is None or payment.captured - payment.refunded < booking.price):
            wrong.append(f"booking {booking.booking_id} is CONFIRMED with {payment}")
        if payment is not None and payment.payment_id != booking.payment_id:
            wrong.append(f"booking {booking.booking_id} and its payment disagree about the payment's id")
        if (
            not booking.occupies
            and payment is not None
            and payment.status in ("pending", "requires_action", "authorized")
        ):
            wrong.append(f"booking {booking.booking_id} is {booking.state}, its payment still {payment.status}")
    return wrong


def at_rest(facts: Facts) -> list[str]:
    """Nothing waits any more, and the databases have met no deadlock."""
    wrong = [f"{count} left: {name}" for name, count in facts.waiting.items() if count]
    return wrong + [f"{count} deadlocks in {name}" for name, count in facts.deadlocks.items() if count]


def letters(facts: Facts) -> list[str]:
    """What is set aside was planted, and what was planted is set aside."""
    found = {letter.message_id for letter in facts.letters}
    wrong = [
        f"{letter.service} set {letter.message_id} aside ({letter.kind}): {letter.error[-300:]}"
        for letter in facts.letters
        if letter.kind != "refused" or letter.message_id not in facts.planted
    ]
    return wrong + [f"planted {command} was not set aside" for command in sorted(facts.planted - found)]


def deliveries(facts: Facts) -> list[str]:
    """Every letter to a person has come to its end."""
    return [f"delivery {one.id} is {one.state}" for one in facts.deliveries if one.state != "succeeded"]


CHECKS: tuple[Callable[[Facts], list[str]], ...] = (
    order,
    tail,
    one_reply,
    no_lost_command,
    seats,
    waitlist,
    history,
    money_once,
    sagas,
    ledger,
    payments_are_stripes,
    bookings_are_paid,
    at_rest,
    letters,
    deliveries,
)


def violations(facts: Facts) -> list[str]:
    """Everything that is wrong, named by its check."""
    return [f"{check.__name__}: {wrong}" for check in CHECKS for wrong in check(facts)]


ItemT = TypeVar("ItemT")


def _by(items: Iterable[ItemT], key: Callable[[ItemT], KeyT]) -> dict[KeyT, list[ItemT]]:
    found: defaultdict[KeyT, list[ItemT]] = defaultdict(list)
    for item in items:
        found[key(item)].append(item)
    return found
