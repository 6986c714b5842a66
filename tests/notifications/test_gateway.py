"""What the gateway makes of a mail server's answers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from email.message import EmailMessage

import pytest
from booking_contracts.booking import BookingConfirmed, SessionCompleted
from prometheus_client import REGISTRY

from services.chassis.gateway_calls import OpenCall, TryAgain
from services.notifications import sender
from services.notifications.gateway import GIVE_UP_SECONDS, MailGateway
from services.notifications.mail import MailRefused, MailSent
from services.notifications.model.letters import Kind
from services.notifications.sender import Faulty, Mail, Outcome, Refused, Sent
from tests.chassis.harness import SetClock
from tests.notifications.builders import CUSTOMER_EMAIL, NOW, STARTS_AT, an, customer, received
from tests.notifications.post import Post, days


@dataclass
class Server:
    """Answers as it is told and keeps what it was sent."""

    outcome: Outcome = field(default_factory=Sent)
    received: list[EmailMessage] = field(default_factory=list)

    async def send(self, mail: Mail) -> Outcome:
        self.received.append(received(mail))
        return self.outcome


def a_call(event: SessionCompleted | BookingConfirmed | None = None, *, tries: int = 0, age: float = 0) -> OpenCall:
    post = Post()
    post.hear(event or an(SessionCompleted))
    intended = post.calls[0]
    return OpenCall(
        intended.id,
        intended.key,
        intended.operation,
        intended.parameters,
        intended.idempotency_key,
        [],
        tries=tries,
        age_seconds=age,
    )


def gateway(server: Server, now: datetime = NOW) -> MailGateway:
    return MailGateway(server, "Bookings <no-reply@example.org>", SetClock(now))


@pytest.mark.requirement("notify-people")
async def test_the_letter_is_sent_as_it_was_written() -> None:
    server, call = Server(), a_call(an(BookingConfirmed))

    outcome = await gateway(server).call(call)

    (mail,) = server.received
    assert isinstance(outcome, MailSent)
    assert (mail["To"], mail["Message-ID"]) == (f"Anna Arendt <{CUSTOMER_EMAIL}>", call.idempotency_key)
    assert any(part.get_filename() == "invite.ics" for part in mail.iter_attachments())


@pytest.mark.requirement("notify-once")
async def test_a_mail_that_is_sent_again_after_a_crash_is_the_same_mail() -> None:
    server, call = Server(), a_call(an(BookingConfirmed))
    await gateway(server).call(call)
    await gateway(server).call(call)

    first, second = server.received
    assert {name: first[name] for name in ("Message-ID", "Date", "Subject", "To")} == {
        name: second[name] for name in ("Message-ID", "Date", "Subject", "To")
    }


@pytest.mark.requirement("notify-once")
async def test_a_mail_the_server_took_is_not_sent_twice_by_one_process() -> None:
    server, call = Server(), a_call()
    post = gateway(server)

    assert await post.call(call) == await post.call(call)
    assert len(server.received) == 1


@pytest.mark.requirement("notify-once")
async def test_a_fault_of_the_server_is_tried_again_later_and_later() -> None:
    post = gateway(Server(sender.TryAgain("451 busy")))

    first, later = await post.call(a_call(tries=0)), await post.call(a_call(tries=30))

    assert isinstance(first, TryAgain)
    assert isinstance(later, TryAgain)
    assert first.after_seconds is not None
    assert later.after_seconds is not None
    assert first.after_seconds < 1 < 60 < later.after_seconds <= 900


@pytest.mark.requirement("notify-once")
async def test_a_server_that_never_comes_back_is_given_up_after_three_days() -> None:
    post = gateway(Server(sender.TryAgain("no session")))

    outcome = await post.call(a_call(tries=400, age=GIVE_UP_SECONDS + 1))

    assert isinstance(outcome, MailRefused)
    assert outcome.reason == "given up after 3 days: no session"


@pytest.mark.requirement("notify-once")
async def test_a_refusal_is_for_ever() -> None:
    outcome = await gateway(Server(Refused("550 no such user"))).call(a_call())

    assert isinstance(outcome, MailRefused)
    assert outcome.reason == "550 no such user"


@pytest.mark.requirement("notify-people", "observability")
async def test_a_letter_that_no_server_takes_is_counted_apart_from_people_who_are_not_there() -> None:
    def counted() -> float:
        return REGISTRY.get_sample_value("booking_mail_outcomes_total", {"outcome": "Faulty"}) or 0

    before = counted()
    await gateway(Server(Refused("550 no such user"))).call(a_call())
    assert counted() == before

    outcome = await gateway(Server(Faulty("500 Line too long"))).call(a_call())

    assert isinstance(outcome, MailRefused)
    assert outcome.reason == "500 Line too long"
    assert counted() == before + 1


@pytest.mark.requirement("notify-once")
async def test_an_address_that_is_none_fails_without_a_server() -> None:
    server = Server()

    outcome = await gateway(server).call(a_call(an(SessionCompleted, customer=customer(email="not an address"))))

    assert isinstance(outcome, MailRefused)
    assert "not a mail address" in outcome.reason
    assert server.received == []


@pytest.mark.requirement("notify-people")
async def test_a_letter_that_is_of_no_use_any_more_is_not_sent() -> None:
    server, post = Server(), Post()
    post.hear(an(BookingConfirmed))
    post.fire_timers(until=STARTS_AT - days(1))
    reminder = next(mail for mail in post.mails if mail.kind is Kind.REMINDER)
    call = replace(a_call(), parameters=reminder.model_dump_json())
    assert reminder.until == STARTS_AT - days(1 / 24)

    late = await gateway(server, now=reminder.until).call(call)
    in_time = await gateway(server, now=reminder.until - days(0.001)).call(call)

    assert isinstance(late, MailRefused)
    assert late.reason.startswith("too late")
    assert isinstance(in_time, MailSent)
    assert len(server.received) == 1
