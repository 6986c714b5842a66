"""The generated documents are what the messages say, and AsyncAPI names every topic, message, key and header."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from booking_contracts.booking import COMMANDS
from booking_contracts.registry import BY_TYPE, Kind, kind_of, topics_of
from booking_contracts.schema import generate
from booking_contracts.schema.json_schema import all_schemas
from booking_contracts.topics import TOPICS
from jsonschema import Draft202012Validator

SCHEMAS = all_schemas()


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((generate.GENERATED / "asyncapi.yaml").read_text(encoding="utf-8"))
    return found


def resolved(document: dict[str, Any], reference: str) -> dict[str, Any]:
    """What a `#/…` reference points at."""
    found = document
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


@pytest.mark.requirement("contracts")
def test_what_is_committed_is_up_to_date() -> None:
    assert generate.main(["--check"]) == 0


@pytest.mark.requirement("contracts")
@pytest.mark.parametrize("damage", ["changed", "missing", "left over"])
def test_a_difference_is_found_and_the_sentence_says_what_to_run(
    damage: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    generate.write(tmp_path)
    assert generate.main(["--check"], tmp_path) == 0
    name = "schemas/booking.PlaceBooking.v1.json"
    match damage:
        case "changed":
            (tmp_path / name).write_text("{}")
        case "missing":
            (tmp_path / name).unlink()
        case _:
            name = "schemas/booking.Forgotten.v1.json"
            (tmp_path / name).write_text("{}")

    assert generate.main(["--check"], tmp_path) == 1

    told = capsys.readouterr().err
    assert name in told
    assert "make contracts" in told
    assert generate.main([], tmp_path) == 0
    assert generate.differing(tmp_path) == []


@pytest.mark.requirement("contracts")
def test_generating_twice_gives_the_same_bytes() -> None:
    assert generate.rendered.__wrapped__() == generate.rendered.__wrapped__()


@pytest.mark.requirement("contracts")
@pytest.mark.parametrize("name", BY_TYPE)
def test_a_schema_is_valid_and_strict_for_commands_alone(name: str) -> None:
    schema = SCHEMAS[name]

    Draft202012Validator.check_schema(schema)
    assert schema["title"] == name
    is_command = kind_of(BY_TYPE[name]) is Kind.COMMAND
    assert (schema.get("additionalProperties") is False) == is_command
    assert ('"additionalProperties": false' in json.dumps(schema)) == is_command


@pytest.mark.requirement("contracts")
def test_every_field_of_an_event_is_always_sent() -> None:
    for name, message in BY_TYPE.items():
        if kind_of(message) is not Kind.COMMAND:
            schema = SCHEMAS[name]
            assert schema["required"] == list(schema["properties"])  # type: ignore[arg-type]


@pytest.mark.requirement("contracts")
def test_every_topic_is_a_channel_with_its_settings_and_messages(document: dict[str, Any]) -> None:
    assert document["asyncapi"] == "3.0.0"
    assert list(document["channels"]) == [topic.name for topic in TOPICS]
    for topic in TOPICS:
        channel = document["channels"][topic.name]
        kafka = channel["bindings"]["kafka"]
        assert kafka["partitions"] == topic.partitions
        assert kafka["topicConfiguration"]["retention.ms"] == topic.retention_ms
        expected = {name for name, message in BY_TYPE.items() if topic.name in topics_of(message)}
        assert set(channel["messages"]) == (expected or {"dead-letter"})
    assert len(document["channels"]["booking.admin-commands"]["messages"]) == len(COMMANDS)


@pytest.mark.requirement("contracts")
@pytest.mark.parametrize("name", BY_TYPE)
def test_every_message_has_key_headers_and_payload(name: str, document: dict[str, Any]) -> None:
    message = document["components"]["messages"][name]

    assert message["bindings"]["kafka"]["key"]["type"] == "string"
    assert (generate.GENERATED / message["payload"]["$ref"]).is_file()
    general, own = message["headers"]["allOf"]
    headers = resolved(document, general["$ref"])
    assert own["properties"]["ce_type"] == {"const": name}
    needed = set(headers["required"])
    kind = kind_of(BY_TYPE[name])
    assert needed >= {"ce_id", "ce_type"}
    assert (needed == {"ce_id", "ce_type"}) == (kind is Kind.COMMAND)
    assert ("ce_sequence" in needed) == (kind is Kind.EVENT)
    assert ("ce_causationid" in needed) == (kind is Kind.REPLY)
    assert needed <= headers["properties"].keys()


@pytest.mark.requirement("contracts")
def test_every_reference_inside_the_document_leads_somewhere(document: dict[str, Any]) -> None:
    def references(node: object) -> set[str]:
        if isinstance(node, dict):
            own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
            return own.union(*map(references, node.values()))
        return set().union(*map(references, node)) if isinstance(node, list) else set()

    for reference in references(document):
        assert resolved(document, reference) if reference.startswith("#/") else True


@pytest.mark.requirement("contracts")
def test_every_service_says_what_it_sends_and_receives(document: dict[str, Any]) -> None:
    operations = document["operations"]

    for topic in TOPICS:
        actions = {one["action"] for one in operations.values() if one["channel"]["$ref"].endswith(f"/{topic.name}")}
        assert actions == {"send", "receive"}
    receives = operations["booking.receive.booking.commands"]
    assert receives["reply"]["channel"] == {"$ref": "#/channels/booking.replies"}
    assert len(receives["reply"]["messages"]) == 2
    assert "booking.send.payments.commands" in operations
    assert "internal-services.send.payments.commands" not in operations
    assert "internal-services.send.booking.admin-commands" not in operations
