"""Metadata, expansion and the states between: docs.stripe.com/metadata, /expand, /payments/paymentintents/lifecycle."""

import pytest
import stripe

from tests.simulator.conftest import Bench


@pytest.mark.parametrize(
    ("metadata", "status"),
    [
        ({"k" * 40: "v" * 500}, 200),
        ({"k" * 41: "v"}, 400),
        ({"k": "v" * 501}, 400),
        ({f"k{number}": "v" for number in range(50)}, 200),
        ({f"k{number}": "v" for number in range(51)}, 400),
    ],
)
async def test_limits_of_metadata(bench: Bench, metadata: dict[str, str], status: int) -> None:
    form = {f"metadata[{key}]": value for key, value in metadata.items()}
    answered, _, body = await bench.post("/v1/payment_intents", {"amount": "500", "currency": "eur"} | form)
    assert answered == status, body
    if status == 200:
        assert body["metadata"] == metadata


async def test_metadata_is_merged_below_the_limit(bench: Bench) -> None:
    many = {f"metadata[k{number}]": "v" for number in range(50)}
    _, _, made = await bench.post("/v1/payment_intents", {"amount": "500", "currency": "eur"} | many)
    path = f"/v1/payment_intents/{made['id']}"
    assert (await bench.post(path, {"metadata[more]": "v"}))[0] == 400
    assert (await bench.post(path, {"metadata[more]": "v", "metadata[k0]": ""}))[0] == 200
    assert (await bench.post(path, {"metadata": ""}))[2]["metadata"] == {}


async def test_a_charges_refunds_are_a_list_when_asked_for(bench: Bench) -> None:
    intent = await bench.captured()
    for _ in range(11):
        await bench.sdk.v1.refunds.create_async({"payment_intent": intent.id, "amount": 100})
    charges = bench.sdk.v1.charges
    bare = await charges.retrieve_async(str(intent.latest_charge))
    assert "refunds" not in bare
    full = await charges.retrieve_async(str(intent.latest_charge), {"expand": ["refunds"]})
    assert full.refunds is not None
    assert (len(full.refunds.data), full.refunds.has_more) == (10, True)
    nested = await bench.sdk.v1.payment_intents.retrieve_async(intent.id, {"expand": ["latest_charge.refunds"]})
    assert isinstance(nested.latest_charge, stripe.Charge)
    assert nested.latest_charge.refunds is not None
    listed = await charges.list_async({"expand": ["data.refunds", "data.payment_intent"]})
    assert isinstance(listed.data[0].payment_intent, stripe.PaymentIntent)
    refunds = await bench.sdk.v1.refunds.list_async({"expand": ["data.charge.payment_intent"]})
    assert isinstance(refunds.data[0].charge, stripe.Charge)


@pytest.mark.parametrize("path", ["colour", "latest_charge.colour", "a.b.c.d.e"])
async def test_what_cannot_be_expanded(bench: Bench, path: str) -> None:
    intent = await bench.captured()
    with pytest.raises(stripe.InvalidRequestError, match="expand"):
        await bench.sdk.v1.payment_intents.retrieve_async(intent.id, {"expand": [path]})


@pytest.mark.parametrize(("success", "status"), [(True, "requires_capture"), (False, "requires_payment_method")])
async def test_a_bank_that_answers_later(bench: Bench, success: bool, status: str) -> None:
    intent = await bench.authorised("pm_card_processing")
    assert (intent.status, intent.latest_charge) == ("processing", None)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        await bench.sdk.v1.payment_intents.cancel_async(intent.id)
    assert refusal.value.code == "payment_intent_unexpected_state"
    await bench.control("POST", f"/processing/{intent.id}", {"success": success})
    assert (await bench.sdk.v1.payment_intents.retrieve_async(intent.id)).status == status
    await bench.control("POST", f"/processing/{intent.id}", {"success": success}, status=400)
    assert "payment_intent.processing" in await bench.inbox.until(lambda types: len(types) >= 4)
