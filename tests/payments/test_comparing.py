"""What a difference is, and when it counts (requirement ledger): pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from services.payments.comparison.movements import OTHER, movement
from services.payments.model.comparison import GRACE, PAUSE, Difference, Kind, Standing, differences, watched
from tests.payments.builders import BOOKING, INTENT, NOW


def of(amount: int, subject: str = INTENT, kind: Kind = Kind.CHARGE, currency: str = "EUR") -> Standing:
    return Standing(kind, subject, currency, amount)


@pytest.mark.requirement("ledger")
def test_what_both_say_is_no_difference() -> None:
    assert differences([of(1000), of(0, "pi_2")], [of(400), of(600)]) == []


@pytest.mark.requirement("ledger")
@pytest.mark.parametrize(
    ("ours", "theirs", "found"),
    [
        ([of(1000)], [of(999)], [Difference(of(1000), 999)]),
        ([of(1000)], [], [Difference(of(1000), 0)]),
        ([], [of(-1)], [Difference(of(0), -1)]),
        ([of(5), of(6)], [], [Difference(of(11), 0)]),
        ([of(5)], [of(5, currency="USD")], [Difference(of(5), 0), Difference(of(0, currency="USD"), 5)]),
        ([of(5)], [of(5, kind=Kind.REFUND)], [Difference(of(5), 0), Difference(of(0, kind=Kind.REFUND), 5)]),
        ([of(5)], [of(5, "pi_2")], [Difference(of(5), 0), Difference(of(0, "pi_2"), 5)]),
    ],
)
def test_what_they_do_not_is_one_per_thing_and_currency(
    ours: list[Standing], theirs: list[Standing], found: list[Difference]
) -> None:
    assert sorted(differences(ours, theirs), key=repr) == sorted(found, key=repr)


def test_it_names_whose_it_is_and_the_paymentintent_that_the_other_side_knows() -> None:
    ours = replace(of(-5, "re_1", Kind.REFUND), booking_id=BOOKING)
    theirs = replace(of(-6, "re_1", Kind.REFUND), payment_intent=INTENT, customer_id=str(uuid4()))
    (found,) = differences([ours], [theirs])
    assert found == Difference(replace(ours, payment_intent=INTENT), -6)
    (found,) = differences([replace(ours, payment_intent="pi_ours")], [theirs])
    assert found.of.payment_intent == "pi_ours"
    (found,) = differences([], [theirs])
    assert found == Difference(replace(theirs, amount_minor=0), -6)


@pytest.mark.requirement("ledger")
def test_it_counts_when_it_was_there_for_the_whole_grace() -> None:
    found = Difference(of(1000), 999)
    at, one = NOW, watched(found, None, NOW)
    while at < NOW + GRACE:
        assert not one.due(at)
        at += PAUSE
        one = watched(found, one, at)
    assert one.due(at)
    assert (one.first_seen, one.since, one.last_seen) == (NOW, NOW, at)
    assert not replace(one, counted_at=at).due(at), "once"


@pytest.mark.parametrize("moved", [Difference(of(1001), 999), Difference(of(1000), 998)])
def test_whatever_moves_begins_its_grace_again(moved: Difference) -> None:
    before = watched(Difference(of(1000), 999), None, NOW)
    later = NOW + timedelta(minutes=1)
    one = watched(moved, before, later)
    assert (one.found, one.first_seen, one.since, one.last_seen) == (moved, NOW, later, later)


def test_after_a_pause_nobody_knows_what_moved() -> None:
    found = Difference(of(1000), 999)
    before = watched(found, None, NOW)
    assert watched(found, before, NOW + PAUSE).since == NOW
    late = NOW + PAUSE + timedelta(seconds=1)
    assert watched(found, before, late).since == late


CHARGE, REFUND = {"id": "ch_1", "payment_intent": INTENT}, {"id": "re_1", "payment_intent": INTENT}
MOVED: dict[str, tuple[dict[str, Any], str, str]] = {
    "charge": (CHARGE, Kind.CHARGE, INTENT),
    "charge_failure": (CHARGE, Kind.CHARGE, INTENT),
    "partial_capture_reversal": (CHARGE, Kind.CHARGE, INTENT),
    "refund": (REFUND, Kind.REFUND, "re_1"),
    "refund_failure": (REFUND, Kind.REFUND, "re_1"),
    "dispute": ({"id": "du_1", "payment_intent": INTENT}, Kind.DISPUTE, "du_1"),
    "dispute_reversal": ({"id": "du_1", "payment_intent": INTENT}, Kind.DISPUTE, "du_1"),
    "transfer": ({"id": "tr_1"}, Kind.TRANSFER, "tr_1"),
    "transfer_reversal": ({"id": "trr_1", "transfer": "tr_1"}, Kind.TRANSFER, "tr_1"),
    "payout": ({"id": "po_1"}, OTHER, "po_1"),
    "fee": ({"id": "txn_1"}, OTHER, "txn_1"),
}
"""Stripe's reporting category: its source, and what it is to us. The simulator does not make all of them."""


@pytest.mark.requirement("ledger")
@pytest.mark.parametrize("category", MOVED)
def test_what_moved_is_put_down_to_the_object_that_our_rows_know(category: str) -> None:
    source, kind, subject = MOVED[category]
    listed = {"id": "txn_1", "reporting_category": category, "currency": "eur", "created": 0, "source": source}
    found = movement({**listed, "amount": -100, "fee": 5, "net": -105})
    assert (found.kind, found.subject, found.amount_minor, found.currency) == (kind, subject, -100, "EUR")
