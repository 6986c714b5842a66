"""Refund tiers and rounding."""

from datetime import timedelta

import pytest
from booking_contracts.currencies import THREE_DECIMALS_BY_CARD
from booking_contracts.types import SYSTEM, Money
from hypothesis import given
from hypothesis import strategies as st

from services.booking.model import refunds
from services.booking.model.refunds import POLICIES, percent_due, share
from tests.booking.builders import NOW, START, TEACHER, World, acting


@pytest.mark.requirement("refund-policy")
@pytest.mark.parametrize(
    ("policy", "hours", "percent"),
    [
        ("flexible", 24, 100),
        ("flexible", 23.99, 50),
        ("flexible", 2, 50),
        ("flexible", 1.99, 0),
        ("moderate", 72, 100),
        ("moderate", 71.99, 50),
        ("moderate", 24, 50),
        ("moderate", 23.99, 0),
        ("strict", 168, 100),
        ("strict", 167.99, 50),
        ("strict", 72, 50),
        ("strict", 71.99, 0),
    ],
)
def test_a_tier_holds_at_exactly_its_hours(policy: str, hours: float, percent: int) -> None:
    assert percent_due(POLICIES[policy], START, 0, START - timedelta(hours=hours)) == percent


def test_strictly_inside_the_buffer_nothing_is_due() -> None:
    tiers = POLICIES["flexible"]
    assert percent_due(tiers, START, 300, START - timedelta(minutes=300)) == 50
    assert percent_due(tiers, START, 300, START - timedelta(minutes=299, seconds=59)) == 0


@pytest.mark.requirement("refund-policy")
@given(st.integers(1, 10**12), st.integers(0, 100))
def test_nothing_is_lost_to_rounding(amount: int, percent: int) -> None:
    amounts = share(Money(amount=amount, currency="EUR"), percent)
    assert amounts.refund.amount + amounts.kept.amount == amount
    assert abs(amounts.refund.amount * 100 - amount * percent) <= 50


def test_half_a_cent_goes_to_the_customer() -> None:
    assert share(Money(amount=45, currency="EUR"), 50).refund.amount == 23


@pytest.mark.requirement("refund-policy")
@given(st.integers(1, 10**9), st.integers(0, 100), st.sampled_from(sorted(THREE_DECIMALS_BY_CARD)))
def test_a_share_is_one_that_a_card_can_be_refunded(tens: int, percent: int, currency: str) -> None:
    price = Money(amount=10 * tens, currency=currency)
    amounts = share(price, percent)
    assert amounts.refund.amount % 10 == amounts.kept.amount % 10 == 0
    assert amounts.refund.amount + amounts.kept.amount == price.amount
    assert abs(amounts.refund.amount * 100 - price.amount * percent) <= 500


@pytest.mark.parametrize(
    ("price", "percent", "refund"), [(4510, 50, 2260), (4510, 30, 1350), (5125, 100, 5125), (5125, 50, 2560), (3, 0, 0)]
)
def test_half_a_step_goes_to_the_customer(price: int, percent: int, refund: int) -> None:
    assert share(Money(amount=price, currency="KWD"), percent).refund.amount == refund


@pytest.mark.requirement("refund-policy")
def test_nobody_gets_money_back_that_was_not_paid_and_nothing_without_a_person() -> None:
    paid, unpaid = World().confirmed(), World().place()
    assert refunds.due(paid, acting(), NOW).refund == paid.price
    assert refunds.due(paid, SYSTEM, NOW) == refunds.due(unpaid, acting(), NOW) == refunds.nothing(paid.price)


@pytest.mark.requirement("refund-policy", "rescheduling-logic")
def test_a_move_caps_what_its_customer_gets_later_and_lifts_all_caps_by_the_provider() -> None:
    booking = World().confirmed()
    late = START - timedelta(hours=3)
    assert refunds.after_move(booking, acting(), late) == {"refund_cap_percent": 50}
    assert refunds.after_move(booking, TEACHER, late) == {"refund_cap_percent": 100, "full_refund": True}
