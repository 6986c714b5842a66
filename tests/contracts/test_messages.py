"""Every message: what its schema allows is read, what is written its schema allows, and nothing is lost between."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache

import pytest
from booking_contracts import booking, payments
from booking_contracts.envelope import Envelope, read_envelope, uuid7
from booking_contracts.registry import BY_TYPE, Kind, kind_of, topics_of
from booking_contracts.schema.json_schema import all_schemas
from booking_contracts.topics import TOPICS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker
from pydantic import JsonValue

from tests.contracts.drawn_from_schema import bodies, full_bodies

SCHEMAS = all_schemas()
EXAMPLES = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@cache
def drawn(name: str) -> st.SearchStrategy[JsonValue]:
    """Bodies of one type: a strategy is dearer to make than to draw from."""
    return bodies(SCHEMAS[name])


@cache
def with_a_field_of_tomorrow(name: str) -> st.SearchStrategy[dict[str, JsonValue]]:
    return full_bodies(SCHEMAS[name], a_field_of_tomorrow=1)


@pytest.mark.requirement("contracts")
@pytest.mark.parametrize("name", SCHEMAS)
@EXAMPLES
@given(data=st.data())
def test_schema_and_model_agree_and_a_round_trip_loses_nothing(name: str, data: st.DataObject) -> None:
    sent = data.draw(drawn(name))

    read = BY_TYPE[name].model_validate_json(json.dumps(sent))
    written = read.model_dump_json(by_alias=True)

    validator = Draft202012Validator(SCHEMAS[name], format_checker=FormatChecker())
    assert list(validator.iter_errors(json.loads(written))) == []
    assert BY_TYPE[name].model_validate_json(written) == read
    assert isinstance(sent, dict)
    kept = json.loads(written)
    assert sent.keys() <= kept.keys()
    assert all(kept[field] == value for field, value in sent.items() if isinstance(value, bool | int))


@pytest.mark.requirement("contracts")
@pytest.mark.parametrize("name", SCHEMAS)
@settings(EXAMPLES, max_examples=3)
@given(data=st.data())
def test_an_unknown_field_is_refused_in_a_command_and_ignored_elsewhere(name: str, data: st.DataObject) -> None:
    body = json.dumps(data.draw(with_a_field_of_tomorrow(name)))

    if kind_of(BY_TYPE[name]) is Kind.COMMAND:
        with pytest.raises(ValueError, match="a_field_of_tomorrow"):
            BY_TYPE[name].model_validate_json(body)
    else:
        assert "a_field_of_tomorrow" not in BY_TYPE[name].model_validate_json(body).model_dump()


@pytest.mark.requirement("contracts")
def test_an_unknown_field_inside_a_value_of_an_event_is_ignored() -> None:
    body = {
        "customer_id": "customer-1",
        "amount": {"amount": 1, "currency": "EUR", "a_field_of_tomorrow": 1},
        "payment_intent": None,
    }

    read = payments.WalletToppedUp.model_validate_json(json.dumps(body))

    assert read.amount.amount == 1


def test_every_message_has_a_topic_that_exists_and_a_type_of_its_own() -> None:
    known = {topic.name for topic in TOPICS}
    for name, message in BY_TYPE.items():
        assert topics_of(message)
        assert set(topics_of(message)) <= known
        assert name == message.ce_type
    assert BY_TYPE["wallet.CommandAccepted.v1"] is payments.WalletCommandAccepted
    assert BY_TYPE["catalogue.SlotOpened.v1"] is booking.SlotOpened


def test_no_message_of_the_package_is_forgotten() -> None:
    """Every message class that has no subclasses stands in the tables that documents and clients are made from."""

    def leaves(kind: type) -> set[type]:
        return set().union(*map(leaves, kind.__subclasses__())) if kind.__subclasses__() else {kind}

    modules = ("booking_contracts.booking", "booking_contracts.payments", "booking_contracts.notifications")
    from booking_contracts.envelope import MessageBody

    assert {leaf for leaf in leaves(MessageBody) if leaf.__module__.startswith(modules)} == set(BY_TYPE.values())


@pytest.mark.requirement("contracts")
@pytest.mark.parametrize("sequence", [None, 1, 999_999_999_999])
def test_an_envelope_survives_kafka(sequence: int | None) -> None:
    now = datetime(2030, 1, 31, 9, tzinfo=UTC)
    sent = Envelope(
        id=uuid7(),
        type="booking.BookingPlaced.v1",
        source="/booking",
        key="0190f3c4-0000-7000-8000-000000000001",
        time=now,
        body=b"{}",
        correlation_id="order-1",
        causation_id=str(uuid7()),
        sequence=sequence,
        reply_to="client-1",
        traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    )

    assert read_envelope(sent.key.encode(), sent.body, sent.headers(), now) == sent
