"""The checker is checked: for each thing it counts, one planted loss is found, and only by that check."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.faults.checks import violations
from tests.faults.facts import (
    Booking,
    Delivery,
    Entry,
    Facts,
    Intent,
    Letter,
    Payment,
    Record,
    Saga,
    Slot,
    Step,
    Waiter,
)


def sound() -> Facts:
    """Two bookings of one slot, one confirmed and one cancelled with its money back, and a bad command; another slot,
    whose two seats are offered and waited for."""
    events = [Record("booking.events", "b1", f"e{n}", "t", n) for n in (1, 2, 3)]
    events += [Record("booking.events", "b2", f"f{n}", "t", n) for n in (1, 2)]
    events += [Record("booking.events", "w1", f"g{n}", "t", n) for n in (1, 2)]
    events += [Record("booking.events", key, f"{key}1", "t", 1) for key in ("w2", "w3")]
    replies = [Record("booking.replies", "b", f"r{c}", "t", body={"command_id": c}) for c in ("c1", "c2", "bad")]
    return Facts(
        published={"c1", "c2", "bad"},
        planted={"bad"},
        records=[*events, *replies, events[0], replies[0]],  # Kafka may show a record again
        bookings=[
            Booking("b1", "CONFIRMED", "s", 1, True, 45, "p1", 3),
            Booking("b2", "CANCELLED_BY_CUSTOMER", "s", 1, False, 45, "p2", 2),
        ],
        slots=[Slot("s", 1, 1), Slot("q", 1, 2)],
        line=[
            Waiter("w1", "OFFERED", "q", 1, sequence=2),
            Waiter("w2", "WAITING", "q", 2, sequence=1),
            Waiter("w3", "ACCEPTED", "s", 1, "b1", sequence=1),
        ],
        history=[
            Step("b1", 1, None, "PENDING_PAYMENT"),
            Step("b1", 2, "PENDING_PAYMENT", "CONFIRMED"),
            Step("b1", 3, "CONFIRMED", "CONFIRMED"),
            Step("b2", 1, None, "CANCELLED_BY_CUSTOMER"),
        ],
        sagas=[Saga("b1", "capture", "done"), Saga("b2", "settle", "stuck", "the account is closed")],
        payments=[Payment("b1", "p1", "captured", "pi1", 45, 0), Payment("b2", "p2", "settled", "pi2", 45, 45)],
        intents=[Intent("pi1", "b1", "1", "succeeded", 45), Intent("pi2", "b2", "1", "succeeded", 45, 45, 1)],
        entries=[Entry("t1", "escrow:b1", "EUR", 45), Entry("t1", "stripe:clearing", "EUR", -45)],
        letters=[Letter("booking", "refused", "bad", "malformed")],
        deliveries=[Delivery("d1", "succeeded")],
        waiting={"outbox rows of booking": 0},
        deadlocks={"booking": 0},
    )


def drop(facts: Facts, record_id: str) -> None:
    facts.records = [record for record in facts.records if record.id != record_id]


def swap(facts: Facts) -> None:
    facts.records[0], facts.records[1] = facts.records[1], facts.records[0]


def second_reply(facts: Facts) -> None:
    facts.records.append(Record("booking.replies", "b", "another", "t", body={"command_id": "c1"}))


def second_charge(facts: Facts) -> None:
    facts.intents.append(Intent("pi3", "b1", "2", "succeeded", 45))
    facts.payments.append(Payment("b1", "p1", "captured", "pi3", 45, 0))


def second_refund(facts: Facts) -> None:
    facts.intents[1] = replace(facts.intents[1], refunds=2)


def unlike_stripe(facts: Facts) -> None:
    facts.payments[0] = replace(facts.payments[0], captured=50)


def oversell(facts: Facts) -> None:
    facts.bookings.append(Booking("b3", "PENDING_PAYMENT", "s", 1, True, 45, "p3"))
    facts.history.append(Step("b3", 1, None, "PENDING_PAYMENT"))
    facts.slots[0] = replace(facts.slots[0], taken=2)


def lose_an_offer(facts: Facts) -> None:
    """Its seats stay taken."""
    facts.line[0] = replace(facts.line[0], state="EXPIRED")
    facts.line.pop(1)


def accept(facts: Facts, booking: str | None, state: str = "ACCEPTED") -> None:
    facts.line[2] = replace(facts.line[2], booking_id=booking, state=state)


def forget_who_waits(facts: Facts) -> None:
    facts.line[1] = replace(facts.line[1], seats=1)


def orphan(facts: Facts) -> None:
    facts.intents.append(Intent("pi9", "b9", "1", "requires_capture", 0))


PLANTED: list[tuple[str, Callable[[Facts], object], str]] = [
    ("an event in the middle is lost", lambda facts: drop(facts, "e2"), "order"),
    ("the last event is lost", lambda facts: drop(facts, "e3"), "tail"),
    ("two events change places", swap, "order"),
    ("a command has two replies", second_reply, "one_reply"),
    ("a reply is lost", lambda facts: drop(facts, "rc2"), "no_lost_command"),
    ("a slot is oversold", oversell, "seats"),
    ("a seat leaks", lambda facts: facts.slots.__setitem__(0, Slot("s", 0, 1)), "seats"),
    ("an offer's seats leak", lose_an_offer, "seats"),
    ("somebody waits beside free seats", forget_who_waits, "waitlist"),
    ("an accepted offer has no booking", lambda facts: accept(facts, None), "waitlist"),
    ("a booking comes from an offer that was not accepted", lambda facts: accept(facts, "b1", "LEFT"), "waitlist"),
    ("an entry's last event is lost", lambda facts: drop(facts, "g2"), "tail"),
    ("a line of history is lost", lambda facts: facts.history.pop(1), "history"),
    ("a state is not in the history", lambda facts: facts.history.pop(), "history"),
    ("a customer is charged twice", second_charge, "money_once"),
    ("a refund is made twice", second_refund, "money_once"),
    ("a saga hangs", lambda facts: facts.sagas.__setitem__(0, Saga("b1", "capture", "waiting")), "sagas"),
    ("a posting is lost", lambda facts: facts.entries.pop(), "ledger"),
    ("a payment is unlike Stripe's", unlike_stripe, "payments_are_stripes"),
    ("Stripe holds an authorisation of nobody", orphan, "payments_are_stripes"),
    ("a confirmed booking is not paid", lambda facts: facts.payments.pop(0), "bookings_are_paid"),
    ("a row stays in the outbox", lambda facts: facts.waiting.update({"outbox rows of booking": 1}), "at_rest"),
    ("a deadlock happened", lambda facts: facts.deadlocks.update(booking=1), "at_rest"),
    ("a handler failed", lambda facts: facts.letters.append(Letter("payments", "failed", "x", "bug")), "letters"),
    ("bad input vanished", lambda facts: facts.letters.clear(), "letters"),
    ("a letter was not sent", lambda facts: facts.deliveries.append(Delivery("d2", "pending")), "deliveries"),
]


def test_a_sound_run_has_no_violations() -> None:
    assert violations(sound()) == []


@pytest.mark.parametrize(("what", "plant", "check"), PLANTED, ids=[what for what, _, _ in PLANTED])
def test_a_planted_loss_is_found(what: str, plant: Callable[[Facts], object], check: str) -> None:
    facts = copy.deepcopy(sound())
    plant(facts)
    assert any(wrong.startswith(f"{check}:") for wrong in violations(facts)), what
