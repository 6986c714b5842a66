"""Letters to one person about one thing arrive in the order they were written (requirement notify-people)."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage
from uuid import UUID

import pytest
from booking_contracts import booking
from booking_contracts.booking import BookingConfirmed

from services.notifications import sender
from services.notifications.model.deliveries import LONGEST_IN_LINE, Delivery, State
from services.notifications.model.letters import Kind
from services.notifications.sender import Mail, Outcome, Refused, Sent
from services.notifications.timers import MailWaits
from tests.chassis.harness import Engine
from tests.notifications.builders import BOOKING_ID, CUSTOMER_EMAIL, NOW, PROVIDER_EMAIL, an, received
from tests.notifications.post import SERVICE, Post
from tests.notifications.test_database import post as make_calls
from tests.notifications.test_database import record

C, P = CUSTOMER_EMAIL, PROVIDER_EMAIL
CONFIRMED, MOVED, CANCELLED = Kind.CONFIRMED, Kind.RESCHEDULED, Kind.CANCELLED


def three_letters() -> Post:
    post = Post()
    for event in (BookingConfirmed, booking.BookingRescheduled, booking.BookingCancelled):
        post.hear(an(event))
    return post


@pytest.mark.requirement("notify-people", "ordering")
@pytest.mark.parametrize("reason", [None, "550 no such user"])
def test_a_letter_waits_for_the_one_before_it_whatever_becomes_of_that(reason: str | None) -> None:
    post = three_letters()
    assert (post.on_their_way(C), post.on_their_way(P)) == ([CONFIRMED], [CONFIRMED])

    assert post.answered(C, reason) is CONFIRMED

    assert (post.on_their_way(C), post.on_their_way(P)) == ([CONFIRMED, MOVED], [CONFIRMED])
    assert [post.answered(C, reason), post.answered(C, reason)] == [MOVED, CANCELLED]
    assert post.on_their_way(C) == [CONFIRMED, MOVED, CANCELLED]
    assert [row.waits for row in post.deliveries if row.recipient == C] == [False] * 3


@pytest.mark.requirement("notify-people")
def test_nobody_waits_for_letters_about_something_else() -> None:
    post, other = three_letters(), UUID(int=77)
    post.hear(an(BookingConfirmed, booking_id=other))

    assert post.on_their_way(C) == [CONFIRMED, CONFIRMED]


def a_line_without_an_outcome() -> tuple[Post, Delivery]:
    """The first letter was settled by a release that knows no lines; returns the second."""
    post = three_letters()
    first, second, _ = [row for row in post.deliveries if row.recipient == C]
    post.work.load(Delivery(**{name: getattr(first, name) for name in Delivery.__slots__} | {"state": State.SUCCEEDED}))
    return post, second


@pytest.mark.requirement("notify-people", "ordering")
def test_a_line_that_a_release_without_lines_has_left_goes_on_by_itself() -> None:
    post, second = a_line_without_an_outcome()
    (timer,) = [one for one in post.timers if one.body == MailWaits(delivery_id=second.delivery_id)]
    assert timer.due_at == NOW + timedelta(minutes=1)

    post.at(timer.due_at).fire(timer.body)

    assert post.on_their_way(C) == [CONFIRMED, MOVED]


@pytest.mark.requirement("notify-people", "ordering")
def test_a_line_that_was_left_goes_on_with_the_next_letter() -> None:
    post, _ = a_line_without_an_outcome()
    post.hear(an(booking.BookingCompleted))

    assert post.on_their_way(C) == [CONFIRMED, MOVED]


@pytest.mark.requirement("notify-people")
def test_an_outcome_that_never_comes_holds_nobody_up_for_ever() -> None:
    post = three_letters()
    post.fire_timers(until=NOW + LONGEST_IN_LINE - timedelta(minutes=1))
    assert post.on_their_way(C) == [CONFIRMED]
    looks = [timer for timer in post.timers if isinstance(timer.body, MailWaits)]

    post.fire_timers(until=NOW + 3 * LONGEST_IN_LINE)

    assert post.on_their_way(C) == [CONFIRMED, MOVED, CANCELLED]
    assert len(looks) < 4 * 15, "it is looked at less and less often"


@dataclass
class Moody:
    """A mail server that takes a mail, is busy, or refuses it for ever, as it likes."""

    rng: random.Random
    received: list[EmailMessage] = field(default_factory=list)

    async def send(self, mail: Mail) -> Outcome:
        outcome = self.rng.choice((Sent(), Sent(), sender.TryAgain("451 busy"), Refused("550 not you")))
        if isinstance(outcome, Sent):
            self.received.append(received(mail))
        return outcome


@pytest.mark.requirement("notify-people", "notify-once", "ordering")
@pytest.mark.parametrize("seed", range(5))
async def test_letters_of_two_replicas_that_die_and_try_again_never_overtake(
    engine: Engine, databases: dict[str, str], seed: int
) -> None:
    """Events come to either replica; results get lost with their process or are handled by the other one."""
    rng = random.Random(seed)
    server = Moody(rng)
    other = Engine(databases["NOTIFICATIONS_DATABASE_URL"], engine.clock, SERVICE)
    other.adopt(engine)
    kinds: list[type[booking.BookingEvent]] = [BookingConfirmed, *[booking.BookingRescheduled] * 3]
    events = [an(kind, booking_id=about) for kind in kinds for about in (BOOKING_ID, UUID(int=8))]
    written = [record(engine, event, number) for number, event in enumerate(events, 1)]
    while written or await engine.fetch("SELECT FROM delivery WHERE state = 'pending'"):
        many = rng.randrange(4)
        some, written = written[:many], written[many:]
        await rng.choice((engine, other)).run(*some)
        await engine.fetch("UPDATE gateway_call SET tries = 0")
        results = await make_calls(engine, server)
        await rng.choice((engine, other)).run(*(one for one in results if rng.random() < 0.7))
    await other.close()

    order = {
        row["delivery_id"]: row["number"] for row in await engine.fetch("SELECT delivery_id, number FROM delivery")
    }
    came: dict[tuple[str, str], list[int]] = {}
    for mail in server.received:
        letter = UUID(str(mail["Message-ID"]).strip("<>").split("@")[0])
        about = str(mail.get_body(("plain",))).partition("Booking number")[2][:50]
        came.setdefault((str(mail["To"]), about), []).append(order[letter])
    assert len(came) == 4
    assert [line for line in came.values() if line != sorted(line)] == []
    assert {row["state"] for row in await engine.fetch("SELECT state FROM delivery")} <= {"succeeded", "failed"}
    assert await engine.fetch("SELECT FROM delivery WHERE mail IS NOT NULL") == []
    assert await engine.fetch("SELECT FROM dead_letter") == []
