"""Prices that no card can be charged are refused where they are named (price-integrity)."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from booking_contracts.booking import DefineOffering
from booking_contracts.currencies import THREE_DECIMALS_BY_CARD
from pydantic import ValidationError


def define(amount: int, currency: str) -> DefineOffering:
    fields: dict[str, Any] = {
        "offering_id": str(uuid4()),
        "provider_id": str(uuid4()),
        "title": "A lesson",
        "duration_minutes": 60,
        "capacity": 1,
        "approval": False,
        "price": {"amount": amount, "currency": currency},
        "actor": {"kind": "provider", "id": "p"},
    }
    return DefineOffering.model_validate_json(json.dumps(fields))


@pytest.mark.requirement("price-integrity")
@pytest.mark.parametrize("currency", sorted(THREE_DECIMALS_BY_CARD))
@pytest.mark.parametrize("amount", [1, 5124, 10005])
def test_three_decimals_end_in_nought(currency: str, amount: int) -> None:
    with pytest.raises(ValidationError, match="multiple of 10") as refused:
        define(amount, currency)
    assert refused.value.errors()[0]["loc"] == ("price", "amount")
    assert define(amount * 10, currency).price.amount == amount * 10


@pytest.mark.parametrize("currency", ["EUR", "JPY", "HUF", "TWD", "IQD", "LYD"])
def test_other_currencies_have_no_steps(currency: str) -> None:
    assert define(5121, currency).price.amount == 5121
