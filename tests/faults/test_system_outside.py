"""What the system stands on fails under load: the network, Stripe, mail, a disk; and in the long form all of it, a
hundred times. After test_system.py, on the same stack."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from deploy.local.concurrently import concurrently
from tests.faults.blows import chosen
from tests.faults.disk import Disk, NoDisk
from tests.faults.network import LINKS
from tests.faults.ordeal import Ordeal
from tests.faults.settings import BLOWS, LONG

LOAD_SECONDS = 30 if LONG else 8
ROUNDS = 5

pytestmark = pytest.mark.timeout(3600 if LONG else 400)


@pytest.mark.requirement("outbox", "inbox", "transaction-atomicity", "ordering")
async def test_the_network_is_cut_slow_and_silent(ordeal: Ordeal) -> None:
    """Every link: connections lost in the middle of transactions; then slow; then, by halves, silent."""

    def on(links: tuple[str, ...], what: str, lasts: float, seconds: float = 0.0) -> Callable[[], object]:
        return lambda: concurrently(lambda link: ordeal.network.spoil(link, what, lasts, seconds), links)

    blows = [on(LINKS, "cut", 0.5), on(LINKS, "cut", 0.5), on(LINKS, "delay", 3, 0.2)]
    blows += [on(LINKS[::2], "hole", 4), on(LINKS[1::2], "hole", 4)]
    await ordeal.suffer("network", LOAD_SECONDS, *blows, faults=4 * len(LINKS))


@pytest.mark.requirement("saga")
async def test_stripe_and_mail_are_away(ordeal: Ordeal) -> None:
    def away() -> None:
        concurrently(ordeal.deal, ["Stripe away", "mail away"])

    await ordeal.suffer("Stripe and mail away", LOAD_SECONDS, away)


@pytest.fixture(scope="module")
def disk(ordeal: Ordeal) -> Disk | None:
    """A small disk for booking's database; None where none can be mounted, which is printed."""
    try:
        ordeal.arena.disk = Disk(ordeal.stack, "booking")
    except NoDisk as reason:
        print(f"no disk is filled: {reason}")
    return ordeal.arena.disk


@pytest.mark.skipif(not LONG, reason="moving a database takes its time: FAULTS=long")
@pytest.mark.requirement("outbox", "transaction-atomicity")
async def test_a_disk_is_full_for_a_while(ordeal: Ordeal, disk: Disk | None) -> None:
    if disk is None:
        pytest.skip("no disk to fill: only root may mount one")
    await ordeal.suffer("disk full", LOAD_SECONDS, lambda: ordeal.deal("disk full"))


@pytest.mark.skipif(not LONG, reason="half an hour: FAULTS=long")
@pytest.mark.requirement("outbox", "inbox", "saga", "ordering", "one-reply", "ledger", "overbooking-prevention")
async def test_a_hundred_blows(ordeal: Ordeal, disk: Disk | None) -> None:
    """Of all kinds, in an order that the seed chooses; judged after every fifth of them."""
    kinds = chosen(ordeal.arena, BLOWS)
    for number in range(ROUNDS):
        blows = [partial(ordeal.deal, kind) for kind in kinds[number::ROUNDS]]
        await ordeal.suffer(f"blows of all kinds, {number + 1}", LOAD_SECONDS, *blows)
    assert ordeal.dealt.total() >= BLOWS
