"""Rows and JSON that a newer build wrote: what is unknown is passed over, what is not understood is named."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import pytest
from booking_contracts.types import Customer, Tier

from services.chassis.failures import NewerBuild
from services.chassis.stored import Stored


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True)
class Chair:
    number: int
    colour: Colour | None
    way: Literal["left", "right"]
    tiers: tuple[Tier, ...] = ()


CHAIR = Stored(Chair, "chair")
ROW: dict[str, object] = {"number": 7, "colour": "red", "way": "left", "tiers": ()}


def test_a_column_that_this_build_does_not_know_is_passed_over() -> None:
    assert CHAIR.row({**ROW, "height": 3}) == Chair(7, Colour.RED, "left")


def test_json_may_have_fields_more_also_where_a_command_would_be_refused() -> None:
    customer = '{"id": "bob", "name": "Bob", "email": "bob@example.com", "nickname": "B"}'
    assert Stored(Customer, "contact").json(customer) == Customer(id="bob", name="Bob", email="bob@example.com")
    tier = {"hours_before": 24, "percent": 50, "weekdays": [1]}
    assert CHAIR.row({**ROW, "tiers": [tier]}).tiers == (Tier(hours_before=24, percent=50),)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"colour": "mauve"}, "chair.colour holds 'mauve' that this build does not understand"),
        ({"way": "up"}, "chair.way holds 'up'"),
        ({"tiers": [{"hours_before": 24, "percent": 500}]}, "chair.tiers.0.percent holds a value"),
    ],
)
def test_a_value_that_is_not_understood_is_named_with_table_and_column(changed: dict[str, object], told: str) -> None:
    with pytest.raises(NewerBuild, match=told):
        CHAIR.row({**ROW, **changed})


def test_personal_data_does_not_get_into_the_error() -> None:
    with pytest.raises(NewerBuild) as caught:
        Stored(Customer, "contact.customer").json('{"id": "bob", "name": "Bob", "email": ["bob@example.com"]}')
    assert "contact.customer.email" in str(caught.value)
    assert "bob@" not in str(caught.value)


def test_a_column_that_the_query_lacks_is_a_mistake_and_no_default() -> None:
    with pytest.raises(AssertionError, match=r"chair lacks .*tiers"):
        CHAIR.row({name: value for name, value in ROW.items() if name != "tiers"})
