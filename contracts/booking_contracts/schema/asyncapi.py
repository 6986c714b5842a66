"""The AsyncAPI 3.0 document: topics with their Kafka settings, messages with key and headers, who sends what."""

from __future__ import annotations

import re

from pydantic import JsonValue

from booking_contracts.registry import BY_TOPIC, BY_TYPE, REPLY_TOPICS, Kind, Message, kind_of
from booking_contracts.schema.json_schema import Schema, key_schema
from booking_contracts.topics import ANY, COMPRESSION, MAX_BATCH_BYTES, MAX_BODY_BYTES, TOPICS, Topic

KAFKA_BINDING = "0.5.0"
DEAD_LETTER = "dead-letter"
_INTRODUCTION = f"""\
Three services, booking, payments and notifications, are driven by commands on Kafka and tell what happened as events.

Headers are CloudEvents 1.0 in binary mode, the value is the JSON body alone, at most {MAX_BODY_BYTES // 1024} KiB.
A command needs `ce_id`, `ce_type` and the key. It is strict: unknown fields are refused, JSON types are not coerced.
Every command of a client gets exactly one reply, also when it is sent twice under one `ce_id`.
Consumers of replies and events ignore fields and types they do not know, and may see a record again (same `ce_id`).
"""
_UUID: Schema = {"type": "string", "format": "uuid"}


def document(version: str) -> Schema:
    """The whole document; `payload` points at the schema files beside it."""
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Booking system", "version": version, "description": _INTRODUCTION},
        "defaultContentType": "application/json",
        "servers": {
            "kafka": {
                "host": "{bootstrap_servers}",
                "protocol": "kafka",
                "variables": {"bootstrap_servers": {"description": "host:port of the brokers"}},
            }
        },
        "channels": {topic.name: _channel(topic) for topic in TOPICS},
        "operations": _operations(),
        "components": {
            "messages": {
                **{name: _message(message) for name, message in sorted(BY_TYPE.items())},
                DEAD_LETTER: _dead_letter(),
            },
            "schemas": {f"{kind}-headers": _headers(kind) for kind in Kind},
        },
    }


def _channel(topic: Topic) -> Schema:
    return {
        "address": topic.name,
        "summary": topic.carries,
        "description": f"Key: {topic.key}. Written by {' and '.join(topic.writers)}.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in _message_names(topic)},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {
                    "cleanup.policy": ["delete"],
                    "retention.ms": topic.retention_ms,
                    "max.message.bytes": MAX_BATCH_BYTES,
                    "compression.type": COMPRESSION,
                },
                "bindingVersion": KAFKA_BINDING,
            }
        },
    }


def _message_names(topic: Topic) -> list[str]:
    return [message.ce_type for message in BY_TOPIC.get(topic.name, ())] or [DEAD_LETTER]


def _message(message: Message) -> Schema:
    kind = kind_of(message)
    return {
        "name": message.ce_type,
        "title": message.__name__,
        "summary": " ".join((message.__doc__ or f"The {kind} {message.__name__}.").split()),
        "contentType": "application/json",
        "headers": {
            "allOf": [
                {"$ref": f"#/components/schemas/{kind}-headers"},
                {"type": "object", "properties": {"ce_type": {"const": message.ce_type}}},
            ]
        },
        "correlationId": {"location": "$message.header#/ce_correlationid"},
        "payload": {"$ref": f"schemas/{message.ce_type}.json"},
        "bindings": {"kafka": {"key": key_schema(message), "bindingVersion": KAFKA_BINDING}},
    }


def _headers(kind: Kind) -> Schema:
    """The headers of a kind of message and which of them are always there (contract.md, A message)."""
    properties: Schema = {
        "ce_specversion": {"const": "1.0"},
        "ce_id": {**_UUID, "description": "Identifies the message; for a command it is the command id."},
        "ce_type": {"type": "string"},
        "ce_source": {"type": "string", "maxLength": 512, "description": "`/booking`, or the caller's own."},
        "ce_subject": {"type": "string", "description": "The key."},
        "ce_time": {"type": "string", "format": "date-time"},
        "content-type": {"const": "application/json"},
        "ce_correlationid": {
            "type": "string",
            "maxLength": 512,
            "description": "Repeated on everything that follows; defaults to the id of the first command.",
        },
        "ce_causationid": {**_UUID, "description": "The id of the message that caused this one."},
        "ce_replyto": {"type": "string", "maxLength": 64, "description": "Opaque; echoed on the reply."},
        "traceparent": {"type": "string", "description": "W3C Trace Context."},
    }
    required = ["ce_id", "ce_type"]
    if kind is not Kind.COMMAND:
        required += ["ce_specversion", "ce_source", "ce_subject", "ce_time", "content-type", "ce_correlationid"]
    if kind is Kind.REPLY:
        required += ["ce_causationid"]
    if kind is Kind.EVENT:
        del properties["ce_replyto"]
        properties["ce_sequence"] = {
            "type": "string",
            "pattern": "^[0-9]{12}$",
            "description": "1, 2, 3 … per topic and key, without gaps.",
        }
        required += ["ce_sequence"]
    return {"type": "object", "properties": properties, "required": list[JsonValue](required)}


def _dead_letter() -> Schema:
    properties: Schema = {
        "dead_letter_origin": {"type": "string", "description": "topic/partition/offset of the original."},
        "dead_letter_error": {"type": "string", "maxLength": 1100, "description": "Why it was set aside."},
    }
    return {
        "name": DEAD_LETTER,
        "title": "Dead letter",
        "summary": "A copy of a message that could not be handled: its own headers and bytes, with the error.",
        "headers": {"type": "object", "properties": properties, "required": list[JsonValue](properties)},
        "payload": {"description": "The bytes of the original, which may be anything."},
        "bindings": {"kafka": {"key": {"type": "string"}, "bindingVersion": KAFKA_BINDING}},
    }


def _operations() -> Schema:
    found: Schema = {}
    for topic in TOPICS:
        for action, parties in (("send", topic.writers), ("receive", topic.readers)):
            for party in parties:
                name = _slug(party)
                found[f"{name}.{action}.{topic.name}"] = _operation(topic, action, name)
    return found


def _slug(party: str) -> str:
    return "internal-services" if party == ANY else re.sub(r"\W+", "-", party)


def _operation(topic: Topic, action: str, party: str) -> Schema:
    operation: Schema = {
        "action": action,
        "channel": {"$ref": f"#/channels/{topic.name}"},
        "summary": f"{party} {'writes' if action == 'send' else 'reads'} {topic.carries}.",
        "tags": [{"name": party}],
        "messages": [_message_in(topic.name, name) for name in _message_names(topic)],
    }
    answered_on = REPLY_TOPICS.get(topic.name)
    if answered_on is not None:
        replies = [_message_in(answered_on, message.ce_type) for message in BY_TOPIC[answered_on]]
        operation["reply"] = {"channel": {"$ref": f"#/channels/{answered_on}"}, "messages": list[JsonValue](replies)}
    return operation


def _message_in(channel: str, name: str) -> JsonValue:
    return {"$ref": f"#/channels/{channel}/messages/{name}"}
