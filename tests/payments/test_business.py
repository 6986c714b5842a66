"""Money for dashboards, against the ledger (requirements observability, ledger)."""

from __future__ import annotations

import pytest
from prometheus_client import REGISTRY

from services.payments import business
from tests.payments.builders import PRICE, authorize, capture, settle
from tests.payments.till import Till

pytestmark = pytest.mark.requirement("observability", "ledger")


def held(account: str = "escrow") -> float | None:
    return REGISTRY.get_sample_value("booking_money_held_minor", {"account": account, "currency": "EUR"})


def posted(account: str, side: str) -> float:
    labels = {"account": account, "currency": "EUR", "side": side}
    return REGISTRY.get_sample_value("booking_ledger_minor_total", labels) or 0


async def test_what_is_captured_is_held_until_it_is_released(till: Till) -> None:
    before = posted("escrow", "in"), posted("provider", "in"), posted("commission", "in")
    await till.tell(authorize(), capture())
    await business.look(till.pool)
    assert held() == PRICE
    await till.tell(settle(release=PRICE))
    await business.look(till.pool)
    assert held() is None
    commission = PRICE * authorize().commission_bps // 10_000
    after = posted("escrow", "in"), posted("provider", "in"), posted("commission", "in")
    assert [new - old for new, old in zip(after, before, strict=True)] == [PRICE, PRICE - commission, commission]
