"""What people read: every letter, in their language and zone, with its amounts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from string import Formatter
from typing import get_args

import pytest
from booking_contracts import booking, payments
from booking_contracts.booking import BookingConfirmed
from booking_contracts.envelope import Event
from booking_contracts.types import Money

from services.notifications.locales import LANGUAGES, tag_of, understood
from services.notifications.locales.en import ENGLISH
from services.notifications.locales.fields import fields_of, variant_of
from services.notifications.model.letters import BY_EVENT, BY_OCCASION, Audience, Kind, letters_for, letters_on
from services.payments.model import declines
from tests.notifications.builders import (
    ADMIN_EMAIL,
    TIM,
    an,
    customer,
    eur,
    html_of,
    letter_to,
    mail,
    text_of,
)

CUSTOMER, PROVIDER, *_ = Audience

EVERY_VARIANT: list[Event] = [
    *(an(kind) for kind in BY_EVENT),
    an(booking.PaymentRequested, last_error="INSUFFICIENT_FUNDS"),
    an(booking.PaymentActionRequired, kind="payment_method"),
    *(
        an(booking.PaymentFailed, reason=reason)
        for reason in ("superseded", "abandoned", "action_failed", "INSUFFICIENT_FUNDS", "capture_failed")
    ),
    an(booking.BookingExpired, reason="approval"),
    *(an(booking.BookingCancelled, by={"kind": kind, "id": "x"}) for kind in ("provider", "admin", "system")),
    an(payments.ChargebackClosed, outcome="won"),
    *(an(booking.WaitlistClosed, reason=reason) for reason in ("not_offered", "line_over")),
]


@pytest.mark.requirement("notify-people")
@pytest.mark.parametrize("event", EVERY_VARIANT, ids=lambda event: f"{event.ce_type}-{variant_of(event)}")
@pytest.mark.parametrize("tag", ["en", "de"])
def test_every_letter_has_all_its_sentences_in_text_and_html(event: Event, tag: str) -> None:
    known = an(BookingConfirmed, customer=customer(locale=tag))
    if isinstance(event, booking.BookingEvent | booking.WaitlistEvent):
        event = event.model_copy(update={"customer": known.customer})
    for letter in letters_for(event, ADMIN_EMAIL, known):
        locale = understood(letter.locale)
        wording = LANGUAGES[locale.language].wording(letter.kind, letter.audience, variant_of(event))
        assert wording is not None
        found = fields_of(letter, locale)
        assert {name for text in wording for name in _named(text) if found[name] is None} == set()

        message = mail(letter)

        assert message["Subject"]
        for name in _named(wording[1]) & {"provider", "customer", "message", "amount"}:
            assert (found[name] or "") in text_of(message)
            assert (found[name] or "") in html_of(message)


@pytest.mark.parametrize("kind", BY_OCCASION)
@pytest.mark.parametrize("last", [BookingConfirmed, booking.PaymentActionRequired, booking.BookingRescheduled])
def test_letters_on_an_occasion_are_worded(kind: Kind, last: type[booking.BookingEvent]) -> None:
    state, people = BY_OCCASION[kind]
    comes = TIM.model_copy(update={"email": "tim@example.org"})
    letters = letters_on(kind, an(last, state=state, attendee=comes), ADMIN_EMAIL)
    assert [letter.audience for letter in letters] == list(people)
    for letter in letters:
        assert ENGLISH.wordings[f"{kind}.{letter.audience}"][1].split("{")[0] in text_of(mail(letter))


@pytest.mark.requirement("notify-people")
def test_a_german_customer_reads_german() -> None:
    event = an(BookingConfirmed, customer=customer(locale="de-DE"))

    message = mail(letter_to(CUSTOMER, event))

    assert message["Subject"] == "Bestätigt: Piano lesson"
    assert "Donnerstag, 31. Januar 2030, 10:00 – 11:00 (Mitteleuropäische" in text_of(message)
    assert "45,00\xa0€" in text_of(message)
    assert '<html lang="de-DE">' in html_of(message)


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("de", "de"),
        ("de_AT", "de-AT"),
        ("de-DE-u-co-phonebk", "de-DE"),
        ("de-Latn-DE-1996-x-mine", "de-DE"),
        ("de-XX", "de"),
        ("en-GB", "en-GB"),
        ("en-US-u-hc-h12", "en-US"),
        *((tag, "en") for tag in ("fr-FR", "gsw-u-hc-h12", "xx", "i-klingon", "x-de", "../..", "-", "", "\x00")),
    ],
)
def test_a_locale_is_read_as_far_as_it_is_known_and_english_where_we_do_not_write_it(tag: str, language: str) -> None:
    assert tag_of(understood(tag)) == language


@pytest.mark.requirement("notify-people")
def test_a_time_is_in_the_recipients_zone_on_either_side_of_a_clock_change() -> None:
    before, after = datetime(2027, 3, 28, 0, 30, tzinfo=UTC), datetime(2027, 3, 28, 1, 30, tzinfo=UTC)

    def told(starts_at: datetime) -> str:
        event = an(BookingConfirmed, starts_at=starts_at, ends_at=starts_at + timedelta(minutes=15))
        return text_of(mail(letter_to(PROVIDER, event)))

    assert "1:30 AM – 1:45 AM (Central European Standard Time, Europe/Berlin)" in told(before)
    assert "3:30 AM – 3:45 AM (Central European Summer Time, Europe/Berlin)" in told(after)


def test_a_session_across_a_clock_change_names_both_zones() -> None:
    starts_at = datetime(2027, 10, 31, 0, 30, tzinfo=UTC)
    event = an(BookingConfirmed, starts_at=starts_at, ends_at=starts_at + timedelta(hours=1))

    text = text_of(mail(letter_to(PROVIDER, event)))

    assert "2:30 AM (Central European Summer Time, Europe/Berlin) – " in text
    assert "2:30 AM (Central European Standard Time, Europe/Berlin)" in text


@pytest.mark.parametrize("name", ["Mars/Olympus", "../../etc/passwd", "Europe", "\x00", "a" * 500])
def test_an_unknown_zone_is_utc(name: str) -> None:
    event = an(BookingConfirmed, provider_timezone=name)

    assert "9:00 AM – 10:00 AM (Coordinated Universal Time, UTC)" in text_of(mail(letter_to(PROVIDER, event)))


@pytest.mark.requirement("notify-people")
def test_a_cancellation_says_what_is_refunded_and_what_is_kept() -> None:
    event = an(booking.BookingCancelled, refund=eur(2250), kept=eur(2250 - 1))

    for audience in (CUSTOMER, PROVIDER):
        text = text_of(mail(letter_to(audience, event)))
        assert "Refund: €22.50" in text
        assert "Kept: €22.49" in text


REASONS: tuple[str, ...] = get_args(booking.PaymentFailed.model_fields["reason"].annotation)
CODES = {
    *declines.SENTENCES,
    *declines.FINAL,
    *(one.code for one in vars(declines).values() if isinstance(one, declines.Decline)),
    *(one.code for one in [declines.not_chargeable(Money(amount=1, currency="KWD"))] if one),
}


@pytest.mark.requirement("notify-people")
@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("code", [None, "of_a_later_release", *sorted(CODES)])
def test_why_a_payment_failed_is_said_in_the_readers_language(reason: str, code: str | None) -> None:
    """English is what the event says; another language has a sentence for the code, or else for the reason."""
    failed = an(booking.PaymentFailed, reason=reason, code=code, customer_message="English sentence.")
    german = failed.model_copy(update={"customer": customer(locale="de")})

    said = text_of(mail(letter_to(CUSTOMER, german)))

    assert "English" not in said
    assert (LANGUAGES["de"].reasons or {})[code if code in CODES else reason] in said
    assert "English sentence." in text_of(mail(letter_to(CUSTOMER, failed)))


@pytest.mark.requirement("notify-people")
def test_why_a_booking_was_called_off_is_ours_or_what_somebody_wrote() -> None:
    closed = an(
        booking.BookingCancelled, customer=customer(locale="de"), reason="the slot was closed", cause="slot_closed"
    )
    ill = an(booking.BookingCancelled, customer=customer(locale="de"), reason="I am ill, désolé")

    assert "Grund: Der Termin wird nicht mehr angeboten." in text_of(mail(letter_to(CUSTOMER, closed)))
    assert "the slot was closed" not in text_of(mail(letter_to(CUSTOMER, closed)))
    assert "Reason: the slot was closed" in text_of(mail(letter_to(PROVIDER, closed)))
    assert "Grund: I am ill, désolé" in text_of(mail(letter_to(CUSTOMER, ill)))


@pytest.mark.requirement("notify-people")
def test_who_lacks_funds_is_asked_to_top_up_and_pay_by_the_deadline() -> None:
    event = an(booking.PaymentRequested, last_error="INSUFFICIENT_FUNDS")

    text = text_of(mail(letter_to(CUSTOMER, event)))

    assert "Please top up and pay by Wednesday, January 2, 2030, 1:00 PM" in text


@pytest.mark.requirement("notify-people")
@pytest.mark.parametrize("tag", ["en", "de-AT"])
def test_a_page_is_read_on_a_phone_and_in_either_direction(tag: str) -> None:
    """A word without end is broken, and a value keeps its own direction: a Hebrew name moves no word of ours."""
    event = an(booking.DisputeRaised, provider_name="שלום", reason="x" * 2000, customer=customer(locale=tag))

    html = html_of(mail(letter_to(CUSTOMER, event)))

    assert f'<html lang="{tag}">' in html
    assert '<meta name="viewport" content="width=device-width' in html
    assert "overflow-wrap: anywhere" in html
    assert '<meta name="color-scheme" content="light dark">' in html
    assert "@media (prefers-color-scheme: dark)" in html
    assert f"<bdi>{'x' * 2000}</bdi>" in html
    assert '<td dir="auto">שלום</td>' in html
    assert html.count("<p dir=") == html.count("<p ")


@pytest.mark.requirement("notify-people")
def test_a_reason_of_blanks_is_none() -> None:
    assert "Reason" not in text_of(mail(letter_to(CUSTOMER, an(booking.BookingRejected, reason=" \n "))))


def test_the_attendee_is_named_where_it_is_not_the_payer() -> None:
    assert "Attendee: Tim Arendt" in text_of(mail(letter_to(CUSTOMER, an(BookingConfirmed, attendee=TIM))))
    assert "Attendee" not in text_of(mail(letter_to(CUSTOMER, an(BookingConfirmed))))


def test_a_moved_booking_shows_both_times() -> None:
    text = text_of(mail(letter_to(CUSTOMER, an(booking.BookingRescheduled))))

    assert "When: Thursday, January 31, 2030, 10:00 AM" in text
    assert "Before: Wednesday, January 30, 2030, 10:00 AM" in text


def _named(template: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(template) if name is not None}


@pytest.mark.requirement("notify-people")
def test_a_reminder_of_a_moved_booking_names_its_new_time_alone() -> None:
    moved = an(booking.BookingRescheduled)
    (letter, _) = letters_on(Kind.REMINDER, moved, ADMIN_EMAIL)

    assert "Before" in text_of(mail(letter_to(CUSTOMER, moved)))
    assert "Before" not in text_of(mail(letter))
