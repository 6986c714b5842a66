"""Splitting an escrow: nothing is made, nothing is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.payments.model.settlement import split

amounts = st.integers(0, 10**12)
bps = st.integers(0, 10_000)


@pytest.mark.requirement("escrow")
@given(amounts, amounts, amounts, bps)
def test_a_split_never_exceeds_the_escrow(escrow: int, refund: int, release: int, commission_bps: int) -> None:
    parts = split(escrow, refund, release, commission_bps)
    assert parts.refund_minor + parts.release_minor <= escrow
    assert parts.refund_minor <= refund
    assert parts.release_minor <= release
    assert min(parts.refund_minor, parts.release_minor, parts.commission_minor, parts.provider_minor) >= 0


@pytest.mark.requirement("refund-logic")
@given(amounts, bps, st.data())
def test_what_adds_up_to_the_escrow_is_split_exactly(escrow: int, commission_bps: int, data: st.DataObject) -> None:
    refund = data.draw(st.integers(0, escrow))
    parts = split(escrow, refund, escrow - refund, commission_bps)
    assert (parts.refund_minor, parts.release_minor) == (refund, escrow - refund)
    assert parts.commission_minor == (escrow - refund) * commission_bps // 10_000
    assert parts.provider_minor + parts.commission_minor == parts.release_minor


@pytest.mark.parametrize(
    ("release", "commission_bps", "commission"),
    [(4500, 1000, 450), (999, 1000, 99), (1, 9999, 0), (1, 10_000, 1), (33, 333, 1)],
)
def test_commission_is_rounded_down_in_the_providers_favour(release: int, commission_bps: int, commission: int) -> None:
    assert split(release, 0, release, commission_bps).commission_minor == commission


def test_the_payer_comes_before_the_provider() -> None:
    parts = split(100, 80, 80, 0)
    assert (parts.refund_minor, parts.release_minor) == (80, 20)


@pytest.mark.requirement("refund-logic", "escrow", "provider-payouts")
@given(amounts, bps, st.booleans(), st.data())
def test_in_steps_of_ten_nothing_is_lost_and_all_can_be_sent(
    tens: int, commission_bps: int, by_card: bool, data: st.DataObject
) -> None:
    escrow = tens * 10 if by_card else tens
    refund = data.draw(st.integers(0, escrow))
    step = 10 if by_card else 1
    parts = split(escrow, refund, escrow - refund, commission_bps, refund_step=step, payout_step=10)
    assert parts.refund_minor + parts.release_minor == escrow
    assert parts.refund_minor % step == 0
    assert refund <= parts.refund_minor < refund + step
    assert parts.provider_minor % 10 == 0
    assert 0 <= parts.commission_minor <= parts.release_minor
    assert abs(parts.commission_minor - parts.release_minor * commission_bps / 10_000) < 10


@pytest.mark.requirement("refund-logic")
@given(amounts, amounts, amounts, bps)
def test_in_steps_of_ten_a_split_never_exceeds_the_escrow(
    escrow: int, refund: int, release: int, commission_bps: int
) -> None:
    parts = split(escrow, refund, release, commission_bps, refund_step=10, payout_step=10)
    assert parts.refund_minor + parts.release_minor <= escrow
    assert parts.refund_minor % 10 == parts.provider_minor % 10 == 0
    assert min(parts.refund_minor, parts.release_minor, parts.commission_minor, parts.provider_minor) >= 0
