"""What the console asks a filled database (tests/bench/years.py): lists, weeks, and what each id is found by."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from services.booking.model.states import State
from services.booking.saga import Status as SagaStatus
from services.chassis.database import Connection
from services.operations.console.reads import lists, payment_lists, search, slot, waiting, week
from services.payments.model.payment import Status
from services.payments.model.refund import RefundStatus
from tests.bench.years import HOT, HOT_SLOT, HOT_START, SOON, WHALE, named

W = lists.Wanted
LISTS = (
    *(W(), W(newest=True), W(time="created_at"), W(states=(State.DISPUTED,)), W(since=SOON, until=SOON + timedelta(1))),
    *(W(customer=WHALE), W(customer=HOT, newest=True), W(customer=WHALE, provider=named("provider", 5))),
    *(W(provider=named("provider", 0)), W(provider=named("provider", 5), since=SOON), W(slot=HOT_SLOT)),
    *(W(offering=named("offering", 0)), W(offering=named("more", 1)), W(provider=named("provider", 0), customer="bob")),
    *(W(saga=status) for status in lists.OPEN_SAGAS),
    W(saga=SagaStatus.WAITING, provider=named("provider", 0), states=(State.COMPLETED,)),
)
FOUND: Mapping[str, Mapping[object, set[tuple[str, str]]]] = {
    "booking": {
        named("booking", 40): {("booking id", str(named("booking", 40)))},
        named("provider", 5): {("provider id", str(named("provider", 5)))},
        named("offering", 5): {("offering id", str(named("offering", 5)))},
        HOT_SLOT: {("slot id", str(HOT_SLOT))},
        named("command", 9): {("command", str(named("command", 9)))},
        named("event", 9): {("message", str(named("event", 9)))},
        named("letter", 9): {("dead letter", str(named("letter", 9)))},
        named("timer", 9): {("message that waits", str(named("timer", 9)))},
        named("call", 9): {("call", str(named("call", 9)))},
        WHALE: {("customer id", WHALE)},
        "waiting-29": {("customer id", "waiting-29")},
        "no@example.com": set(),
    },
    "payments": {
        named("payment", 40): {("payment id", str(named("booking", 40)))},
        named("refund", 41): {("refund id", str(named("booking", 41)))},
        named("payout", 41): {("payout id", str(named("booking", 41)))},
        "pi_41": {("PaymentIntent", str(named("booking", 41)))},
        "pi_top_41": {("PaymentIntent of a top-up", "customer-41")},
        "re_41": {("refund", str(named("booking", 41)))},
        "red_41": {("refund made at Stripe", str(named("booking", 41)))},
        "tr_41": {("transfer", str(named("booking", 41)))},
        "dp_41": {("dispute", str(named("booking", 41)))},
        "evt_41": set(),
        "customer-41": {("customer id", "customer-41")},
    },
    "notifications": {
        named("event", 41): {
            ("event that letters are about", str(named("booking", 41))),
            ("event", str(named("booking", 41))),
            ("letter", str(named("booking", 41))),
            ("message", str(named("event", 41))),
        },
        named("subscription", 41): {("subscription", str(named("subscription", 41)))},
        named("webhook", 41): {("delivery", str(named("subscription", 42)))},
    },
}
"""What each text is found as, and the id that it leads to."""


async def found(connection: Connection, service: str, text: object) -> set[tuple[str, str]]:
    what = search.sought(str(text))
    return {(hit.by, hit.id) for hit in await search.find(connection, service, what, people=True)}


async def ask(connection: Connection, service: str) -> None:
    """Every list, the page after the first and the one before that, and what has no index."""
    await search.find_headers(connection, service, search.sought("0af7651916cd43dd8448eb211c80319c"))
    if service == "booking":
        for wanted in LISTS:
            page = await lists.bookings(connection, wanted)
            await lists.counts(connection, wanted)
            if page.next is not None:
                after = await lists.bookings(connection, wanted, page.next)
                assert after.previous is not None
                before = await lists.bookings(connection, wanted, after.previous)
                assert [one.booking_id for one in before.items] == [one.booking_id for one in page.items], wanted
        await lists.more_sagas(connection, SagaStatus.WAITING)
        of_slot = await slot.slot(connection, HOT_SLOT)
        assert of_slot is not None
        assert of_slot.bookings.items
        await waiting.of_customer(connection, "waiting-29")
        for provider, start in ((0, SOON), (1, HOT_START), (5, SOON)):
            zone = await week.zone_of(connection, named("provider", provider))
            assert zone is not None
            await week.week(connection, named("provider", provider), zone, week.week_of(start.date()))
    if service == "payments":
        await payment_lists.counts(connection)
        await payment_lists.reasons(connection)
        of = payment_lists.Wanted
        for which in (*map(of, Status), of(), of(Status.DECLINED, "expired_card"), of(lingering=True)):
            paid = await payment_lists.payments(connection, which)
            await payment_lists.payments(connection, which, paid.next)
        for of_refund in (*RefundStatus, None):
            given_back = await payment_lists.refunds(connection, of_refund)
            await payment_lists.refunds(connection, of_refund, given_back.next)
