"""What Stripe's words mean: declines, disputes, events, findings; and what covers a refund made by hand."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from booking_contracts.types import Money

from services.payments.model import declines
from services.payments.model.chargeback import Outcome, outcome_of
from services.payments.model.dashboard_refund import cover
from services.payments.model.declines import Decline, decline
from services.payments.model.payment import Payment, Status
from services.payments.model.reconciliation import Finding, Repair, repair
from services.payments.model.refund import RETRY_AFTER, Refund
from services.payments.model.wallet import TopUp, newest_first
from tests.payments.builders import BOOKING, INTENT, NOW, PAYMENT, World

NOT_SO = "This payment cannot be made by card; nothing was charged."


@pytest.mark.requirement("failure-handling")
@pytest.mark.parametrize(
    ("error", "issuer", "of_request", "told"),
    [
        (None, None, False, Decline("generic_decline", True, declines.GENERAL)),
        ("card_declined", "lost_card", False, Decline("lost_card", True, declines.GENERAL)),
        ("expired_card", None, False, Decline("expired_card", True, declines.SENTENCES["expired_card"])),
        ("payment_intent_authentication_failure", None, False, declines.ACTION_FAILED),
        (
            "card_declined",
            "insufficient_funds",
            False,
            Decline("INSUFFICIENT_FUNDS", True, "There is not enough money on the card; nothing was charged."),
        ),
        (
            "amount_too_small",
            None,
            True,
            Decline("amount_too_small", False, "This amount cannot be paid by card; nothing was charged."),
        ),
        ("resource_missing", None, True, Decline("resource_missing", True, declines.SENTENCES["resource_missing"])),
        ("whatever", None, True, Decline("whatever", False, NOT_SO)),
    ],
)
def test_a_decline(error: str | None, issuer: str | None, of_request: bool, told: Decline) -> None:
    assert decline(error, issuer, of_request=of_request) == told


@pytest.mark.requirement("failure-handling")
def test_an_amount_that_no_card_can_be_charged_is_explained() -> None:
    assert declines.not_chargeable(Money(amount=5120, currency="KWD")) is None
    found = declines.not_chargeable(Money(amount=5124, currency="KWD"))
    assert found is not None
    assert found.customer_message == (
        "A card is charged in steps of 10 minor units of KWD, and this amount is none of them; nothing was charged."
    )


@pytest.mark.requirement("chargebacks")
@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("won", Outcome.WON),
        ("lost", Outcome.LOST),
        ("needs_response", Outcome.OPEN),
        ("under_review", Outcome.OPEN),
        ("warning_needs_response", None),
        ("prevented", None),
    ],
)
def test_a_disputes_status(status: str, outcome: Outcome | None) -> None:
    assert outcome_of(status) is outcome


@pytest.mark.requirement("webhooks")
def test_an_event_is_news_unless_the_payment_shows_it() -> None:
    payment = Payment(BOOKING, PAYMENT, "correlation", status=Status.REQUIRES_ACTION, action="authenticate")
    assert payment.shows("payment_intent.requires_action")
    assert not replace(payment, action="payment_method").shows("payment_intent.requires_action")
    assert not payment.shows("payment_intent.succeeded")
    assert replace(payment, status=Status.CAPTURED).shows("payment_intent.succeeded")
    assert payment.shows("payment_intent.created"), "of a type that changes nothing"


@pytest.mark.requirement("payment-booking-coupling")
def test_a_payment_that_still_waits_for_its_authorisation_is_looked_at() -> None:
    world = World().authorized()
    waits = replace(world.payment, status=Status.REQUIRES_ACTION, action="authenticate", calling=None)
    assert repair(waits, Finding(INTENT, 1, "requires_capture")) is Repair.LOOK
    assert repair(waits, Finding(INTENT, 1, "requires_action")) is Repair.NOTHING


@pytest.mark.requirement("refund-logic")
def test_a_refund_is_tried_again_after_each_wait_and_then_parked() -> None:
    refund = Refund(UUID(int=1), BOOKING, 1, 1, INTENT, 900)
    waits = [replace(refund, tries=tries).retry_after("declined") for tries in range(1, len(RETRY_AFTER) + 2)]
    assert waits == [*RETRY_AFTER, None]
    assert refund.retry_after("lost_or_stolen_card") is None


@pytest.mark.requirement("refund-logic")
def test_what_a_refund_by_hand_stands_for() -> None:
    failed = Refund(UUID(int=1), BOOKING, 1, 1, INTENT, 900)
    exact = cover(900, [failed], 500)
    assert (exact.instead_of, exact.owed_minor, exact.escrow_minor, exact.lost_minor) == (failed, 900, 0, 0)
    more = cover(1000, [failed], 500)
    assert (more.instead_of, more.owed_minor, more.escrow_minor, more.lost_minor) == (failed, 900, 100, 0)
    less = cover(400, [failed], 500)
    assert (less.less_of, less.owed_minor, less.escrow_minor, less.lost_minor) == (failed, 400, 0, 0)
    none = cover(600, [], 500)
    assert (none.owed_minor, none.escrow_minor, none.lost_minor) == (0, 500, 100)


@pytest.mark.requirement("wallet")
def test_top_ups_of_one_instant_have_an_order() -> None:
    top_ups = [TopUp(UUID(int=number), "bob", 900, "EUR", NOW) for number in (2, 3, 1)]
    assert [top_up.command_id.int for top_up in newest_first(top_ups)] == [3, 2, 1]
