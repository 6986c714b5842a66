"""A refusal is read by people: each error has a sentence of ours, with the field's whole path, and all come at once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from booking_contracts.booking import DefineOffering
from booking_contracts.codes import Code, Rejected
from booking_contracts.envelope import Command
from booking_contracts.payments import AuthorizePayment, SettlePayment
from booking_contracts.refusals import BODY, MOST, NOT_ALLOWED, Problem, problems_of
from booking_contracts.registry import BY_TYPE
from booking_contracts.schema.json_schema import all_schemas
from booking_contracts.testkit import sample
from booking_contracts.texts import WORDS
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue, ValidationError

from tests.contracts.drawn_from_schema import full_bodies
from tests.contracts.test_strictness import Path, changed

COMMANDS = [
    sample.register_provider(),
    sample.register_provider(refund_policy={"tiers": [{"hours_before": 24, "percent": 50}]}),
    sample.define_offering(slot_step_minutes=30, once_per_customer=True, reminder_minutes=(2880, 30)),
    sample.set_schedule(exceptions=[{"date": "2030-01-01", "from": "10:00", "to": "24:00"}]),
    sample.open_slot(capacity=2),
    sample.place_booking(
        customer={"id": "c", "name": "C", "email": "c@example.com", "phone": "+4930123456", "locale": "de"},
        attendee={"id": "a", "name": "A", "email": "a@example.com"},
        actor={"kind": "customer", "id": "c"},
    ),
    sample.resolve_dispute(),
    sample.accept_offer(),
    sample.top_up_wallet(),
]
WRONG: list[JsonValue] = [
    *(None, True, False, 0, -1, 10**13, 10**30, -(10**30), 0.5, 1e300),
    *("", " ", "x", "x" * 3000, "9:00", "0٩:00", "25:00", "24:00", "\x00", "2030-02-30", "2030-02-30T00:00:00Z"),
    *("2030-01-01T00:00:00", "1999-01-01T00:00:00Z", "1999-01-01", "1", "XXX", "00000000-0000-0000-0000-00000000000g"),
    [],
    [None],
    ["x"] * 3000,
    {},
    {"x": 1},
    {"tiers": []},
    {"tiers": [{}] * 60},
]
RELATED = {"price", "weekly.0.to", "exceptions.0.to"}
"""What may be wrong because of another field: the price of all seats, an end before its beginning."""
SCHEMAS = {name: schema for name, schema in all_schemas().items() if issubclass(BY_TYPE[name], Command)}
PLAIN = re.compile(r"(must|is|times) [^\n]*[^\n.]")
LIBRARY = re.compile(r"value error|input|should|validation|pattern|pydantic|instance|\^|\\d|\.\.(?!\w)", re.IGNORECASE)


def paths(value: JsonValue, path: Path = ()) -> Iterator[Path]:
    """Every place in a body."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, found in inner:
        yield (*path, name)
        yield from paths(found, (*path, name))


def problems(kind: type[Command], body: str | bytes) -> tuple[Problem, ...]:
    """What is wrong with the body, nothing where it is read."""
    try:
        kind.model_validate_json(body)
    except ValidationError as error:
        return problems_of(error)
    return ()


def assert_for_people(found: tuple[Problem, ...]) -> None:
    assert len(found) <= MOST
    for problem in found:
        assert problem.problem != NOT_ALLOWED, problem
        assert PLAIN.fullmatch(problem.problem), problem
        assert not LIBRARY.search(problem.problem), problem
        assert problem.message == f"{problem.field} {problem.problem}."


@pytest.mark.requirement("bad-input")
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: type(command).__name__)
def test_whatever_is_wrong_wherever_it_stands_is_said_in_words_of_ours(command: Command) -> None:
    body = json.loads(command.model_dump_json(by_alias=True, exclude_none=True))
    for path in [*paths(body), ("stranger",)]:
        for value in WRONG:
            found = problems(type(command), changed(command, path, value))
            assert_for_people(found)
            where = ".".join(map(str, path))
            about = {problem.field for problem in found} - RELATED
            assert all(where.startswith(field) or field.startswith(where) for field in about), (path, found)


@pytest.mark.requirement("bad-input")
@given(st.data())
def test_commands_of_every_type_are_refused_in_words_of_ours(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(SCHEMAS)))
    kind = BY_TYPE[name]
    assert issubclass(kind, Command)
    body = deepcopy(data.draw(full_bodies(SCHEMAS[name])))  # parts of it are drawn again
    for _ in range(data.draw(st.integers(1, 3))):
        inner: Any = body
        *way, last = data.draw(st.sampled_from(list(paths(body)) or [("stranger",)]))
        for part in way:
            inner = inner[part]
        if isinstance(inner, dict) and last in inner and data.draw(st.booleans()):
            del inner[last]
        else:
            inner[last] = deepcopy(data.draw(st.sampled_from(WRONG)))
    assert_for_people(problems(kind, json.dumps(body)))


@pytest.mark.requirement("bad-input")
@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "must be one JSON object in UTF-8; it cannot be read from line 1, column 0 on"),
        (b'{"a":\n x}', "must be one JSON object in UTF-8; it cannot be read from line 2, column 2 on"),
        (b"\xff", "must be one JSON object in UTF-8; it cannot be read from line 1, column 1 on"),
        (b"[[", "must be one JSON object in UTF-8; it cannot be read from line 1, column 2 on"),
        (b"[]", "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b'"text"', "must be a JSON object"),
    ],
    ids=lambda body: repr(body[:10]),
)
def test_a_body_that_is_no_object(body: bytes, problem: str) -> None:
    for message in (DefineOffering, AuthorizePayment, SettlePayment):
        assert problems(message, body) == (Problem(BODY, problem),)


@pytest.mark.requirement("bad-input")
def test_every_pattern_of_a_command_is_said_in_words() -> None:
    found: set[str] = set()

    def look(node: JsonValue) -> None:
        if isinstance(node, dict):
            found.update([node["pattern"]] if isinstance(node.get("pattern"), str) else [])  # type: ignore[list-item]
            for inner in node.values():
                look(inner)
        elif isinstance(node, list):
            for inner in node:
                look(inner)

    for schema in SCHEMAS.values():
        look(schema)
    assert found
    assert found <= WORDS.keys()


@pytest.mark.requirement("bad-input", "schedule")
@pytest.mark.parametrize(
    ("exception", "told"),
    [
        ({"date": "2030-01-01", "from": "9:00", "to": "10:00"}, "exceptions.1.from must be a time of day"),
        ({"date": "2030-01-01", "from": "0٩:00", "to": "10:00"}, "exceptions.1.from must be a time of day"),
        ({"date": "2030-01-01", "from": "10:00", "to": "09:00"}, "exceptions.1.to must be later than from."),
        ({"date": "2030-01-01", "from": "10:00"}, "exceptions.1.to is missing."),
        ({"date": "2030-01-01", "to": "10:00"}, "exceptions.1.from is missing."),
        ({"date": "2030-01-01"}, "exceptions.1 must name a date and either closed or from and to."),
        ({"date": "2030-01-01", "closed": False}, "exceptions.1.closed must be true or left out."),
        (
            {"date": "2030-01-01", "closed": True, "from": "10:00", "to": "11:00"},
            "exceptions.1.closed must be left out of a date with hours.",
        ),
        ({"closed": True}, "exceptions.1.date is missing."),
        ("2030-01-01", "exceptions.1 must be a JSON object."),
    ],
)
def test_one_wrong_item_of_a_list_is_named_by_its_index(exception: JsonValue, told: str) -> None:
    good: JsonValue = {"date": "2030-01-02", "closed": True}

    (found,) = problems(type(sample.set_schedule()), changed(sample.set_schedule(), ("exceptions",), [good, exception]))

    assert found.message.startswith(told)


@pytest.mark.requirement("bad-input")
def test_all_that_is_wrong_is_told_at_once_in_the_order_of_the_fields() -> None:
    offering = json.loads(sample.define_offering().model_dump_json(exclude_none=True))
    body = {**offering, "title": "", "duration_minutes": "60", "price": {"amount": 0, "currency": "eur"}, "x": 1}
    del body["capacity"]

    found = problems(DefineOffering, json.dumps(body))

    assert [problem.message for problem in found] == [
        "title must not be empty.",
        "duration_minutes must be a whole number.",
        "price.amount must be at least 1.",
        "price.currency must be an ISO 4217 currency code, e.g. EUR.",
        "capacity is missing.",
        "x is not known here; leave it out.",
    ]


@pytest.mark.requirement("bad-input")
def test_of_two_thousand_errors_the_first_twenty_are_told() -> None:
    many: JsonValue = [{"date": "2030-01-01", "from": "9:00", "to": "10:00"}] * 2_000

    found = problems(type(sample.set_schedule()), changed(sample.set_schedule(), ("exceptions",), many))

    assert [problem.field for problem in found] == [f"exceptions.{index}.from" for index in range(20)]


@pytest.mark.requirement("bad-input")
def test_what_only_a_handler_can_know_lists_its_error_too() -> None:
    refused = Rejected(Code.INVALID_COMMAND, "seats is more; book fewer.", field="seats", problem="is more")

    assert refused.details["errors"] == [{"field": "seats", "problem": "is more", "message": refused.message}]
    assert "errors" not in Rejected(Code.SLOT_IN_PAST, "It has begun.").details


@pytest.mark.requirement("bad-input")
@pytest.mark.parametrize(("name", "told"), [("~x", "~x"), ("~custom", "~custom"), ("", '""'), ("a.b", "a.b")])
def test_a_member_that_is_not_known_is_named_whatever_its_name(name: str, told: str) -> None:
    (found,) = problems(DefineOffering, changed(sample.define_offering(), (name,), 1))
    assert found.message == f"{told} is not known here; leave it out."
    policy: JsonValue = {"tiers": [{"hours_before": 1, "percent": 1, name: 1}]}
    (found,) = problems(
        type(sample.register_provider()), changed(sample.register_provider(), ("refund_policy",), policy)
    )
    assert found.message == f"refund_policy.tiers.0.{told} is not known here; leave it out."


@pytest.mark.requirement("bad-input")
def test_a_list_with_a_wrong_item_is_not_said_to_be_empty() -> None:
    policy: JsonValue = {"tiers": [{"hours_before": 0, "percent": 50}]}
    found = problems(type(sample.register_provider()), changed(sample.register_provider(), ("refund_policy",), policy))
    assert [problem.message for problem in found] == ["refund_policy.tiers.0.hours_before must be at least 1."]


@pytest.mark.requirement("bad-input", "schedule")
@pytest.mark.parametrize("field", ["weekly", "exceptions"])
def test_a_field_has_its_name_in_the_schema_alone(field: str) -> None:
    hours = {"weekday": 1} if field == "weekly" else {"date": "2030-01-01"}
    body = changed(sample.set_schedule(), (field,), [{**hours, "from_": "09:00", "to": "10:00"}])
    told = [problem.message for problem in problems(type(sample.set_schedule()), body)]
    assert told[-1] == f"{field}.0.from_ is not known here; leave it out."
