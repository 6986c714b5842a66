"""Texts of commands are read once, at the border, and kept and told in one form."""

from __future__ import annotations

import json
from typing import Any

import pytest
from booking_contracts.booking import AcceptOffer, JoinWaitlist, PlaceBooking, RegisterProvider
from booking_contracts.envelope import Command
from booking_contracts.refusals import problems_of
from booking_contracts.testkit import sample
from booking_contracts.types import Attendee, Customer
from pydantic import ValidationError

from services.booking.contact import READING
from tests.booking.builders import a_customer, place
from tests.chassis.conftest import engine as engine
from tests.chassis.harness import Engine
from tests.chassis.scenes import Scene

KIM = {"id": "kim", "name": "Kim", "email": "Kim@STRAßE.de"}


def read(command: Command, **changes: Any) -> Any:
    """The command as the service reads it from the wire."""
    body = {**json.loads(command.model_dump_json(by_alias=True, exclude_none=True)), **changes}
    return type(command).model_validate_json(json.dumps(body), context=READING)


def read_customer(**changes: str) -> Customer:
    customer = {"id": "bob", "name": "Bob", "email": "bob@example.com", **changes}
    found = read(place(), customer=customer)
    assert isinstance(found, PlaceBooking)
    return found.customer


def refused(command: Command, **changes: Any) -> list[str]:
    """The fields that are wrong."""
    with pytest.raises(ValidationError) as caught:
        read(command, **changes)
    return [problem.field for problem in problems_of(caught.value)]


@pytest.mark.requirement("customer-contact")
def test_every_address_in_a_command_has_the_one_spelling() -> None:
    assert read_customer(email="Bob.B@STRAßE.de").email == "Bob.B@xn--strae-oqa.de"
    for command in (sample.place_booking(), sample.join_waitlist(), sample.accept_offer()):
        found = read(command, attendee=KIM)
        assert isinstance(found, (PlaceBooking, JoinWaitlist, AcceptOffer))
        assert found.attendee == Attendee(id="kim", name="Kim", email="Kim@xn--strae-oqa.de")
        assert refused(command, attendee={**KIM, "email": "kim"}) == ["attendee.email"]
    provider = read(sample.register_provider(), email="ann@STRAßE.de")
    assert isinstance(provider, RegisterProvider)
    assert provider.email == "ann@xn--strae-oqa.de"


@pytest.mark.requirement("customer-contact")
@pytest.mark.parametrize(
    "written",
    [
        "+4930123456",
        "+49 30 123456",
        "+49 (30) 123456",
        "+49 (0)30 123456",
        "(+49) 30-123456",
        "+49.30.12.34.56",
        "+49/30/123456",
        "+49–30—123‑456",
        "+49\N{NO-BREAK SPACE}30\N{NARROW NO-BREAK SPACE}123456",
        "＋４９ ３０ １２３４５６",
        "+٤٩ ٣٠ ١٢٣٤٥٦",
        "\N{LEFT-TO-RIGHT EMBEDDING}+49 30\N{LEFT-TO-RIGHT MARK} 123456\N{POP DIRECTIONAL FORMATTING}",
    ],
)
def test_a_phone_number_in_any_usual_writing_is_kept_as_e_164(written: str) -> None:
    assert read_customer(phone=written).phone == "+4930123456"


@pytest.mark.requirement("customer-contact")
@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("+44 (0)20 7946 0958", "+442079460958"),
        ("+39 02 1234 5678", "+390212345678"),
        ("+1 (253) 555-0100", "+12535550100"),
        ("+7 (495) 123-45-67", "+74951234567"),
        ("+683 4000", "+6834000"),
        ("+800 1234 5678", "+80012345678"),
    ],
)
def test_a_leading_zero_is_dialled_where_the_country_dials_it(written: str, kept: str) -> None:
    assert read_customer(phone=written).phone == kept


@pytest.mark.requirement("customer-contact")
@pytest.mark.parametrize(
    "written",
    [
        "030 123456",
        "0049 30 123456",
        "4930123456",
        "49+30123456",
        "+",
        "+49",
        "+49 30 12",
        "+49 30 123456 / 7654321",
        "+49 30 123456, +49 30 123457",
        "+49 30 123456 ext. 4",
        "+49 30 123456#4",
        "+49 30 123456 call me",
        "+1 800 FLOWERS",
        "+999999999999999999",
        "+999 12345678",
        "tel:+4930123456",
    ],
)
def test_what_is_no_number_with_its_country_or_more_than_one_is_refused(written: str) -> None:
    assert refused(place(), customer={**KIM, "phone": written}) == ["customer.phone"]


@pytest.mark.requirement("customer-contact")
@pytest.mark.parametrize(
    "tag",
    [
        *("en", "de-DE", "es-419", "zh-Hant-TW", "sr-Latn", "sr-Latn-RS", "de-CH-1996", "sl-rozaj-biske-1994"),
        *("en-US-u-hc-h12", "de-DE-u-co-phonebk", "ar-SA-u-ca-islamic-umalqura-nu-arab", "en-a-bbb-x-a-ccc"),
        *("zh-cmn-Hans-CN", "zh-min-nan", "qaa-Qaaa-QM-x-southern", "xx-YY", "mis", "en-US-posix", "en-x-a"),
        *("x-private", "i-klingon", "I-Navajo", "art-lojban", "en-GB-oed", "sgn-BE-FR"),
    ],
)
def test_a_well_formed_language_tag_is_kept_known_or_not(tag: str) -> None:
    """RFC 5646, section 2.1 and appendix A."""
    assert read_customer(locale=tag).locale == tag


@pytest.mark.requirement("customer-contact")
def test_underscores_are_read_as_hyphens() -> None:
    assert read_customer(locale="sr_Latn_RS").locale == "sr-Latn-RS"


@pytest.mark.requirement("customer-contact")
@pytest.mark.parametrize(
    "tag",
    [
        *("e", "de-", "-de", "de--DE", "de DE", " de", "1de", "german!", "de-D", "a-DE", "419", "*", "en-*", "C"),
        *("en-US.UTF-8", "de-DE@euro", "x", "x-", "en-u", "en-x", "i-", "i-foo", "abcdefghi", "de-123456789"),
        *("en-x-abcdefghi", "xx-nowhere-at-all-", "дe", "en\N{ZERO WIDTH SPACE}", "en-ſk", "\N{KELVIN SIGN}a"),
    ],
)
def test_a_malformed_language_tag_is_refused(tag: str) -> None:
    assert refused(place(), customer={**KIM, "locale": tag}) == ["customer.locale"]


@pytest.mark.requirement("customer-contact")
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Argentina/Ushuaia", "UTC", "Etc/GMT+12", "US/Pacific"])
def test_a_zone_is_an_iana_name(zone: str) -> None:
    assert read_customer(timezone=zone).timezone == zone
    assert read(sample.register_provider(), timezone=zone).timezone == zone


@pytest.mark.requirement("customer-contact", "schedule")
@pytest.mark.parametrize(
    "zone",
    [
        *("Europe/Atlantis", "localtime", "posixrules", "Factory", "posix/Europe/Berlin", "right/Europe/Berlin"),
        *("europe/berlin", "EUROPE/BERLIN", "Utc", "Europe/../Europe/Berlin", "../zoneinfo/UTC", "/etc/localtime"),
        *("Europe", "Europe/", "tzdata.zi", "zone.tab", "+02:00", "UTC+2", "CEST", "EST5", ":UTC", " UTC", "UTC "),
    ],
)
def test_a_zone_that_only_some_machines_know_is_refused(zone: str) -> None:
    assert refused(place(), customer={**KIM, "timezone": zone}) == ["customer.timezone"]
    assert refused(sample.register_provider(), timezone=zone) == ["timezone"]


INVISIBLE = [
    " ",
    "\N{NO-BREAK SPACE}\N{IDEOGRAPHIC SPACE}\N{EM SPACE}",
    "\N{ZERO WIDTH SPACE}",
    "\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}\N{WORD JOINER}",
    "\N{ZERO WIDTH NO-BREAK SPACE}",
    "\N{SOFT HYPHEN}",
    "\N{RIGHT-TO-LEFT OVERRIDE}\N{POP DIRECTIONAL FORMATTING}",
    "\N{LEFT-TO-RIGHT MARK}",
    "\N{FIRST STRONG ISOLATE} \N{POP DIRECTIONAL ISOLATE}",
    "\N{COMBINING ACUTE ACCENT}",
    " \N{COMBINING ACUTE ACCENT}",
    "\N{VARIATION SELECTOR-16}",
    "\N{COMBINING GRAPHEME JOINER}",
    "\N{LINE SEPARATOR}\N{PARAGRAPH SEPARATOR}",
    "\N{HANGUL FILLER}",
    "\N{HALFWIDTH HANGUL FILLER}\N{HANGUL CHOSEONG FILLER}\N{HANGUL JUNGSEONG FILLER}",
    "\N{BRAILLE PATTERN BLANK}",
    "\N{MONGOLIAN VOWEL SEPARATOR}",
    "\N{TAG LATIN SMALL LETTER A}",
    "\N{OBJECT REPLACEMENT CHARACTER}",
    "\U0010fffd\uffff",
]


@pytest.mark.requirement("customer-contact", "bad-input")
@pytest.mark.parametrize("text", INVISIBLE)
def test_a_text_that_shows_nothing_is_refused_wherever_people_read_it(text: str) -> None:
    assert refused(place(), customer={**KIM, "name": text}, attendee={**KIM, "name": text}) == [
        "customer.name",
        "attendee.name",
    ]
    assert refused(sample.register_provider(), name=text) == ["name"]
    assert refused(sample.define_offering(), title=text) == ["title"]
    assert refused(sample.reject_booking(), reason=text) == ["reason"]
    assert refused(sample.cancel_booking(), reason=text) == ["reason"]
    assert refused(sample.raise_dispute(), reason=text) == ["reason"]
    assert refused(sample.resolve_dispute(), note=text) == ["note"]


@pytest.mark.requirement("customer-contact")
@pytest.mark.parametrize(
    "name",
    [
        *(
            "A",
            "李",
            "क्षि",
            "O'Neil",
            "Anna-Lena Müller",
            "José",
            "محمد",
            "ไทย",
            "🎹",
            "👩\N{ZERO WIDTH JOINER}🏫",
            "½",
            "?",
        ),
        *("\N{RIGHT-TO-LEFT MARK}דנה", "한", "⠓", " Ada "),
    ],
)
def test_a_text_that_shows_something_stays_as_it_is(name: str) -> None:
    assert read_customer(name=name).name == name


@pytest.mark.requirement("customer-contact", "bad-input")
def test_what_was_kept_before_a_rule_is_read_for_ever() -> None:
    """Events and rows have no readers: a name that nobody could give today does not stop a booking of last year."""
    assert a_customer(name=" ", timezone="localtime", email="a@straße.de").name == " "


@pytest.mark.requirement("customer-contact")
async def test_what_is_stored_and_told_is_normalised(engine: Engine) -> None:
    scene = await Scene(engine).open()
    customer = Customer(id="bob", name="Bob", email="bob@STRAßE.de", phone="+49 (0)30 123456", locale="de_DE")
    await engine.tell(scene.place().model_copy(update={"customer": customer}))
    (row,) = await engine.fetch("SELECT customer FROM booking_contact")
    (placed,) = [sent for sent in await engine.sent() if sent.type == "booking.BookingPlaced.v1"]
    for found in (json.loads(row["customer"]), placed.body["customer"]):
        kept = (found["email"], found["phone"], found["locale"])
        assert kept == ("bob@xn--strae-oqa.de", "+4930123456", "de-DE")
