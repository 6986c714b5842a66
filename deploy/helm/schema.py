"""values.schema.json: what Helm refuses before it makes anything. Draft 7, the newest that both majors of Helm read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deploy.helm.annotated import Value

Schema = dict[str, Any]
TYPES: Mapping[type, str] = {bool: "boolean", int: "integer", str: "string", list: "array", dict: "object"}
TEXT = {"type": "string"}
QUANTITY = {"type": ["string", "integer"], "pattern": "^[0-9.]+(m|k|M|G|T|Ki|Mi|Gi|Ti)?$"}


def closed(properties: Mapping[str, object], **more: object) -> Schema:
    """An object that has nothing else."""
    return {"type": "object", "properties": dict(properties), "additionalProperties": False, **more}


def whole(properties: Mapping[str, object]) -> Schema:
    """An object that has all of it. Values are laid over defaults, so that only a null takes something away."""
    return closed(properties, required=list(properties))


def texts(**more: object) -> Schema:
    """An object of texts."""
    return {"type": "object", "additionalProperties": TEXT, **more}


HEXTET, BYTE = "[0-9A-Fa-f]{1,4}", "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
IPV4 = rf"({BYTE}\.){{3}}{BYTE}/(3[0-2]|[12]?[0-9])"
IPV6_ADDRESSES = [
    f"({HEXTET}:){{7}}{HEXTET}",  # whole, or with :: after so many of its eight parts
    f"::({HEXTET}(:{HEXTET}){{0,6}})?",
    *(f"({HEXTET}:){{{before}}}(:{HEXTET}){{1,{7 - before}}}" for before in range(1, 7)),
    f"({HEXTET}:){{1,7}}:",
]
IPV6 = f"({'|'.join(IPV6_ADDRESSES)})/(12[0-8]|1[01][0-9]|[1-9]?[0-9])"
NETWORK = {"$ref": "#/definitions/network"}
NOT_FOR_VALUES = "PASSWORD|SECRET|TOKEN|KEY|HEADERS|_URL"
"""Names of settings that are, or hold, a secret: they come from a Secret and never from values."""

DEFINITIONS: Mapping[str, Schema] = {
    "secret": whole({"name": TEXT, "key": {**TEXT, "minLength": 1}}),
    "certificate": whole({"name": TEXT, "cert": {**TEXT, "minLength": 1}, "key": {**TEXT, "minLength": 1}}),
    "texts": texts(),
    "env": texts(propertyNames={"pattern": "^[A-Z][A-Z0-9_]*$", "not": {"pattern": NOT_FOR_VALUES}}),
    "port": {"type": "integer", "minimum": 1, "maximum": 65535},
    "duration": {"type": "string", "pattern": "^[0-9]+(ms|s|m|h)$"},
    "network": {**TEXT, "pattern": f"^({IPV4}|{IPV6})$"},
    "name": {**TEXT, "minLength": 1},
    "peers": {
        "type": "array",
        "items": {
            "type": "object",
            "minProperties": 1,
            "properties": {
                "ipBlock": closed(
                    {"cidr": NETWORK, "except": {"type": "array", "items": NETWORK}},
                    required=["cidr"],
                )
            },
        },
    },
    "resources": closed(
        {
            "requests": {"type": "object", "additionalProperties": QUANTITY, "required": ["cpu", "memory"]},
            "limits": {"type": "object", "additionalProperties": QUANTITY, "required": ["memory"]},
        },
        required=["requests", "limits"],
    ),
    "client": closed(
        {
            "name": {"type": "string", "pattern": "^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"},
            "roles": {"type": "array", "minItems": 1, "items": {"enum": ["internal", "admin", "operators"]}},
        },
        required=["name", "roles"],
    ),
}


def schema(values: Sequence[Value], removed: Sequence[str]) -> Schema:
    """The schema of a chart's values. What was removed is let through: a template says what to do instead."""
    found = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        **_group(values),
        "definitions": dict(DEFINITIONS),
    }
    for path in removed:
        *groups, name = path.split(".")
        place = found
        for group in groups:
            place = place["properties"][group]
        place["properties"][name] = {"description": "Removed: files/removed.yaml."}
    return found


def _group(values: Sequence[Value]) -> Schema:
    """`required` is all but what is null by default, which Helm drops."""
    required = [value.name for value in values if value.default is not None]
    return closed({value.name: _one(value) for value in values}, required=required)


def _one(value: Value) -> Schema:
    told: Schema = {"description": value.text} if value.text else {}
    if value.same_as:
        return {"$ref": "#/properties/" + value.same_as.replace(".", "/properties/")}
    if "$ref" in value.schema:
        return dict(value.schema)
    if value.children:
        return {**told, **_group(value.children), **value.schema}
    default = {} if value.default is None else {"type": TYPES[type(value.default)]}
    return {**told, **default, "default": value.default, **value.schema}
