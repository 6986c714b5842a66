"""Rows of figures: card sagas, latency by rate, a hot slot, mails only queued."""

from __future__ import annotations

import time

from booking_contracts.booking import PlaceBooking
from booking_contracts.payments import WalletToppedUp
from booking_contracts.testkit import sample
from booking_contracts.testkit.people import WALLET
from booking_contracts.types import Price

from tests.bench import runs
from tests.bench.checks import PRICE_MINOR
from tests.bench.cpu import cpu_ms, per_saga, total
from tests.bench.ground import MAILS, RATES, Ground, per_second, rest
from tests.bench.runs import Load, percentile
from tests.bench.wire import Prepared, prepared


async def card(ground: Ground) -> dict[str, object]:
    """As many card sagas as go, each with three mails, and their CPU time until the last mail is out."""
    load = ground.load(ground.options.sagas, "heavy")
    await rest(ground.stack)
    before = cpu_ms(ground.stack)
    seconds = await runs.saturate(ground.wire, load, ground.options.in_flight)
    await rest(ground.stack)
    cost = per_saga(before, cpu_ms(ground.stack), len(load.keys))
    return {
        "card_sagas_per_s": per_second(len(load.keys), seconds),
        "cpu_ms_per_saga": cost,
        "cpu_ms_per_saga_sum": total(cost),
    }


async def rates(ground: Ground) -> dict[str, object]:
    """Latency from PlaceBooking to BookingConfirmed; CPU time a saga, what idles meanwhile included."""
    figures: dict[str, object] = {}
    for rate in RATES:
        load = ground.load(int(rate * ground.options.seconds), f"rate{rate}")
        await rest(ground.stack)
        before = cpu_ms(ground.stack)
        found = await runs.latencies_ms(ground.wire, load, rate)
        await rest(ground.stack)
        cost = per_saga(before, cpu_ms(ground.stack), len(load.keys))
        figures |= {
            f"p50_ms_at_{rate}": percentile(found, 50),
            f"p99_ms_at_{rate}": percentile(found, 99),
            f"cpu_ms_per_saga_at_{rate}": cost,
            f"cpu_ms_per_saga_at_{rate}_sum": total(cost),
        }
    return figures


async def hot(ground: Ground) -> dict[str, object]:
    """Everybody wants one slot."""
    seconds, load = await runs.hot_slot(ground.wire, ground.options.hot_commands, ground.options.hot_seats)
    ground.charged.update(load.keys)
    await rest(ground.stack)
    return {"hot_slot_seconds": round(seconds, 2)}


async def queued(ground: Ground) -> dict[str, object]:
    """Sagas by card and by wallet while notifications is stopped, and how long it takes to catch up.

    What has to be told lies in Kafka meanwhile, as in a burst that notifications does not keep pace with: neither its
    reading nor the letters, made or sent, are part of these rates. Before it, each wallet is topped up for one booking.
    """
    options, stack = ground.options, ground.stack
    cards = ground.load(options.sagas, "queued")
    wallets = Load(ground.rooms, options.wallets, "saver", payment=WALLET)
    ground.by_wallet.update(wallets.keys)
    await runs.together(ground.wire, [_top_up(order) for order in wallets.orders], WalletToppedUp.ce_type)
    await rest(stack)
    stack.stop_process(MAILS)
    figures: dict[str, object] = {}
    for name, load in (("card", cards), ("wallet", wallets)):
        before = cpu_ms(stack)
        seconds = await runs.saturate(ground.wire, load, options.in_flight)
        await rest(stack, stopped="notifications")
        cost = per_saga(before, cpu_ms(stack), len(load.keys))
        figures[f"{name}_sagas_per_s_queued"] = per_second(len(load.keys), seconds)
        figures[f"cpu_ms_per_{name}_saga_queued_sum"] = total(cost)
    began = time.monotonic()
    stack.start_process(MAILS)
    await rest(stack)
    return {**figures, "mails_caught_up_seconds": round(time.monotonic() - began, 1)}


def _top_up(order: PlaceBooking) -> Prepared:
    amount = Price(amount=PRICE_MINOR, currency="EUR")
    return prepared(sample.top_up_wallet(customer_id=order.customer.id, amount=amount))
