"""Commands are strict: what is not exactly right is refused, and the field is named by its dotted path."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from booking_contracts.booking import CancelBooking, CommandAccepted, PlaceBooking, SlotOpened
from booking_contracts.envelope import Command, rfc3339, uuid7
from booking_contracts.payments import PaymentVoided, VoidPayment
from booking_contracts.testkit import sample
from booking_contracts.types import Price
from pydantic import JsonValue, ValidationError

Path = tuple[str | int, ...]


def changed(command: Command, path: Path, value: JsonValue) -> str:
    """The command's JSON with one value replaced or added."""
    body = json.loads(command.model_dump_json(by_alias=True, exclude_none=True))
    inner = body
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = value
    return json.dumps(body)


def refused_field(command: Command, path: Path, value: JsonValue) -> str:
    """The dotted path that the refusal names; parts that only name a union's branch are left out."""
    with pytest.raises(ValidationError) as refused:
        type(command).model_validate_json(changed(command, path, value))
    location = refused.value.errors()[0]["loc"]
    return ".".join(str(part) for part in location if not str(part).startswith("~"))


@pytest.mark.requirement("contracts", "bad-input")
@pytest.mark.parametrize("value", ["1", 1.0, 1.5, True, None, [1], 0, -1, 100_001, 10**30])
def test_seats_are_a_whole_number_in_range_and_nothing_is_coerced(value: JsonValue) -> None:
    assert refused_field(sample.place_booking(), ("seats",), value) == "seats"


@pytest.mark.requirement("contracts", "bad-input")
@pytest.mark.parametrize(
    "value",
    [
        "2030-01-31T10:00:00+01:00",
        "2030-01-31T10:00:00",
        "2030-01-31",
        "2030-01-31 10:00:00Z",
        "1900000000",
        1900000000,
        "2030-02-30T10:00:00Z",
        "tomorrow",
        "",
        None,
    ],
)
def test_an_instant_is_rfc_3339_in_utc(value: JsonValue) -> None:
    assert refused_field(sample.place_booking(), ("starts_at",), value) == "starts_at"


@pytest.mark.requirement("contracts", "bad-input")
@pytest.mark.parametrize("value", ["0001-01-01T00:00:00Z", "1999-12-31T23:59:59.999999Z", "2200-01-01T00:00:00Z"])
def test_an_instant_lies_in_years_in_which_nothing_can_overflow(value: str) -> None:
    for command in (sample.place_booking(), sample.open_slot(), sample.close_slot(), sample.join_waitlist()):
        assert refused_field(command, ("starts_at",), value) == "starts_at"
    assert refused_field(sample.reschedule_booking(), ("starts_at",), value) == "starts_at"


@pytest.mark.requirement("contracts", "schedule")
@pytest.mark.parametrize("value", ["2000-01-01T00:00:00Z", "2199-12-31T23:59:59.999999Z"])
def test_the_first_and_the_last_instant_are_read_to_the_microsecond(value: str) -> None:
    command = sample.open_slot()

    read = type(command).model_validate_json(changed(command, ("starts_at",), value))

    assert rfc3339(read.starts_at) == value
    assert rfc3339(datetime.fromtimestamp(float(f"{read.starts_at.timestamp():.6f}"), UTC)) == value


@pytest.mark.requirement("contracts")
def test_what_is_computed_from_the_last_instant_can_be_told() -> None:
    """A slot's end, and every deadline, lie after what a command may name."""
    last = datetime(2199, 12, 31, 23, 59, tzinfo=UTC)

    told = SlotOpened(
        provider_id=uuid7(), offering_id=uuid7(), starts_at=last, ends_at=last + timedelta(days=7), capacity=1
    )

    assert SlotOpened.model_validate_json(told.model_dump_json()) == told


@pytest.mark.requirement("schedule", "bad-input")
@pytest.mark.parametrize("value", ["1999-12-31", "2200-01-01", "1900800000", 1900800000, "2030-01-01T00:00:00Z"])
def test_a_date_is_a_full_date_of_the_same_years(value: JsonValue) -> None:
    exception: JsonValue = [{"date": value, "closed": True}]

    assert refused_field(sample.set_schedule(), ("exceptions",), exception) == "exceptions.0.date"


@pytest.mark.requirement("price-integrity", "bad-input")
def test_what_all_seats_cost_is_an_amount_that_can_be_told() -> None:
    dear = sample.define_offering(price=Price(amount=10**10, currency="EUR"), capacity=100)

    assert refused_field(dear, ("capacity",), 101) == "price"


@pytest.mark.requirement("contracts")
@pytest.mark.parametrize("value", ["2030-01-31T10:00:00Z", "2030-01-31T10:00:00.250Z"])
def test_an_instant_with_z_is_read(value: str) -> None:
    command = sample.place_booking()

    read = type(command).model_validate_json(changed(command, ("starts_at",), value))

    assert read.starts_at.isoformat().startswith("2030-01-31T10:00:00")


@pytest.mark.requirement("customer-contact", "bad-input")
@pytest.mark.parametrize("text", ["a\x00b", "a\nb", "a\rb", "\x1b[2J", "a\x7f", "a\x85"])
@pytest.mark.parametrize("field", ["name", "email", "phone", "locale", "timezone", "id"])
def test_control_characters_and_null_bytes_are_refused_in_contact_data(field: str, text: str) -> None:
    assert refused_field(sample.place_booking(), ("customer", field), text) == f"customer.{field}"


@pytest.mark.requirement("bad-input")
@pytest.mark.parametrize("text", ["a\x00b", "a\x0bb", "", "x" * 2001])
def test_prose_has_a_limit_and_no_null_bytes(text: str) -> None:
    assert refused_field(sample.raise_dispute(), ("reason",), text) == "reason"


def test_prose_may_have_several_lines() -> None:
    command = sample.raise_dispute()

    read = type(command).model_validate_json(changed(command, ("reason",), "one\n\ttwo"))

    assert read.reason == "one\n\ttwo"


@pytest.mark.requirement("contracts")
@pytest.mark.parametrize("currency", ["XXX", "eur", "EURO", "", "€", 978])
def test_a_currency_is_an_iso_4217_code(currency: JsonValue) -> None:
    command = sample.define_offering()

    assert refused_field(command, ("price", "currency"), currency) == "price.currency"


@pytest.mark.requirement("contracts")
@pytest.mark.parametrize("amount", [0, -1, "4500", 45.0, True, 10**12 + 1])
def test_a_price_is_at_least_one_minor_unit(amount: JsonValue) -> None:
    assert refused_field(sample.define_offering(), ("price", "amount"), amount) == "price.amount"


@pytest.mark.requirement("price-integrity")
@pytest.mark.parametrize("field", ["price", "commission_bps", "provider_id"])
def test_a_booking_that_brings_its_own_price_is_refused(field: str) -> None:
    price: JsonValue = {"amount": 1, "currency": "EUR"}

    assert refused_field(sample.place_booking(), (field,), price) == field


@pytest.mark.requirement("refund-policy")
def test_two_tiers_with_the_same_hours_are_refused() -> None:
    twice: JsonValue = {"tiers": [{"hours_before": 24, "percent": 50}, {"hours_before": 24, "percent": 100}]}

    assert refused_field(sample.register_provider(), ("refund_policy",), twice) == "refund_policy.tiers"


@pytest.mark.requirement("refund-policy")
@pytest.mark.parametrize("policy", ["generous", 1, {"tiers": []}, {"tiers": [{"hours_before": 0, "percent": 1}]}])
def test_a_refund_policy_is_a_known_name_or_tiers(policy: JsonValue) -> None:
    assert refused_field(sample.register_provider(), ("refund_policy",), policy).startswith("refund_policy")


@pytest.mark.requirement("schedule")
@pytest.mark.parametrize("to", ["09:00", "08:59", "25:00", "9:30", "24:01"])
def test_weekly_hours_end_after_they_begin(to: str) -> None:
    assert refused_field(sample.set_schedule(), ("weekly", 3, "to"), to) == "weekly.3.to"


@pytest.mark.requirement("schedule")
def test_weekly_hours_may_end_at_midnight() -> None:
    command = sample.set_schedule()

    read = type(command).model_validate_json(changed(command, ("weekly", 0, "to"), "24:00"))

    assert read.weekly[0].to == "24:00"


@pytest.mark.requirement("schedule")
@pytest.mark.parametrize(
    ("exception", "field"),
    [
        ({"date": "2030-01-01", "from": "10:00", "to": "09:00"}, "exceptions.0.to"),
        ({"date": "2030-01-01", "closed": False}, "exceptions.0.closed"),
        ({"date": "2030-02-30", "closed": True}, "exceptions.0.date"),
        ({"date": "2030-01-01"}, "exceptions.0"),
        ({"date": "2030-01-01", "from": "10:00"}, "exceptions.0.to"),
        ({"date": "2030-01-01", "closed": True, "from": "10:00", "to": "11:00"}, "exceptions.0.closed"),
    ],
)
def test_an_exception_is_closed_or_has_hours(exception: JsonValue, field: str) -> None:
    assert refused_field(sample.set_schedule(), ("exceptions",), [exception]) == field


@pytest.mark.requirement("wallet")
def test_a_wallet_payment_names_no_card() -> None:
    choice: JsonValue = {"method": "wallet", "payment_method": "pm_1"}

    assert refused_field(sample.place_booking(), ("payment",), choice) == "payment"
    assert refused_field(sample.pay_booking(), ("payment",), choice) == "payment"
    assert refused_field(sample.accept_offer(), ("payment",), choice) == "payment"


@pytest.mark.requirement("contracts")
@pytest.mark.parametrize("kind", ["owner", "Customer", "", None])
def test_an_actor_is_of_a_known_kind(kind: JsonValue) -> None:
    assert refused_field(sample.cancel_booking(), ("actor", "kind"), kind) == "actor.kind"


@pytest.mark.requirement("contracts")
@pytest.mark.parametrize("value", ["", "a b", "x" * 129, "ä", "a/b", 17])
def test_opaque_ids_have_a_small_alphabet(value: JsonValue) -> None:
    assert refused_field(sample.cancel_booking(), ("actor", "id"), value) == "actor.id"


@pytest.mark.requirement("contracts")
def test_an_unknown_field_deep_inside_is_refused_with_its_path() -> None:
    assert refused_field(sample.place_booking(), ("customer", "vip"), True) == "customer.vip"
    assert refused_field(sample.set_schedule(), ("weekly", 0, "note"), "x") == "weekly.0.note"


DEEP = 20_000
ENDLESS = "9" * 100_000


@pytest.mark.requirement("bad-input")
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff",
        b"\xef\xbb\xbf{}",
        "{}".encode("utf-16"),
        b'{"booking_id": "\xed\xa0\x80"}',
        b'{"booking_id": "\\ud800"}',
        b'{"\\ud800": 1}',
        b"[" * DEEP,
        b'{"x":' * DEEP,
        b'{"actor":' + b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"}",
        f'{{"booking_id": {ENDLESS}}}'.encode(),
        f'{{"x": -{ENDLESS}}}'.encode(),
    ],
    ids=lambda body: repr(body[:30]),
)
def test_what_is_no_json_object_is_refused_and_does_not_crash(body: bytes) -> None:
    for message in (CancelBooking, CommandAccepted):
        with pytest.raises(ValidationError):
            message.model_validate_json(body)


@pytest.mark.requirement("bad-input")
@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "9" * 4_000, "1e0", "-0"])
def test_a_number_that_is_none_names_its_field(number: str) -> None:
    body = sample.place_booking(seats=17).model_dump_json(by_alias=True, exclude_none=True)
    body = body.replace('"seats":17', f'"seats":{number}')

    with pytest.raises(ValidationError) as refused:
        PlaceBooking.model_validate_json(body)

    assert refused.value.errors()[0]["loc"] == ("seats",)


@pytest.mark.requirement("bad-input", "contracts")
@pytest.mark.parametrize(
    ("command", "once", "twice", "path"),
    [
        (sample.place_booking(seats=2), '"seats":2', '"seats":2,"seats":200', ("seats",)),
        (sample.place_booking(), '"name":"', '"name":"Eve","name":"', ("customer", "name")),
        (sample.set_schedule(), '"weekday":3', '"weekday":3,"weekday":3', ("weekly", 2, "weekday")),
        (sample.cancel_booking(), '"reason":', '"\\u0072eason":"x","reason":', ("reason",)),
    ],
)
def test_a_field_that_is_given_twice_is_refused(
    command: Command, once: str, twice: str, path: tuple[str | int, ...]
) -> None:
    body = command.model_dump_json(by_alias=True, exclude_none=True)
    assert once in body

    with pytest.raises(ValidationError) as refused:
        type(command).model_validate_json(body.replace(once, twice, 1))

    (error,) = refused.value.errors()
    assert (error["loc"], error["msg"]) == (path, "is given twice")


@pytest.mark.requirement("bad-input")
@pytest.mark.parametrize("attempt", [2**31, -(2**31), 10**30])
def test_the_number_of_a_try_can_be_stored(attempt: int) -> None:
    fields: dict[str, JsonValue] = {"booking_id": str(uuid7()), "payment_id": str(uuid7()), "attempt": attempt}

    for message in (VoidPayment, PaymentVoided):
        with pytest.raises(ValidationError) as refused:
            message.model_validate_json(json.dumps(fields))
        assert refused.value.errors()[0]["loc"] == ("attempt",)
