"""What the auditor, and `bookingctl payments reconcile`, say of payments and bookings that do not agree."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from uuid import UUID, uuid4

import pytest

from services.booking.model.states import DEAD, FUNDED, INITIAL, State
from services.booking.saga import Status as SagaStatus
from services.operations.auditor import looking
from services.operations.auditor.agreement import CHECK, Booked, Paid, differs, of_rows
from services.operations.auditor.databases import Databases, literals
from services.operations.auditor.scope import Between
from services.payments.model.payment import LIVE, Status
from tests.operations.auditor.conftest import Hand

PAYMENT, PRICE = UUID(int=0xA), 4500
ENDED = frozenset(State) - FUNDED - DEAD - INITIAL
BOOKED = Booked(PAYMENT, State.CONFIRMED, PRICE, "EUR", SagaStatus.DONE)
PAID = Paid(PAYMENT, Status.CAPTURED, PRICE, PRICE, PRICE, 0, "EUR")


def of(state: State, saga: SagaStatus | None = SagaStatus.DONE) -> Booked:
    return replace(BOOKED, state=state, saga=saga)


@pytest.mark.requirement("payment-booking-coupling", "escrow")
@pytest.mark.parametrize("state", sorted(FUNDED))
def test_a_booking_that_counts_on_its_money_has_it(state: State) -> None:
    reserved = replace(PAID, status=Status.AUTHORIZED, escrow_minor=0, captured_minor=0)
    assert differs(of(state), PAID) is None
    assert differs(of(state), reserved) is None
    assert differs(of(state), replace(PAID, escrow_minor=2500)) == f"{state} holds 25.00 EUR of 45.00 EUR"
    assert differs(of(state), replace(reserved, status=Status.VOIDED)) == f"{state} holds 0.00 EUR of 45.00 EUR"
    assert differs(of(state), None) == f"a {state} booking without a payment"


@pytest.mark.requirement("payment-booking-coupling")
@pytest.mark.parametrize("state", sorted(DEAD | ENDED))
def test_an_ended_booking_holds_no_money(state: State) -> None:
    settled = replace(PAID, status=Status.SETTLED, escrow_minor=0)
    assert differs(of(state), settled) is None
    assert differs(of(state), PAID) == f"{state}, and 45.00 EUR are still in escrow"
    assert differs(of(state), replace(PAID, disputes=1)) is None, "a chargeback holds it up"
    for status in LIVE:
        assert differs(of(state), replace(settled, status=status)) == f"{state}, and the payment is {status}"


@pytest.mark.requirement("payment-booking-coupling", "payment-capture-timing")
@pytest.mark.parametrize("state", sorted(INITIAL))
def test_nothing_is_captured_before_the_booking_is_confirmed(state: State) -> None:
    assert differs(of(state), None) is None
    assert differs(of(state), replace(PAID, status=Status.AUTHORIZED, captured_minor=0, escrow_minor=0)) is None
    assert differs(of(state), PAID) == f"{state}, and 45.00 EUR are captured"


@pytest.mark.requirement("payment-booking-coupling")
def test_both_sides_name_each_other() -> None:
    assert differs(None, PAID) == "the payment's booking is not there"
    assert differs(None, replace(PAID, currency=None)) is None, "voided before it was asked for"
    assert differs(BOOKED, replace(PAID, payment_id=UUID(int=1))) == f"the booking names payment {PAYMENT}"
    assert differs(BOOKED, replace(PAID, currency="USD")) == "the booking is in EUR, the payment in USD"


@pytest.mark.parametrize(
    "saga", [SagaStatus.WAITING, SagaStatus.WAITING_FOR_CUSTOMER, SagaStatus.WAITING_FOR_CHARGEBACK]
)
def test_what_a_saga_still_works_on_is_no_difference(saga: SagaStatus) -> None:
    assert differs(of(State.EXPIRED, saga), PAID) is None
    assert differs(of(State.EXPIRED, SagaStatus.STUCK), PAID) is not None


PLANT = """
INSERT INTO payment (booking_id, payment_id, correlation_id, sequence, attempt, status, method, amount_minor, currency,
                     customer_id, provider_id, commission_bps, voided_through, owes_void, capture_asked,
                     authorized_minor, captured_minor, refunded_minor, released_minor, commission_minor, refunds)
VALUES ('{id}', '{id}', '', 1, 1, 'captured', 'card', 4500, 'EUR', 'bob', '{id}', 0, 0, false, false, 4500, 4500, 0, 0,
        0, 0)
"""
"""A captured payment of a booking that is not there."""


@pytest.mark.requirement("payment-booking-coupling", "auditor")
@pytest.mark.usefixtures("without_a_pause")
async def test_a_pass_sees_every_key_in_chunks_of_any_size(
    hand: Hand, read: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "CHUNK", 1)
    orphans = {uuid4() for _ in range(4)} | {UUID(int=1), UUID(int=(1 << 128) - 1)}
    await hand("payments", ";".join(PLANT.format(id=one) for one in orphans))
    try:
        found = {one.booking_id: one.detail for one in await looking.whole(CHECK, read)}
    finally:
        await hand("payments", "DELETE FROM payment WHERE customer_id = 'bob'")
    assert found == dict.fromkeys(orphans, "the payment's booking is not there")


WAYS = """
SELECT ('{first}' || lpad(to_hex(row_number() OVER (ORDER BY state, status, held, attempt)), 4, '0'))::uuid AS id,
       state, status, held, attempt
FROM booking_state, unnest(ARRAY[0, 4400, 4500]) held, generate_series(0, 1) attempt,
     unnest(ARRAY['pending', 'requires_action', 'authorized', 'captured', 'settled', 'voided', 'declined', 'none'])
         AS status
"""
EVERY_BOOKING = f"""
INSERT INTO booking (booking_id, state, offering_id, provider_id, slot_id, starts_at, ends_at, seats, customer_id,
                     price_minor, currency, commission_bps, approval, terms, payment_id, created_at, attempt,
                     payment_status, refund_cap_percent, full_refund, sequence, history_number)
SELECT id, state, id, id, id, now(), now(), 1, 'ways', 4500, 'EUR', 0, false, '{{}}', id, now(), attempt, '', 100,
       false, 0, 0
FROM ({WAYS}) w
"""
EVERY_PAYMENT = f"""
CREATE TEMP TABLE booking_state AS SELECT unnest(ARRAY[{literals(State)}]) AS state;
INSERT INTO payment (booking_id, payment_id, correlation_id, sequence, attempt, status, action, method, amount_minor,
                     currency, customer_id, provider_id, commission_bps, voided_through, owes_void, capture_asked,
                     authorized_minor, captured_minor, refunded_minor, released_minor, commission_minor, refunds)
SELECT id, id, '', 1, 1, status, CASE status WHEN 'requires_action' THEN 'authenticate' END, 'card', 4500, 'EUR',
       'ways', id, 0, 0, false, false, 4500, captured, 0, captured - held, 0, 0
FROM (SELECT id, status, held, CASE WHEN status IN ('captured', 'settled') THEN 4500 ELSE held END AS captured
      FROM ({WAYS}) w WHERE status <> 'none') p
"""
FIRST_WAY = "ffffffff-0000-7000-8000-00000000"


@pytest.mark.requirement("payment-booking-coupling", "auditor")
async def test_the_sums_of_a_stretch_hide_nothing_that_the_rule_finds(hand: Hand, read: Databases) -> None:
    """Every state with every payment, each alone in its stretch."""
    await hand("booking", EVERY_BOOKING.replace("{first}", FIRST_WAY))
    await hand("payments", EVERY_PAYMENT.replace("{first}", FIRST_WAY))
    first = UUID(FIRST_WAY + "0000").int
    ids = [UUID(int=first + n) for n in range(15 * 8 * 3 * 2 + 1)]
    try:
        by_rule = await of_rows(read, Between(ids[0], None))
        found = [one for pair in pairwise(ids) for one in await CHECK.look(read, Between(*pair))]
    finally:
        await hand("booking", "DELETE FROM booking WHERE customer_id = 'ways'")
        await hand("payments", "DELETE FROM payment WHERE customer_id = 'ways'")
    assert len(by_rule) > 100
    assert sorted(one.key for one in found) == sorted(one.key for one in by_rule)
