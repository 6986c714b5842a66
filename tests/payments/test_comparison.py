"""Every fault that would leave Stripe and us with different money is found within the hour (requirement ledger).

Each is planted with the handlers off: at the simulator, without telling us, or in the rows.
"""

from __future__ import annotations

from uuid import uuid4

import pytest
from booking_contracts.types import PaymentChoice

from services.payments import gauges, metrics, operator
from services.payments.model import ledger
from services.payments.model.ledger import CLEARING, COMMISSION, REFUND_LOSSES
from tests.payments.builders import BOOKING, PRICE, PROVIDER, authorize, capture, settle
from tests.payments.comparing import (
    a_round,
    agrees,
    by_hand,
    counted,
    of_objects,
    paid,
    post,
    rounds,
    seen,
    topped_up,
    withdrawn,
)
from tests.payments.till import Till, soon

ESCROW, OWED = ledger.escrow(BOOKING), ledger.refund_owed(BOOKING)
LESS, MORE = PRICE - 1, PRICE + 1
Found = set[tuple[str, int, int]]
CONNECTED = "acct_provider"


@pytest.mark.requirement("ledger", "payment-booking-coupling")
async def test_a_life_in_which_all_goes_right_differs_nowhere(till: Till) -> None:
    await paid(till, payout_account=CONNECTED)
    await agrees(till)
    await till.tell(settle(refund=1000, release=PRICE - 1000))
    await topped_up(till, 3000)
    await agrees(till)
    await withdrawn(till, 1200)
    wallet = authorize(
        booking_id=(other := uuid4()), payment=PaymentChoice(method="wallet"), expires_at=soon(till.bench)
    )
    await till.tell(wallet.model_copy(update={"amount": wallet.amount.model_copy(update={"amount": 800})}))
    await till.tell(capture().model_copy(update={"booking_id": other}))
    await agrees(till)
    await rounds(till)
    assert await seen(till) == set()
    (total,) = await operator.totals(await till.engine.session.connection())
    assert (total["opening_balance_minor"], total["opening_clearing_minor"]) == (0, 0)


@pytest.mark.requirement("ledger", "wallet")
async def test_a_foreign_refund_of_a_top_up(till: Till) -> None:
    intent = await topped_up(till, 4500)
    await agrees(till)
    refund = await by_hand(till, intent, 4500)
    await rounds(till)
    assert await counted(till) == {
        ("refund", refund, 0, -4500),
        ("balance", "stripe:clearing", 4500, 0),
    }
    connection = await till.engine.session.connection()
    (line, _) = sorted(await operator.not_agreeing(connection, days=0), key=lambda one: one["kind"], reverse=True)
    assert (line["customer_id"], line["payment_intent"], line["currency"]) == ("bob", intent, "EUR")


@pytest.mark.requirement("ledger", "wallet")
async def test_a_withdrawal_that_the_bank_sent_back(till: Till) -> None:
    await topped_up(till, 4500)
    refund = await withdrawn(till, 4500)
    await agrees(till)
    await till.bench.control("POST", f"/refunds/{refund}/fail")
    await rounds(till)
    assert await of_objects(till) == {("refund", refund, -4500, 0)}


@pytest.mark.requirement("ledger", "chargebacks")
async def test_a_dispute_that_nobody_told_of(till: Till) -> None:
    intent = await topped_up(till, 4500)
    await agrees(till)
    dispute = (await till.bench.control("POST", "/disputes", {"payment_intent": intent}))["id"]
    await rounds(till)
    assert await of_objects(till) == {("dispute", dispute, 0, -4500)}


@pytest.mark.requirement("ledger", "wallet")
async def test_money_that_the_card_and_the_wallet_both_have(till: Till) -> None:
    """Refunded by hand while all of it was locked for a withdrawal, which then was refused."""
    intent = await topped_up(till, 4500)
    lock, back = ((ledger.available("bob"), ledger.locked("bob")), (ledger.locked("bob"), ledger.available("bob")))
    await post(till, "withdrawal", *ledger.move("EUR", 4500, debit=lock[0], credit=lock[1]))
    await agrees(till)
    refund = await by_hand(till, intent, 4500)
    await post(till, f"refund at Stripe:{refund}", *ledger.move("EUR", 4500, debit=REFUND_LOSSES, credit=CLEARING))
    (top_up,) = await till.engine.fetch("SELECT command_id FROM top_up")
    await till.engine.fetch(
        """
        INSERT INTO dashboard_refund (stripe_refund, customer_id, top_up_id, payment_intent, amount_minor, currency,
                                      lost_minor, failed)
        VALUES ($1, 'bob', $2, $3, 4500, 'EUR', 4500, false)
        """,
        refund,
        top_up["command_id"],
        intent,
    )
    await agrees(till)
    await post(till, "withdrawal", *ledger.move("EUR", 4500, debit=back[0], credit=back[1]))
    await rounds(till)
    assert await counted(till) == {("loss", refund, 4500, 0)}


@pytest.mark.requirement("ledger", "refund-logic")
async def test_a_refund_by_hand_with_somebodys_metadata(till: Till) -> None:
    intent = await paid(till)
    await agrees(till)
    refund = await by_hand(till, intent, 1000, refund_id="RF-77", part_id="7")
    await rounds(till)
    assert await of_objects(till) == {("refund", refund, 0, -1000)}
    (line,) = await till.engine.fetch("SELECT booking_id FROM stripe_difference WHERE kind = 'refund'")
    assert line["booking_id"] == BOOKING


@pytest.mark.requirement("ledger", "refund-logic")
async def test_a_release_that_was_taken_for_a_refund(till: Till) -> None:
    """A row and a posting for a refund of Stripe's that moved nothing."""
    intent = await paid(till)
    await agrees(till)
    await till.engine.fetch(
        """
        INSERT INTO refund (refund_id, booking_id, number, attempt, payment_intent, amount_minor, status, stripe_refund,
                            calling, tries)
        VALUES ($1, $2, 1, 1, $3, 2500, 'succeeded', 're_release', false, 1)
        """,
        uuid4(),
        BOOKING,
        intent,
    )
    await till.engine.fetch("UPDATE payment SET refunded_minor = 2500")
    await post(till, "refund at Stripe:re_release", *ledger.move("EUR", 2500, debit=ESCROW, credit=CLEARING))
    await rounds(till)
    assert await of_objects(till) == {("refund", "re_release", -2500, 0)}


@pytest.mark.requirement("ledger", "chargebacks")
async def test_a_lost_dispute_that_was_won_after_all(till: Till) -> None:
    intent = await paid(till)
    dispute = (await till.bench.control("POST", "/disputes", {"payment_intent": intent}))["id"]
    await till.bench.control("POST", f"/disputes/{dispute}/close", {"status": "lost"})
    await till.sweep()
    await agrees(till)
    world = till.bench.simulator._api.world
    found = world.disputes.at_path(dispute)
    found.status = "won"
    found.movements = (*found.movements, world.move("dispute_reversal", PRICE, "eur", dispute))
    world.emit("charge.dispute.updated", found, intent)
    await rounds(till)
    assert await of_objects(till) == {("dispute", dispute, -PRICE, 0)}


@pytest.mark.requirement("ledger", "provider-payouts")
async def test_a_transfer_that_was_taken_back(till: Till) -> None:
    await paid(till, payout_account=CONNECTED)
    await till.tell(settle(release=PRICE))
    await agrees(till)
    (transfer,) = await till.bench.state("transfers")
    await till.bench.api.v1.transfers.reversals.create_async(transfer["id"], {"amount": 1000})
    await rounds(till)
    assert await of_objects(till) == {("transfer", transfer["id"], -4050, -3050)}


@pytest.mark.requirement("ledger", "payment-booking-coupling")
async def test_a_charge_that_we_do_not_know_and_one_that_stripe_does_not(till: Till) -> None:
    await paid(till)
    await agrees(till)
    orphan = await till.bench.charged(booking_id=str(uuid4()), attempt="1")
    await till.engine.fetch("UPDATE payment SET payment_intent = 'pi_lost'")
    await rounds(till)
    (mine,) = [one["id"] for one in await till.bench.state("payment_intents") if one["id"] != orphan]
    assert await of_objects(till) == {
        ("charge", orphan, 0, 900),
        ("charge", mine, 0, PRICE),
        ("charge", "pi_lost", PRICE, 0),
    }


@pytest.mark.requirement("ledger")
async def test_a_fee_that_does_not_add_up(till: Till) -> None:
    await paid(till)
    world = till.bench.simulator._api.world
    (charge,) = world.balance_transactions.rows
    charge.fee = 90
    world.balance["eur"] -= 90
    await agrees(till)
    await till.engine.fetch("UPDATE stripe_movement SET fee_minor = 89")
    await rounds(till)
    assert await counted(till) == {("fee", charge.id, PRICE - 89, PRICE - 90)}
    (total,) = await operator.totals(await till.engine.session.connection())
    assert (total["fee_minor"], total["net_minor"]) == (90, PRICE - 90)


@pytest.mark.requirement("ledger")
async def test_money_that_moved_without_a_balance_transaction(till: Till) -> None:
    await paid(till)
    await agrees(till)
    till.bench.simulator._api.world.balance["eur"] += 1
    await rounds(till)
    assert await counted(till) == {("balance", "Stripe's balance", PRICE, PRICE + 1)}


@pytest.mark.requirement("ledger", "escrow")
@pytest.mark.parametrize(
    ("debit", "credit", "found"),
    [
        (ESCROW, COMMISSION, {("escrow", PRICE, PRICE - 1), ("commission", 0, 1)}),
        (
            CLEARING,
            ESCROW,
            {("escrow", PRICE, PRICE + 1), ("clearing", PRICE, PRICE + 1), ("balance", PRICE + 1, PRICE)},
        ),
        (
            ledger.refund_owed(BOOKING),
            CLEARING,
            {("owed", 0, -1), ("clearing", PRICE, PRICE - 1), ("balance", PRICE - 1, PRICE)},
        ),
        (CLEARING, ledger.payable(PROVIDER), {("balance", PRICE + 1, PRICE)}),
    ],
)
async def test_a_cent_in_the_ledger(till: Till, debit: str, credit: str, found: Found) -> None:
    await paid(till)
    await agrees(till)
    await post(till, "by mistake", *ledger.move("EUR", 1, debit=debit, credit=credit))
    await rounds(till)
    assert {(kind, ours, theirs) for kind, _, ours, theirs in await counted(till)} == found


@pytest.mark.requirement("ledger", "wallet")
async def test_a_cent_in_a_wallet(till: Till) -> None:
    intent = await topped_up(till, 4500)
    await agrees(till)
    await till.engine.fetch("UPDATE top_up SET amount_minor = 4501")
    await rounds(till)
    assert await counted(till) == {("charge", intent, 4501, 4500), ("clearing", "bob", 4501, 4500)}


@pytest.mark.requirement("ledger")
@pytest.mark.parametrize(
    ("change", "found"),
    [
        (
            "UPDATE payment SET authorized_minor = authorized_minor + 1, captured_minor = captured_minor + 1",
            {("charge", PRICE + 1, PRICE), ("escrow", 1, 0), ("clearing", PRICE - 999, PRICE - 1000)},
        ),
        ("UPDATE refund SET amount_minor = 1001", {("refund", -1001, -1000), ("clearing", PRICE - 1001, PRICE - 1000)}),
        ("UPDATE payout SET amount_minor = 3149", {("transfer", -3149, -3150)}),
        ("UPDATE payment SET commission_minor = 351", {("commission", 351, 350)}),
    ],
)
async def test_a_cent_in_a_row_that_was_compared_before(
    till: Till, change: str, found: set[tuple[str, int, int]]
) -> None:
    await paid(till, payout_account=CONNECTED)
    await till.tell(settle(refund=1000, release=PRICE - 1000))
    await agrees(till)
    await agrees(till)
    await till.engine.fetch(change)
    await rounds(till)
    assert {(kind, ours, theirs) for kind, _, ours, theirs in await counted(till)} == found


@pytest.mark.requirement("observability", "operations-cli")
async def test_a_difference_is_a_metric_and_a_row_until_it_is_gone(till: Till) -> None:
    intent = await paid(till)
    await agrees(till)
    refund = await by_hand(till, intent, 1000)
    await rounds(till)
    await gauges.look(till.pool)
    assert metrics.not_agreeing.labels("refund")._value.get() == 1
    assert metrics.compared_seconds._value.get() < 60
    await till.sweep()
    await a_round(till)
    await gauges.look(till.pool)
    assert metrics.not_agreeing.labels("refund")._value.get() == 0
    connection = await till.engine.session.connection()
    assert await operator.not_agreeing(connection, days=-1) == [], "the test's clock is ahead of the database's"
    gone = {(one["kind"], one["subject"]) for one in await operator.not_agreeing(connection, days=1)}
    assert gone == {("refund", refund), ("balance", "stripe:clearing")}


@pytest.mark.requirement("ledger", "provider-payouts")
async def test_a_transfer_that_only_we_know_of(till: Till) -> None:
    """A late payout touches no account of the booking's, and nothing has moved at Stripe."""
    await paid(till)
    await till.tell(settle(release=PRICE))
    await rounds(till)
    await till.engine.fetch("UPDATE payout SET status = 'paid', account = 'acct_1', transfer_id = 'tr_never_made'")
    await post(till, "payout", *ledger.move("EUR", 4050, debit=ledger.payable(PROVIDER), credit=CLEARING))
    await rounds(till)
    assert await of_objects(till) == {("transfer", "tr_never_made", -4050, 0)}
    (line,) = await till.engine.fetch("SELECT booking_id FROM stripe_difference WHERE kind = 'transfer'")
    assert line["booking_id"] == BOOKING
