"""What the page of a booking shows, read from the databases that real engines have written: one booking followed
through all services (requirement console)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from email import message_from_bytes, policy
from uuid import uuid4

import asyncpg
import pytest
from booking_contracts.http.notifications import Subscribe
from booking_contracts.types import Customer, PaymentChoice

from services.booking.model.states import State
from services.notifications.subscriptions import store
from services.operations.console.databases import Databases
from services.operations.console.reads.booking import booking_shown
from services.operations.console.reads.letters import stored, text_of
from services.operations.console.reads.timeline.marks import Kind, Lane, Tone
from tests.console.reading import drawn, letter_about, named, of, states
from tests.console.three_services import GONE, ThreeServices, three_services


@pytest.fixture(scope="module")
async def town(databases: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ThreeServices]:
    """The services' clock is an hour ahead, as in a demo that has moved it."""
    async with three_services(databases, tmp_path_factory.mktemp("three"), ahead_hours=1) as services:
        yield services


@pytest.fixture(scope="module")
async def at_hand(databases: dict[str, str]) -> AsyncIterator[Databases]:
    """What the console reads."""
    found = named(databases)
    async with found.opened("test"):
        yield found


@pytest.mark.requirement("console")
async def test_a_confirmed_booking_from_the_command_to_the_letters(town: ThreeServices, at_hand: Databases) -> None:
    booking_id = await town.placed()
    shown = await booking_shown(at_hand, booking_id)
    assert shown.away == []
    assert drawn(shown, Kind.MESSAGE, Kind.CALL) == [
        "caller → booking: PlaceBooking",
        "booking → caller: CommandAccepted",
        "booking → payments: AuthorizePayment",
        "payments → stripe: authorize",
        "payments → booking: PaymentAuthorized",
        "booking → payments: CapturePayment",
        "booking → notifications: BookingConfirmed",
        "payments → stripe: capture",
        "payments → booking: PaymentCaptured",
    ]
    assert drawn(shown, Kind.LETTER) == ["notifications → people: confirmed"] * 2
    assert drawn(shown, Kind.MONEY) == ["payments → payments: posted: capture"]
    assert states(shown) == [State.PENDING_PAYMENT, State.CONFIRMED]
    assert (shown.timeline.marks[-1].tone, shown.timeline.marks[-1].kind) == (Tone.PLANNED, Kind.TIMER)
    assert shown.booking.booking is not None
    assert shown.booking.booking["due_at"] == shown.timeline.marks[-1].at


@pytest.mark.requirement("console")
async def test_durations_are_told_also_where_the_services_clock_is_ahead(
    town: ThreeServices, at_hand: Databases
) -> None:
    """Ids and gateway calls have the machine's time, handlers the services': all of it is a row of milliseconds."""
    shown = await booking_shown(at_hand, await town.placed("clara", 1))
    past = shown.timeline.past
    assert past[-1].at - past[0].at < timedelta(seconds=20)
    took = {mark.label: mark.seconds for mark in of(shown, Kind.MESSAGE, Kind.CALL, Kind.LETTER) if mark.until}
    assert took.keys() >= {"PlaceBooking", "authorize", "capture", "PaymentAuthorized", "BookingConfirmed", "confirmed"}
    assert all(0 <= (seconds or 0) < 20 for seconds in took.values())
    assert (took["authorize"] or 0) > 0
    assert shown.stays[0].seconds == (shown.stays[1].since - shown.stays[0].since).total_seconds() > 0


@pytest.mark.requirement("console", "ledger")
async def test_a_cancelled_bookings_money_adds_up(town: ThreeServices, at_hand: Databases) -> None:
    booking_id = await town.placed("dora", 2)
    await town.cancelled(booking_id, "dora")
    await town.till.sweep()
    shown = await booking_shown(at_hand, booking_id)
    statement = shown.payments.statement
    assert statement.in_all == {"EUR": 0}
    assert statement.by_account == {("stripe:clearing", "EUR"): 0, (f"escrow:{booking_id}", "EUR"): 0}
    assert [(row["amount_minor"], row["status"]) for row in shown.payments.refunds.rows] == [(4500, "succeeded")]
    assert states(shown)[-1] is State.CANCELLED_BY_CUSTOMER
    assert "payments → stripe: refund" in drawn(shown, Kind.CALL)
    told = drawn(shown, Kind.WEBHOOK)
    assert "stripe → payments: payment_intent.succeeded" in told
    assert "stripe → payments: refund.created" in told, "it is found by its PaymentIntent"
    assert {mark.label for mark in of(shown, Kind.LETTER)} == {"confirmed", "cancelled"}


@pytest.mark.requirement("console")
async def test_a_declined_booking_ends_in_its_first_message_of_payments(
    town: ThreeServices, at_hand: Databases
) -> None:
    card = PaymentChoice(method="card", payment_method="pm_card_chargeDeclined")
    shown = await booking_shown(at_hand, await town.placed("emil", 3, payment=card))
    assert states(shown) == [State.PENDING_PAYMENT, State.PAYMENT_FAILED]
    assert "payments → booking: PaymentDeclined" in drawn(shown, Kind.MESSAGE)
    assert shown.payments.statement.entries.rows == []
    assert shown.payments.payment is not None
    assert shown.payments.payment["decline_code"] is not None


@pytest.mark.requirement("console")
async def test_a_letter_as_it_was_sent_and_one_that_was_not(town: ThreeServices, at_hand: Databases) -> None:
    lost = Customer(id="fred", name="Bob", email=GONE)
    booking_id = await town.placed("fred", 4, customer=lost)
    shown = await booking_shown(at_hand, booking_id)
    tones = {mark.detail: mark.tone for mark in of(shown, Kind.LETTER)}
    assert tones == {"to the customer": Tone.FAILED, "to the provider": Tone.DONE}
    kept = stored(shown.notifications)
    made = [text_of(kept[str(row["delivery_id"])]) for row in shown.notifications.letters.rows]
    (sent,) = [mail for mail in town.mailbox.taken if str(booking_id) in mail.content.decode()]
    read = message_from_bytes(sent.content, policy=policy.default)
    body = read.get_body(("plain",))
    assert body is not None
    assert (read["Subject"], body.get_content().split()) in [(text.subject, text.body.split()) for text in made]


@pytest.mark.requirement("console")
async def test_what_is_set_aside_found_and_done_about_it(
    town: ThreeServices, at_hand: Databases, databases: dict[str, str]
) -> None:
    booking_id = uuid4()
    aside = await letter_about(town, booking_id)
    connection = await asyncpg.connect(databases["OPERATIONS_DATABASE_URL"])
    await connection.execute(
        "INSERT INTO violation (kind, subject, booking_id, detail) VALUES ('seat', 'a', $1, 'a seat too many')",
        booking_id,
    )
    for act in ("look", "saga-retry"):
        await connection.execute(
            "INSERT INTO operator_log (operator, act, service, subject, booking_id, reason, outcome, ended_at) "
            "VALUES ('mia', $1, 'booking', 'x', $2, 'stuck', 'is asked again', now())",
            act,
            booking_id,
        )
    await connection.close()
    shown = await booking_shown(at_hand, booking_id)
    assert shown.known, "though no booking is there"
    assert [row["id"] for row in shown.notifications.aside.letters.rows] == [aside]
    assert shown.notifications.aside.block is not None
    assert [row["id"] for row in shown.notifications.aside.behind.rows] == [aside]
    assert [row["detail"] for row in shown.operations.findings.rows] == ["a seat too many"]
    assert drawn(shown, Kind.ACT) == ["people → booking: saga-retry by mia"], "who looked has done nothing"
    assert [mark.detail for mark in of(shown, Kind.ACT)] == ["stuck: is asked again"]
    (mark,) = of(shown, Kind.ASIDE)
    assert (mark.sender, mark.tone, mark.message_id) == ("notifications", Tone.FAILED, aside)


@pytest.mark.requirement("console")
async def test_what_was_done_to_anything_of_a_booking_is_in_its_history(
    town: ThreeServices, at_hand: Databases, databases: dict[str, str]
) -> None:
    """Whatever page it was done from: here nobody says of which booking it was."""
    booking_id = await town.placed("karla", 5)
    aside = await letter_about(town, booking_id)
    (mail, *_) = (await booking_shown(at_hand, booking_id)).notifications.letters.rows
    things = {"letter-redrive": aside, "mail-send-again": mail["delivery_id"], "customer-erase": "karla"}
    connection = await asyncpg.connect(databases["OPERATIONS_DATABASE_URL"])
    for act, thing in (*things.items(), ("look", aside), ("letter-discard", uuid4())):
        await connection.execute(
            "INSERT INTO operator_log (operator, act, service, subject, reason, outcome, ended_at) "
            "VALUES ('mia', $1, 'notifications', $2, 'as agreed', 'not done: it was late', now())",
            *(act, str(thing)),
        )
    await connection.close()
    shown = await booking_shown(at_hand, booking_id)
    assert [row["act"] for row in shown.operations.acts.rows] == list(things), "and nothing that was done elsewhere"
    assert sorted(shown.operations.done_to) == sorted(map(str, things.values()))
    marks = of(shown, Kind.ACT)
    assert {mark.label for mark in marks} == {f"{act} by mia" for act in things}
    assert {mark.tone for mark in marks} == {Tone.FAILED}, "it was not done"
    await town.cancelled(booking_id, "karla")


@pytest.mark.requirement("console")
async def test_where_one_database_is_away_the_others_are_shown(town: ThreeServices, databases: dict[str, str]) -> None:
    booking_id = await town.placed("hugo", 2)
    nowhere = "postgresql://payments@127.0.0.1:1/payments"
    found = named(databases, payments=nowhere)
    async with found.opened("test"):
        shown = await booking_shown(found, booking_id)
    assert shown.away == ["the database of payments does not answer"]
    assert shown.payments.payment is None
    assert "payments → booking: PaymentAuthorized" in drawn(shown, Kind.MESSAGE)
    assert drawn(shown, Kind.CALL) == []
    assert len(of(shown, Kind.LETTER)) == 2


@pytest.mark.requirement("console")
async def test_nobody_knows_what_nobody_was_told_of(town: ThreeServices, at_hand: Databases) -> None:
    assert not (await booking_shown(at_hand, uuid4())).known


@pytest.mark.requirement("console")
async def test_what_is_on_its_way_and_what_time_will_do(town: ThreeServices, at_hand: Databases) -> None:
    booking_id = await town.asked("ida", 5)
    shown = await booking_shown(at_hand, booking_id)
    (call,) = of(shown, Kind.CALL)
    assert (call.label, call.tone, call.until) == ("authorize", Tone.OPEN, None)
    ahead = [mark.label for mark in shown.timeline.marks if mark.tone is Tone.PLANNED]
    assert ahead == ["asks again: authorize", "time takes the next step"]
    await town.payments.fetch("UPDATE gateway_call SET tries = 2, last_error = '503' WHERE state = 'open'")
    (call,) = of(await booking_shown(at_hand, booking_id), Kind.CALL)
    assert (call.tone, call.detail[-12:]) == (Tone.FAILED, "3 tries, 503")
    await town.rest()
    assert states(await booking_shown(at_hand, booking_id))[-1] is State.CONFIRMED


@pytest.mark.requirement("console")
async def test_a_subscriber_is_told_too_of_what_no_letter_tells(town: ThreeServices, at_hand: Databases) -> None:
    wanted = Subscribe(url="https://example.org/hook", owner_email="owner@example.org", customer_id="lena")
    connection = await town.notifications.session.connection()
    await store.subscribe(connection, wanted, town.notifications.clock.now())
    shown = await booking_shown(at_hand, await town.placed("lena", 3))
    webhooks = [mark for mark in of(shown, Kind.WEBHOOK) if mark.hearer is Lane.CALLER]
    told = {mark.label for mark in webhooks}
    assert told == {"BookingPlaced", "BookingConfirmed", "PaymentAuthorized", "PaymentCaptured"}
    assert {mark.tone for mark in webhooks} == {Tone.OPEN}
    assert webhooks[0].detail == "to https://example.org/hook"
    heard = set(drawn(shown, Kind.MESSAGE))
    assert {"booking → notifications: BookingPlaced", "payments → notifications: PaymentCaptured"} <= heard
