"""Holds what a service answers to its OpenAPI document: status, media type, and every field of the body."""

from __future__ import annotations

import json
import re
from typing import Any

from booking_contracts.http import SERVICES
from booking_contracts.schema.generate import GENERATED
from jsonschema import Draft202012Validator, FormatChecker

SCHEMAS = "#/components/schemas/"


class NotDescribed(AssertionError):
    """A service answered what its document does not say; the message names both."""


class Described:
    """The document of one service, as it is committed. `seen` are the operations that were answered with a 200."""

    def __init__(self, service: str) -> None:
        text = (GENERATED / "openapi" / f"{service}.json").read_text(encoding="utf-8")
        self.document: dict[str, Any] = json.loads(text)
        self.seen: set[str] = set()
        self._models = {one.name: one.answer for one in SERVICES[service] if not isinstance(one.answer, str)}
        # Readers ignore what they do not know; these tests do not, or a field that was never described would pass.
        schemas = json.loads(text.replace(f'"{SCHEMAS}', '"#/$defs/'))["components"]["schemas"]
        self._definitions = {name: _closed(schema) for name, schema in schemas.items()}

    def has(self, method: str, path: str) -> bool:
        """Whether anything is said of a path, as it is asked for."""
        return self._operation(method, path) is not None

    def _operation(self, method: str, path: str) -> dict[str, Any] | None:
        plain = path.partition("?")[0]
        # A path without a variable comes before one with: OpenAPI 3.1, Paths Object.
        for template, methods in sorted(self.document["paths"].items(), key=lambda item: "{" in item[0]):
            if re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template)), plain) and method.lower() in methods:
                found: dict[str, Any] = methods[method.lower()]
                return found
        return None

    def check(self, method: str, path: str, status: int, media: str, body: Any) -> None:
        """Raises NotDescribed, with the first thing that is wrong. The model in contracts reads the body, too."""
        operation = self._operation(method, path)
        if operation is None:
            raise NotDescribed(f"{method} {path[:200]} is not in the document")
        response = operation["responses"].get(str(status))
        if response is None:
            raise NotDescribed(f"{method} {path[:200]} was answered {status}, of which nothing is said")
        if "$ref" in response:
            response = self.document["components"]["responses"][response["$ref"].rpartition("/")[2]]
        if media not in response["content"]:
            raise NotDescribed(f"{method} {path[:200]}: {status} with {media}, not with {list(response['content'])}")
        schema = response["content"][media].get("schema", {})
        self._validate(f"{method} {path[:200]}: {status}", schema, body)
        if status == 200:
            self.seen.add(operation["operationId"])
            if operation["operationId"] in self._models:
                self._models[operation["operationId"]].model_validate_json(json.dumps(body))

    def _validate(self, what: str, schema: dict[str, Any], body: Any) -> None:
        text = json.dumps({**schema, "$defs": self._definitions}).replace(f'"{SCHEMAS}', '"#/$defs/')
        for error in Draft202012Validator(json.loads(text), format_checker=CHECKER).iter_errors(body):
            raise NotDescribed(f"{what}: {error.json_path}: {error.message[:300]}")


CHECKER = FormatChecker(formats=("uuid",))


@CHECKER.checks("date-time")
def _instant(value: object) -> bool:
    """RFC 3339, in UTC; jsonschema checks it only with another library."""
    return not isinstance(value, str) or re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", value) is not None


def _closed(schema: Any) -> Any:
    """No object with fields that the schema does not name."""
    if isinstance(schema, dict):
        found = {name: _closed(value) for name, value in schema.items()}
        return {"additionalProperties": False, **found} if "properties" in found else found
    return [_closed(one) for one in schema] if isinstance(schema, list) else schema
