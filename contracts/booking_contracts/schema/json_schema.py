"""JSON Schema of every message's body (draft 2020-12), as `make contracts` writes it."""

from __future__ import annotations

from pydantic import JsonValue
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from booking_contracts.registry import BY_TYPE, Kind, Message, kind_of, topics_of

Schema = dict[str, JsonValue]
DRAFT = "https://json-schema.org/draft/2020-12/schema"


class PlainSchema(GenerateJsonSchema):
    """Without a title for every field, and with every field of an event required: it is always sent."""

    def field_title_should_be_set(self, schema: object) -> bool:
        return False

    def field_is_required(
        self,
        field: core_schema.ModelField | core_schema.DataclassField | core_schema.TypedDictField,
        total: bool,
    ) -> bool:
        return self.mode == "serialization" or super().field_is_required(field, total)


def schema_of(message: Message) -> Schema:
    """The schema of one body: for a command what is accepted, for a reply or event what is sent.

    `x-kind`, `x-topics` and `x-key` say how it travels; a reply has the key of its command, so no `x-key`.
    """
    kind = kind_of(message)
    generated = message.model_json_schema(
        schema_generator=PlainSchema, mode="validation" if kind is Kind.COMMAND else "serialization"
    )
    if kind is not Kind.COMMAND:
        opened(generated)
    found: Schema = {
        "$schema": DRAFT,
        "title": message.ce_type,
        "x-kind": kind.value,
        "x-topics": list(topics_of(message)),
    }
    if kind is not Kind.REPLY:
        found["x-key"] = message.key_field
    return {**found, **{name: value for name, value in generated.items() if name != "title"}}


def all_schemas() -> dict[str, Schema]:
    """`ce_type` → schema, for every message there is."""
    return {name: schema_of(message) for name, message in sorted(BY_TYPE.items())}


def key_schema(message: Message) -> Schema:
    """What the Kafka key of a message looks like."""
    field: FieldInfo | None = message.model_fields.get(message.key_field)
    if kind_of(message) is Kind.REPLY:
        return {"type": "string", "description": "The key of the command that is answered."}
    if field is None:
        return {
            "type": "string",
            "format": "uuid",
            "description": f"The {message.key_field} that the body's offering_id belongs to.",
        }
    properties = schema_of(message)["properties"]
    assert isinstance(properties, dict)
    own = properties[message.key_field]
    assert isinstance(own, dict)
    return {**own, "description": f"The body's {message.key_field}."}


def opened(node: JsonValue) -> None:
    """Consumers of replies and events ignore fields they do not know, so their schemas allow them."""
    if isinstance(node, dict):
        if node.get("additionalProperties") is False:
            del node["additionalProperties"]
        for child in node.values():
            opened(child)
    elif isinstance(node, list):
        for child in node:
            opened(child)
