"""A provider is paid at the account of today: terms are a snapshot, ways to pay somebody are not (provider-payouts)."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from booking_contracts.booking import ProviderRegistered

from services.payments import operator
from services.payments.model import ledger
from tests.payments.builders import PRICE, PROVIDER, authorize, capture, settle
from tests.payments.strange_hands import dispute, now_stands
from tests.payments.till import Till, soon

PAYABLE = ledger.payable(PROVIDER)


async def registered(till: Till, account: str | None, **changes: Any) -> None:
    """Booking tells where the provider is paid; a while passes."""
    told: dict[str, Any] = {"name": "Ann", "email": "ann@example.com", "timezone": "UTC", "refund_policy": "flexible"}
    await till.tell(ProviderRegistered(provider_id=PROVIDER, payout_account=account, **{**told, **changes}))
    await till.engine.fetch("UPDATE provider_account SET changed_at = now() - interval '1 minute'")
    await till.another_round()


async def released(till: Till, **changes: Any) -> None:
    await till.tell(authorize(expires_at=soon(till.bench), **changes))
    await till.tell(capture(), settle(release=PRICE))


async def paid_to(till: Till) -> list[str]:
    return [one["destination"] for one in await till.bench.state("transfers")]


async def waiting(till: Till) -> list[str]:
    return [one.failure for one in await operator.waiting(await till.engine.session.connection())]


@pytest.mark.requirement("provider-payouts", "operations-cli")
async def test_what_waited_is_paid_out_when_an_account_comes(till: Till) -> None:
    await released(till)
    await registered(till, None)
    assert (await paid_to(till), await waiting(till)) == ([], ["no_account"])
    await registered(till, "acct_new")
    assert (await paid_to(till), await waiting(till), await till.balance(PAYABLE)) == (["acct_new"], [], 0)
    await registered(till, "acct_newer")
    assert await paid_to(till) == ["acct_new"]


@pytest.mark.requirement("provider-payouts")
@pytest.mark.parametrize("terms", [None, "acct_old", "acct_closed_old"])
async def test_the_account_of_today_counts_not_that_of_the_terms(till: Till, terms: str | None) -> None:
    await till.tell(authorize(expires_at=soon(till.bench), payout_account=terms))
    await registered(till, "acct_today")
    await till.tell(capture(), settle(release=PRICE))
    assert (await paid_to(till), await till.balance(PAYABLE)) == (["acct_today"], 0)


@pytest.mark.requirement("provider-payouts")
async def test_who_has_no_account_any_more_waits(till: Till) -> None:
    await till.tell(authorize(expires_at=soon(till.bench), payout_account="acct_old"))
    await registered(till, None)
    await till.tell(capture(), settle(release=PRICE))
    assert (await paid_to(till), await waiting(till)) == ([], ["no_account"])


@pytest.mark.requirement("provider-payouts")
@pytest.mark.parametrize("parked", [False, True])
async def test_what_failed_at_a_replaced_account_goes_to_the_new_one(till: Till, parked: bool) -> None:
    await released(till, payout_account="acct_closed_1")
    if parked:
        await till.engine.fetch("UPDATE payout SET status = 'parked', tries = 5")
    await registered(till, "acct_closed_1")
    assert await waiting(till) == ["insufficient_capabilities_for_transfer"], "nothing new to try"
    await registered(till, "acct_new")
    assert (await paid_to(till), await waiting(till)) == (["acct_new"], [])
    assert (await till.events()).count("PayoutPaid") == 1


@pytest.mark.requirement("provider-payouts")
async def test_an_account_just_told_is_left_alone_for_a_moment(till: Till) -> None:
    """After a restore the older accounts are told again, in order: none of them is paid to."""
    await released(till)
    for account in ("acct_1", "acct_2", "acct_3"):
        await till.tell(
            ProviderRegistered(
                provider_id=PROVIDER,
                name="Ann",
                email="ann@example.com",
                timezone="UTC",
                refund_policy="flexible",
                payout_account=account,
            )
        )
        await till.another_round()
    assert await paid_to(till) == []
    await registered(till, "acct_3")
    assert await paid_to(till) == ["acct_3"]


@pytest.mark.requirement("provider-payouts", "chargebacks")
async def test_what_an_overturned_dispute_releases_goes_to_the_account_of_today(till: Till) -> None:
    """Nobody asks to settle then: the dispute's end does."""
    await till.tell(authorize(expires_at=soon(till.bench), payout_account="acct_old"), capture())
    found = await dispute(till)
    await now_stands(till, found, "lost")
    await till.tell(settle(release=PRICE))
    await registered(till, "acct_today")
    await now_stands(till, found, "won")
    assert (await paid_to(till), await till.balance(PAYABLE)) == (["acct_today"], 0)


@pytest.mark.requirement("provider-payouts")
@pytest.mark.parametrize("today", [None, "acct_new"])
async def test_a_later_try_goes_to_the_account_of_today(till: Till, today: str | None) -> None:
    """Also where the timer is quicker than the look for replaced accounts, or where there is none any more."""
    await released(till, payout_account="acct_closed_1")
    await till.engine.fetch("INSERT INTO provider_account (provider_id, account) VALUES ($1, $2)", PROVIDER, today)
    till.bench.later(hours=2)
    await till.settle()
    asked = await till.engine.fetch("SELECT parameters FROM gateway_call WHERE operation = 'transfer'")
    to = [json.loads(one["parameters"])["destination"] for one in asked]
    assert to == (["acct_closed_1"] if today is None else ["acct_closed_1", "acct_new"])
    assert await waiting(till) == (["no_account"] if today is None else [])


@pytest.mark.requirement("provider-payouts")
@pytest.mark.parametrize("today", [None, "acct_new"])
async def test_what_waited_never_goes_to_the_account_of_a_command_that_is_older(till: Till, today: str | None) -> None:
    """A later booking's AuthorizePayment was held up, while the provider changed the account."""
    await released(till)
    assert await waiting(till) == ["no_account"]
    await till.engine.fetch("INSERT INTO provider_account (provider_id, account) VALUES ($1, $2)", PROVIDER, today)
    await till.tell(authorize(booking_id=uuid4(), payout_account="acct_old", expires_at=soon(till.bench)))
    assert await paid_to(till) == ([] if today is None else ["acct_new"])
