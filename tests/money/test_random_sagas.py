"""Thousands of random bookings, a fifth of all calls to Stripe failing: in the end every cent is where it should be.

`SAGAS=10000 SEED=7 make money`. The clock moves on while calls are still being tried again.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator

import pytest
from booking_contracts.testkit.system import connected

from deploy.local.stack import Stack
from tests.audited import violations
from tests.conftest import Stacks
from tests.faults.settings import SEED, rng
from tests.money.play import Play
from tests.money.town import Town

SAGAS = int(os.environ.get("SAGAS", "250"))


@pytest.fixture
def stack(stacks: Stacks) -> Iterator[Stack]:
    """One replica of each service."""
    with stacks("money", fast=True) as stack:
        yield stack


@pytest.mark.timeout(300 + SAGAS)
@pytest.mark.requirement(
    "ledger", "escrow", "wallet", "refund-logic", "payment-booking-coupling", "retry-mechanism", "late-payment"
)
async def test_every_cent_of_random_sagas_is_accounted_for(stack: Stack) -> None:
    async with connected(stack.env) as system:
        random = rng("money")
        town = Town(random, await system.clock.now(), SAGAS)
        money = await Play(stack, system, town, SEED).run()
    strange = {one.of for one in money.by_hand} | {*money.disputed.values()}
    found = [one for one in await violations(stack.env) if str(one.booking_id) not in strange]
    assert found == [], "nobody's strange hand was in it"
    states = Counter(booking.state for booking in money.bookings)
    print(f"SEED={SEED}", dict(states), f"{len(money.entries)} ledger entries", sep="\n")
    print(Counter(dispute.status for dispute in money.disputes), f"{len(money.by_hand)} refunds by hand")
    assert len(money.bookings) > SAGAS * 0.9
    assert {"COMPLETED", "CANCELLED_BY_CUSTOMER", "CANCELLED_BY_PROVIDER", "PAYMENT_FAILED", "EXPIRED"} <= set(states)
    assert money.stripe_refunds
    assert money.transfers
    assert money.disputes
    wallets = {top_up.command_id for top_up in money.top_ups}
    assert wallets & {one.of for one in money.by_hand}, "a wallet met a strange hand"
    assert money.outcomes.keys() - money.disputed.keys(), "and a dispute"
