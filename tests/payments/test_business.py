"""Money for dashboards, against the ledger (requirements observability, ledger)."""

from __future__ import annotations

import pytest
from prometheus_client import REGISTRY

from services.payments import business
from services.payments.local_messages import TransferReversed, TransferSeen
from services.payments.model.payout import Payout
from tests.payments.builders import BOOKING, PRICE, World, authorize, capture, settle
from tests.payments.till import Till

pytestmark = pytest.mark.requirement("observability", "ledger")


def held(account: str = "escrow") -> float | None:
    return REGISTRY.get_sample_value("booking_money_held_minor", {"account": account, "currency": "EUR"})


def posted(account: str, cause: str, side: str = "in") -> float:
    labels = {"account": account, "cause": cause, "currency": "EUR", "side": side}
    return REGISTRY.get_sample_value("booking_ledger_minor_total", labels) or 0


async def test_what_is_captured_is_held_until_it_is_released(till: Till) -> None:
    before = posted("escrow", "capture"), posted("provider", "settle"), posted("commission", "settle")
    await till.tell(authorize(), capture())
    await business.look(till.pool)
    assert held() == PRICE
    await till.tell(settle(release=PRICE))
    await business.look(till.pool)
    assert held() is None
    commission = PRICE * authorize().commission_bps // 10_000
    after = posted("escrow", "capture"), posted("provider", "settle"), posted("commission", "settle")
    assert [new - old for new, old in zip(after, before, strict=True)] == [PRICE, PRICE - commission, commission]


def test_a_transfer_that_came_back_is_no_money_released_anew() -> None:
    world = World()
    world.captured(payout_account="acct_1")
    world.tell(settle(release=PRICE))
    (payout,) = world.work.all(Payout)
    names = {"booking_id": BOOKING, "payout_id": payout.payout_id, "transfer_id": "tr_1"}
    before = posted("provider", "settle"), posted("provider", "transfer reversed")
    world.tell(TransferSeen.model_validate(names))
    world.tell(TransferReversed.model_validate({**names, "event_id": "e", "reversed_minor": 300}))
    business.count(world.work)
    after = posted("provider", "settle"), posted("provider", "transfer reversed")
    assert [new - old for new, old in zip(after, before, strict=True)] == [payout.amount_minor, 300]
