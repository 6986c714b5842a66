"""Cards, 3-D Secure, captures, cancellations: docs.stripe.com/testing, /payments/place-a-hold."""

import pytest
import stripe

from stripe_simulator.cards import CARDS
from tests.simulator.conftest import Bench

WEEK_SECONDS = 7 * 24 * 3600
DECLINES = [(name, card.decline) for name, card in CARDS.items() if card.decline and not card.authenticate]


async def test_authorise_then_capture(bench: Bench) -> None:
    intent = await bench.authorised()
    assert (intent.status, intent.amount_capturable, intent.amount_received) == ("requires_capture", 4500, 0)
    assert intent.metadata["booking_id"] == "b-1"

    charge = await bench.sdk.v1.charges.retrieve_async(str(intent.latest_charge))
    assert charge.payment_method_details is not None
    assert charge.payment_method_details.card is not None
    assert charge.payment_method_details.card.capture_before == charge.created + WEEK_SECONDS

    done = await bench.sdk.v1.payment_intents.capture_async(intent.id, {"amount_to_capture": 4000})
    assert (done.status, done.amount_capturable, done.amount_received) == ("succeeded", 0, 4000)
    with pytest.raises(stripe.InvalidRequestError) as again:
        await bench.sdk.v1.payment_intents.capture_async(intent.id)
    assert again.value.code == "payment_intent_unexpected_state"
    assert again.value.error is not None
    assert again.value.error.payment_intent is not None
    assert again.value.error.payment_intent.id == intent.id


async def test_capture_above_the_authorisation_is_refused(bench: Bench) -> None:
    intent = await bench.authorised()
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        await bench.sdk.v1.payment_intents.capture_async(intent.id, {"amount_to_capture": 4501})
    assert refusal.value.code == "amount_too_large"
    assert (await bench.sdk.v1.payment_intents.retrieve_async(intent.id)).status == "requires_capture"


@pytest.mark.parametrize(("card", "decline"), DECLINES)
async def test_declined_card(bench: Bench, card: str, decline: object) -> None:
    with pytest.raises(stripe.CardError) as refusal:
        await bench.authorised(card)
    error = refusal.value.error
    assert error is not None
    assert error.payment_intent is not None
    assert refusal.value.http_status == 402
    assert (error.code, error.decline_code) == (CARDS[card].decline.code, CARDS[card].decline.decline_code)  # type: ignore[union-attr]

    intent = await bench.sdk.v1.payment_intents.retrieve_async(error.payment_intent.id)
    assert intent.status == "requires_payment_method"
    assert intent.last_payment_error is not None
    assert intent.last_payment_error.decline_code == error.decline_code
    paid = await bench.sdk.v1.payment_intents.confirm_async(intent.id, {"payment_method": "pm_card_visa"})
    assert paid.status == "requires_capture"


@pytest.mark.parametrize("card", ["pm_card_authenticationRequired", "pm_card_threeDSecure2Required"])
async def test_three_d_secure_passed(bench: Bench, card: str) -> None:
    intent = await bench.authorised(card)
    assert intent.status == "requires_action"
    assert intent.next_action is not None

    await bench.control("POST", f"/authenticate/{intent.id}", {"success": True})
    after = await bench.sdk.v1.payment_intents.retrieve_async(intent.id)
    assert (after.status, after.next_action) == ("requires_capture", None)
    await bench.control("POST", f"/authenticate/{intent.id}", {"success": True}, status=400)


async def test_three_d_secure_failed(bench: Bench) -> None:
    intent = await bench.authorised("pm_card_threeDSecure2Required")
    await bench.control("POST", f"/authenticate/{intent.id}", {"success": False})

    after = await bench.sdk.v1.payment_intents.retrieve_async(intent.id)
    assert after.status == "requires_payment_method"
    assert after.last_payment_error is not None
    assert after.last_payment_error.code == "payment_intent_authentication_failure"


async def test_three_d_secure_passed_then_declined(bench: Bench) -> None:
    intent = await bench.authorised("pm_card_authenticationRequiredChargeDeclinedInsufficientFunds")
    await bench.control("POST", f"/authenticate/{intent.id}", {"success": True})

    after = await bench.sdk.v1.payment_intents.retrieve_async(intent.id)
    assert after.last_payment_error is not None
    assert after.last_payment_error.decline_code == "insufficient_funds"


async def test_a_browser_confirms_with_the_client_secret(bench: Bench) -> None:
    intent = await bench.sdk.v1.payment_intents.create_async(
        {"amount": 4500, "currency": "eur", "capture_method": "manual"}
    )
    assert intent.status == "requires_payment_method"
    url = f"{bench.simulator.api_url}/v1/payment_intents/{intent.id}/confirm"
    browser = {"Authorization": "Bearer pk_test_1"}
    form = {"payment_method": "pm_card_visa", "client_secret": "wrong"}
    async with bench.http.post(url, data=form, headers=browser) as refused:
        assert refused.status == 400
    async with bench.http.post(url, data={"payment_method": "pm_card_visa"}, headers=browser) as refused:
        assert refused.status == 403
    form["client_secret"] = str(intent.client_secret)
    async with bench.http.post(url, data=form, headers=browser) as confirmed:
        assert (await confirmed.json())["status"] == "requires_capture"


async def test_cancel_once(bench: Bench) -> None:
    intent = await bench.authorised()
    gone = await bench.sdk.v1.payment_intents.cancel_async(intent.id)
    assert (gone.status, gone.amount_capturable) == ("canceled", 0)
    with pytest.raises(stripe.InvalidRequestError) as again:
        await bench.sdk.v1.payment_intents.cancel_async(intent.id)
    assert again.value.code == "payment_intent_unexpected_state"


async def test_an_authorisation_expires_after_seven_days(bench: Bench) -> None:
    intent, captured = await bench.authorised(), await bench.captured()
    bench.move_clock(WEEK_SECONDS - 60)
    assert (await bench.sdk.v1.payment_intents.retrieve_async(intent.id)).status == "requires_capture"

    bench.move_clock(WEEK_SECONDS + 1)
    await bench.inbox.until(lambda types: "payment_intent.canceled" in types)
    after = await bench.sdk.v1.payment_intents.retrieve_async(intent.id)
    assert (after.status, after.cancellation_reason) == ("canceled", "automatic")
    assert after.canceled_at is not None
    assert after.canceled_at >= intent.created + WEEK_SECONDS
    assert "charge.expired" in bench.inbox.types()
    assert (await bench.sdk.v1.payment_intents.retrieve_async(captured.id)).status == "succeeded"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"amount": "49"}, "amount_too_small"),
        ({"amount": "49", "currency": "jpy"}, "amount_too_small"),
        ({"amount": "0"}, "parameter_invalid_integer"),
        ({"amount": "ten"}, "parameter_invalid_integer"),
        ({"amount": "100000000"}, "amount_too_large"),
        ({"currency": "xyz"}, None),
        ({"currency": ""}, "parameter_invalid_empty"),
        ({"colour": "red"}, "parameter_unknown"),
        ({"payment_method_types[]": "card"}, "payment_method_types_no_longer_supported"),
        ({"payment_method": "pm_nobody"}, "resource_missing"),
        ({"customer": "cus_nobody"}, "resource_missing"),
        ({"confirm": "true"}, "payment_intent_unexpected_state"),
    ],
)
async def test_refused_parameters(bench: Bench, change: dict[str, str], code: str | None) -> None:
    status, _, body = await bench.post("/v1/payment_intents", {"amount": "4500", "currency": "eur"} | change)
    error = body["error"]
    assert isinstance(error, dict)
    assert (status, error["type"], error.get("code")) == (400, "invalid_request_error", code)
    assert (await bench.sdk.v1.payment_intents.list_async()).data == []


async def test_missing_parameter_and_unknown_object(bench: Bench) -> None:
    status, _, body = await bench.post("/v1/payment_intents", {"currency": "eur"})
    assert (status, body["error"]["code"], body["error"]["param"]) == (400, "parameter_missing", "amount")  # type: ignore[index]
    with pytest.raises(stripe.InvalidRequestError) as unknown:
        await bench.sdk.v1.payment_intents.retrieve_async("pi_nobody")
    assert (unknown.value.http_status, unknown.value.code) == (404, "resource_missing")


async def test_keys_are_asked_for(bench: Bench) -> None:
    async with bench.http.get(bench.simulator.api_url + "/v1/payment_intents") as answer:
        assert answer.status == 401


async def test_saving_a_card(bench: Bench) -> None:
    customer = await bench.sdk.v1.customers.create_async({"email": "a@example.com"})
    setup = await bench.sdk.v1.setup_intents.create_async(
        {"customer": customer.id, "payment_method": "pm_card_visa", "confirm": True}
    )
    assert setup.status == "succeeded"
    methods = await bench.sdk.v1.payment_methods.list_async({"customer": customer.id})
    assert [method.id for method in methods.data] == [setup.payment_method]
    paid = await bench.authorised(str(setup.payment_method))
    assert paid.payment_method == setup.payment_method


@pytest.mark.parametrize(
    ("currency", "amount", "code"),
    [
        ("kwd", 5124, None),
        ("bhd", 10005, None),
        ("isk", 45050, "invalid_charge_amount_no_decimal_compatible"),
        ("ugx", 450010, "invalid_charge_amount_no_decimal_compatible"),
    ],
)
async def test_amounts_between_the_steps_of_a_currency_are_refused(
    bench: Bench, currency: str, amount: int, code: str | None
) -> None:
    intents = bench.sdk.v1.payment_intents
    with pytest.raises(stripe.InvalidRequestError, match="evenly divisible") as refusal:
        await intents.create_async({"amount": amount, "currency": currency})
    assert (refusal.value.code, refusal.value.http_status) == (code, 400)
    assert (await intents.create_async({"amount": amount * 100, "currency": currency})).amount == amount * 100


async def test_captures_refunds_and_transfers_have_the_same_steps(bench: Bench) -> None:
    api = bench.sdk.v1
    intent = await api.payment_intents.create_async(
        {
            "amount": 4510,
            "currency": "kwd",
            "capture_method": "manual",
            "confirm": True,
            "payment_method": "pm_card_visa",
            "allowed_payment_method_types": ["card"],
        }
    )
    with pytest.raises(stripe.InvalidRequestError, match="evenly divisible by 10"):
        await api.payment_intents.capture_async(intent.id, {"amount_to_capture": 4505})
    await api.payment_intents.capture_async(intent.id)
    with pytest.raises(stripe.InvalidRequestError, match="evenly divisible by 10"):
        await api.refunds.create_async({"payment_intent": intent.id, "amount": 2255})
    with pytest.raises(stripe.InvalidRequestError, match="evenly divisible by 10"):
        await api.transfers.create_async({"amount": 2255, "currency": "kwd", "destination": "acct_1"})
    assert (await api.refunds.create_async({"payment_intent": intent.id, "amount": 2260})).status == "succeeded"
