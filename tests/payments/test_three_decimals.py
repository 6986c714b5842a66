"""Currencies with three decimals: Stripe takes them in steps of ten, so no share of one ends otherwise (escrow)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
import stripe
from booking_contracts.codes import Code, Rejected
from booking_contracts.currencies import THREE_DECIMALS_BY_CARD
from booking_contracts.payments import PaymentDeclined, PaymentSettled, SettlePayment, TopUpWallet, WithdrawFromWallet
from booking_contracts.types import Actor, Money, PaymentChoice, Price

from services.payments.local_messages import TopUpSeen
from services.payments.model import declines, ledger
from services.payments.model.wallet import Balance
from services.payments.stripe_calls.api import Refusal, judge
from tests.payments.builders import BOOKING, PAYMENT, PROVIDER, World, authorize, capture
from tests.payments.test_gateway import asked
from tests.payments.till import StripeBench, Till, soon

BOB = Actor(kind="customer", id="bob")


def kwd(amount: int) -> Money:
    return Money(amount=amount, currency="KWD")


def settle_kwd(refund: int, release: int) -> SettlePayment:
    return SettlePayment(
        booking_id=BOOKING,
        payment_id=PAYMENT,
        attempt=1,
        settlement_id=uuid4(),
        refund=kwd(refund),
        release=kwd(release),
    )


@pytest.mark.requirement("failure-handling")
@pytest.mark.parametrize("currency", sorted(THREE_DECIMALS_BY_CARD))
def test_a_price_that_no_card_can_be_charged_is_declined_and_says_so(currency: str) -> None:
    world = World()
    world.tell(authorize(amount=Price(amount=5124, currency=currency)))
    declined = world.last(PaymentDeclined)
    assert (declined.code, declined.retryable, world.calls) == ("amount_not_in_card_steps", False, [])
    assert currency in declined.customer_message
    world = World()
    world.tell(authorize(amount=Price(amount=5120, currency=currency)))
    assert world.operations == ["authorize"]


@pytest.mark.requirement("wallet")
def test_a_top_up_that_no_card_can_be_charged_is_declined_and_says_so() -> None:
    price = Price(amount=10005, currency="BHD")
    with pytest.raises(Rejected) as refused:
        World().tell(TopUpWallet(customer_id="bob", amount=price, payment_method="pm_1", actor=BOB))
    assert refused.value.code is Code.INVALID_COMMAND
    told = {"field": "amount", "decline_code": "amount_not_in_card_steps", "retryable": False}
    assert told.items() <= refused.value.details.items()


@pytest.mark.requirement("wallet", "failure-handling")
async def test_a_top_up_that_stripe_refuses_is_not_the_cards_fault(till: Till) -> None:
    async def reply_to(amount: int, currency: str, card: str = "pm_card_visa") -> dict[str, Any]:
        price = Price(amount=amount, currency=currency)
        await till.tell(TopUpWallet(customer_id="bob", amount=price, payment_method=card, actor=BOB))
        sent = (await till.engine.sent())[-1]
        return {"code": sent.body["code"], **sent.body["details"]}

    refused = {"code": "INVALID_COMMAND", "field": "amount", "retryable": False}
    assert await reply_to(49, "EUR") == {**refused, "decline_code": "amount_too_small"}
    assert await reply_to(5000, "IQD") == {**refused, "decline_code": "refused"}
    declined = await reply_to(5000, "EUR", "pm_card_chargeDeclined")
    assert declined == {"code": "CARD_DECLINED", "decline_code": "generic_decline", "retryable": True}
    assert (await reply_to(5000, "EUR", "pm_unknown"))["code"] == "CARD_DECLINED"


@pytest.mark.requirement("wallet")
def test_a_wallet_pays_any_amount_and_gets_it_back_exactly() -> None:
    world = World()
    world.work.load(Balance(ledger.available("bob"), "KWD", 5125))
    wallet = PaymentChoice(method="wallet")
    world.tell(authorize(amount=Price(amount=5125, currency="KWD"), payment=wallet, payout_account="acct_1"))
    world.tell(capture())
    world.tell(settle_kwd(1003, 4122))
    settled = world.last(PaymentSettled)
    assert (settled.refund, settled.release) == (kwd(1003), kwd(4122))
    assert (settled.commission, settled.provider_amount) == (kwd(412), kwd(3710))
    assert ledger.unbalanced(world.entries) == {}


@pytest.mark.requirement("wallet")
def test_a_withdrawal_that_no_card_takes_is_refused_before_anything_moves() -> None:
    world = World()
    command_id = uuid4()
    price = Price(amount=5000, currency="KWD")
    world.tell(TopUpWallet(customer_id="bob", amount=price, payment_method="pm_1", actor=BOB), message_id=command_id)
    world.tell(TopUpSeen(command_id=command_id, customer_id="bob", payment_intent="pi_1", status="succeeded"))

    def withdraw(amount: int) -> Rejected:
        with pytest.raises(Rejected) as refused:
            world.tell(WithdrawFromWallet(customer_id="bob", amount=Price(amount=amount, currency="KWD"), actor=BOB))
        return refused.value

    refused = withdraw(2505)
    assert (refused.code, refused.details["field"]) == (Code.INVALID_COMMAND, "amount")
    assert refused.details["problem"] == "must be a multiple of 10 minor units"
    world.work.load(Balance(ledger.available("bob"), "KWD", 4003))
    refused = withdraw(4010)
    assert refused.details["withdrawable"] == {"amount": 4000, "currency": "KWD"}


@pytest.mark.requirement("refund-logic", "provider-payouts", "ledger")
@pytest.mark.parametrize(("refund", "release"), [(2255, 2255), (0, 4510), (4510, 0), (1, 4509), (3333, 1177)])
async def test_every_settlement_reaches_payer_and_provider(till: Till, refund: int, release: int) -> None:
    """Also one that booking would not ask for: Stripe refuses neither the refund nor the transfer."""
    price = Price(amount=4510, currency="KWD")
    await till.tell(authorize(expires_at=soon(till.bench), amount=price, payout_account="acct_1"))
    await till.tell(capture())
    await till.tell(settle_kwd(refund, release))
    events = await till.events()
    assert not {"RefundFailed", "PayoutFailed"} & set(events)
    refunded = sum(one["amount"] for one in await till.bench.state("refunds"))
    transferred = sum(one["amount"] for one in await till.bench.state("transfers"))
    assert refund <= refunded < refund + 10
    commission = await till.balance(ledger.COMMISSION)
    assert refunded + transferred + commission == 4510
    assert -await till.balance(ledger.CLEARING) == commission
    assert await till.balance(ledger.escrow(BOOKING)) == await till.balance(ledger.payable(PROVIDER)) == 0


@pytest.mark.requirement("failure-handling")
async def test_a_refused_request_is_not_the_cards_fault(bench: StripeBench) -> None:
    seen = await bench.outcome("authorize", asked(bench, amount_minor=5124, currency="kwd"), "key")
    assert (seen.error_code, seen.of_request) == ("refused", True)
    iqd = await bench.outcome("authorize", asked(bench, currency="iqd"), "key 2")
    assert (iqd.error_code, iqd.of_request) == ("refused", True)
    card = await bench.outcome("authorize", asked(bench, "pm_card_chargeDeclined"), "key 3")
    assert (card.error_code, card.of_request) == ("card_declined", False)
    unknown = await bench.outcome("authorize", asked(bench, "pm_unknown"), "key 4")
    assert (unknown.error_code, unknown.of_request) == ("resource_missing", False)


@pytest.mark.requirement("failure-handling")
def test_only_a_card_is_to_be_replaced_by_another() -> None:
    assert declines.decline("refused", None, of_request=True).retryable is False
    assert "another card" not in declines.decline("refused", None, of_request=True).customer_message
    assert declines.decline("card_declined", "generic_decline").retryable is True
    assert declines.decline("resource_missing", of_request=True).retryable is True
    world = World()
    world.tell(authorize())
    world.stripe_says("", error_code="refused", of_request=True)
    assert world.last(PaymentDeclined).retryable is False


def test_a_refusal_about_the_named_payment_method_is_the_payers_to_mend() -> None:
    def refusal(param: str | None) -> Refusal:
        body: Any = {"error": {"type": "invalid_request_error", "param": param}}
        error = stripe.InvalidRequestError("no", param, http_status=400, json_body=body)  # type: ignore[no-untyped-call]
        found = judge(error)
        assert isinstance(found, Refusal)
        return found

    assert refusal("payment_method").of_request is False
    assert refusal("currency").of_request is True
    assert refusal(None).of_request is True
