"""Who comes is told what concerns them, where an address of theirs is known (requirement notify-people)."""

from __future__ import annotations

import pytest
from booking_contracts import booking
from booking_contracts.booking import BookingConfirmed
from booking_contracts.envelope import Event
from booking_contracts.types import Attendee
from icalendar import Calendar

from services.notifications.model.letters import BY_EVENT, Audience, Kind, letters_for, letters_on
from tests.notifications.builders import (
    ADMIN_EMAIL,
    CUSTOMER_EMAIL,
    NOW,
    PROVIDER_EMAIL,
    STARTS_AT,
    an,
    customer,
    eur,
    letter_to,
    mail,
    text_of,
    told,
)
from tests.notifications.post import Post

TIM_EMAIL = "tim@example.org"
TIM = Attendee(id="tim", name="Tim Arendt", email=TIM_EMAIL)
CONCERNED: dict[type[Event], Kind] = {
    booking.BookingConfirmed: Kind.CONFIRMED,
    booking.BookingRescheduled: Kind.RESCHEDULED,
    booking.BookingCancelled: Kind.CANCELLED,
}


def to_tim(event: Event) -> set[Kind]:
    return {kind for recipient, kind in told(event) if recipient == TIM_EMAIL}


@pytest.mark.requirement("notify-people")
@pytest.mark.parametrize("event", BY_EVENT)
def test_an_attendee_is_told_of_what_is_confirmed_moved_and_cancelled_and_of_nothing_else(event: type[Event]) -> None:
    coming = {"attendee": TIM} if issubclass(event, booking.BookingEvent) else {}

    assert to_tim(an(event, **coming)) == ({CONCERNED[event]} if event in CONCERNED else set())


@pytest.mark.requirement("notify-people")
def test_an_attendee_hears_of_the_end_of_what_they_were_told_of_and_of_no_other() -> None:
    unconfirmed = an(booking.BookingCancelled, attendee=TIM, refund=eur(0), kept=eur(0))

    assert to_tim(unconfirmed) == set()
    assert to_tim(an(booking.PaymentFailed, attendee=TIM, reason="declined")) == set()
    assert to_tim(an(booking.PaymentFailed, attendee=TIM, reason="capture_failed")) == {Kind.CAPTURE_FAILED}
    assert {recipient for recipient, _ in told(unconfirmed)} == {CUSTOMER_EMAIL, PROVIDER_EMAIL}


@pytest.mark.requirement("notify-people")
def test_attendees_are_reminded_too() -> None:
    reminded = letters_on(Kind.REMINDER, an(BookingConfirmed, attendee=TIM), ADMIN_EMAIL)

    assert [letter.recipient for letter in reminded] == [CUSTOMER_EMAIL, PROVIDER_EMAIL, TIM_EMAIL]


@pytest.mark.requirement("notify-people", "notify-once")
@pytest.mark.parametrize("email", [None, CUSTOMER_EMAIL, "anna@EXAMPLE.org", PROVIDER_EMAIL])
def test_an_attendee_without_a_mailbox_of_their_own_gets_no_letter_of_their_own(email: str | None) -> None:
    event = an(BookingConfirmed, attendee=TIM.model_copy(update={"email": email}))

    assert [letter.audience for letter in letters_for(event, ADMIN_EMAIL)] == [Audience.CUSTOMER, Audience.PROVIDER]


@pytest.mark.requirement("notify-people")
@pytest.mark.parametrize(("own", "zone"), [("Asia/Tokyo", "Asia/Tokyo"), (None, "Europe/Berlin")])
def test_an_attendee_reads_in_language_and_zone_of_who_booked_for_them(own: str | None, zone: str) -> None:
    event = an(BookingConfirmed, attendee=TIM, customer=customer(locale="de-AT", timezone=own))

    letter = letter_to(Audience.ATTENDEE, event)

    assert (letter.name, letter.locale, letter.timezone) == ("Tim Arendt", "de-AT", zone)
    assert mail(letter)["Subject"] == "Bestätigt: Piano lesson"


@pytest.mark.requirement("notify-people")
@pytest.mark.parametrize("tag", ["en", "de"])
@pytest.mark.parametrize("event", [*CONCERNED, booking.PaymentFailed])
def test_an_attendee_reads_who_booked_for_them_and_nothing_of_the_money(event: type[Event], tag: str) -> None:
    reason = {"reason": "capture_failed"} if event is booking.PaymentFailed else {}
    letter = letter_to(Audience.ATTENDEE, an(event, attendee=TIM, customer=customer(locale=tag), **reason))

    text = text_of(mail(letter))

    assert "Anna Arendt" in text
    assert "Paul Pianist" in text
    assert "€" not in text
    assert "as agreed" not in text, "what customer and provider write to each other"


@pytest.mark.requirement("notify-people")
def test_an_attendees_calendar_has_the_same_entry_with_themselves_in_it() -> None:
    message = mail(letter_to(Audience.ATTENDEE, an(BookingConfirmed, attendee=TIM)))

    (file,) = message.iter_attachments()
    (entry,) = Calendar.from_ical(file.get_payload(decode=True)).walk("VEVENT")
    (customers,) = mail(letter_to(Audience.CUSTOMER, an(BookingConfirmed))).iter_attachments()
    (other,) = Calendar.from_ical(customers.get_payload(decode=True)).walk("VEVENT")
    assert entry["ATTENDEE"] == f"mailto:{TIM_EMAIL}"
    assert entry["UID"] == other["UID"]


@pytest.mark.requirement("notify-people", "ordering")
def test_an_attendees_letters_are_a_line_of_their_own() -> None:
    post = Post(NOW)
    post.hear(an(BookingConfirmed, attendee=TIM))
    post.hear(an(booking.BookingRescheduled, attendee=TIM))
    assert post.on_their_way(TIM_EMAIL) == [Kind.CONFIRMED]

    post.answered(TIM_EMAIL)

    assert post.on_their_way(TIM_EMAIL) == [Kind.CONFIRMED, Kind.RESCHEDULED]
    post.hear(an(booking.BookingCancelled, attendee=TIM, state="CANCELLED_BY_CUSTOMER"))
    post.fire_timers(until=STARTS_AT)
    assert post.written(Kind.REMINDER) == []
