"""The OpenAPI 3.1 document of a service: its paths, who may ask, what is answered and what is refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from http import HTTPStatus

from pydantic import BaseModel, JsonValue
from pydantic.json_schema import models_json_schema

from booking_contracts.http import SERVICES
from booking_contracts.http.every_service import DESCRIPTION, Problem
from booking_contracts.http.operation import Operation, Parameters
from booking_contracts.problems import PAGE, ProblemKind
from booking_contracts.schema.codes_page import explained
from booking_contracts.schema.json_schema import DRAFT, PlainSchema, Schema, opened

SCHEMAS, RESPONSES = "#/components/schemas/", "#/components/responses/"
TITLES = {ProblemKind.NOT_READY: "Not ready", ProblemKind.BODY_TOO_LARGE: "Request Entity Too Large"}
"""Where services do not say HTTP's own phrase; Python changes that of 413 from version to version."""
_INTRODUCTION = f"""\
What is read of the service, and who is told of its events; what changes a booking is a command on Kafka (AsyncAPI).

Every service shows its own document at `{DESCRIPTION}`; like health, metrics and `{PAGE}` it needs no token.
What is refused is answered with `application/problem+json` (RFC 9457): also a path that there is not (404), and a
method that a path does not take (405). A parameter that is unknown, or comes twice where it is no list, is a 400 that
names it. Fields may be added to answers: ignore those that you do not know.
"""


def openapi(service: str, version: str) -> Schema:
    """The whole document of `booking`, `payments` or `notifications`."""
    operations = SERVICES[service]
    paths: dict[str, Schema] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": f"The service {service}", "version": version, "description": _INTRODUCTION},
        "jsonSchemaDialect": DRAFT,
        "servers": [{"url": "/"}],
        "paths": dict[str, JsonValue](paths),
        "components": {
            "schemas": _schemas(operations),
            "responses": _refusals(operations),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(operation: Operation) -> Schema:
    found: Schema = {"operationId": operation.name, "summary": operation.summary}
    if operation.description:
        found["description"] = operation.description
    # OpenAPI 3.1 lets a scheme that is no OAuth2 name roles too.
    found["security"] = [{"token": [operation.scope]}] if operation.scope else []
    parameters = [*_parameters(operation), *map(_header, operation.headers)]
    if parameters:
        found["parameters"] = list[JsonValue](parameters)
    if operation.method == "post":
        schema: Schema = {"$ref": SCHEMAS + operation.body.__name__} if operation.body else {"type": "object"}
        found["requestBody"] = {"required": True, "content": {operation.sent: {"schema": schema}}}
    answers: Schema = {"200": {"description": operation.summary, "content": _content(operation.answer)}}
    for kind in operation.refusals:
        answers.setdefault(str(kind.status), {"$ref": RESPONSES + _name(kind)})
    found["responses"] = answers
    return found


def _content(answer: type[BaseModel] | str) -> Schema:
    if isinstance(answer, str):
        return {answer: {}}
    return {"application/json": {"schema": {"$ref": SCHEMAS + answer.__name__}}}


def _parameters(operation: Operation) -> Iterator[Schema]:
    if operation.parameters is None:
        return
    schema = parameters_schema(operation.parameters)
    properties, required = schema["properties"], schema.get("required", [])
    assert isinstance(properties, dict)
    assert isinstance(required, list)
    for name, found in properties.items():
        assert isinstance(found, dict)
        shown = {keyword: value for keyword, value in found.items() if keyword != "description"}
        one: Schema = {"name": name, "in": "path" if f"{{{name}}}" in operation.path else "query"}
        if "description" in found:
            one["description"] = found["description"]
        yield {**one, "required": name in required, "schema": shown}


def parameters_schema(model: type[Parameters]) -> Schema:
    """Its JSON Schema. What is not said is left out of a query, so that no parameter is null."""
    schema: Schema = model.model_json_schema(schema_generator=PlainSchema)
    properties = schema["properties"]
    assert isinstance(properties, dict)
    return {**schema, "properties": {name: _without_null(found) for name, found in properties.items()}}


def _without_null(schema: JsonValue) -> JsonValue:
    assert isinstance(schema, dict)
    if "anyOf" not in schema:
        return {name: value for name, value in schema.items() if (name, value) != ("default", [])}
    branches = schema["anyOf"]
    assert isinstance(branches, list)
    (one,) = (branch for branch in branches if branch != {"type": "null"})
    assert isinstance(one, dict)
    return {**one, **{name: value for name, value in schema.items() if name not in ("anyOf", "default")}}


def _header(name: str) -> Schema:
    return {"name": name, "in": "header", "required": True, "schema": {"type": "string"}}


def _schemas(operations: Iterable[Operation]) -> Schema:
    answers = {operation.answer for operation in operations if not isinstance(operation.answer, str)} | {Problem}
    models = sorted(answers, key=lambda model: model.__name__)
    _, found = models_json_schema(
        [(model, "validation") for model in models], ref_template=SCHEMAS + "{model}", schema_generator=PlainSchema
    )
    schemas: Schema = found["$defs"]
    opened(schemas)
    bodies = [one.body for one in operations if one.body is not None]
    _, asked = models_json_schema(
        [(model, "validation") for model in bodies], ref_template=SCHEMAS + "{model}", schema_generator=PlainSchema
    )
    schemas |= asked.get("$defs", {})
    return {name: _untitled(schema) for name, schema in sorted(schemas.items())}


def _untitled(schema: JsonValue) -> JsonValue:
    assert isinstance(schema, dict)
    return {name: value for name, value in schema.items() if name != "title"}


def _refusals(operations: Iterable[Operation]) -> Schema:
    refused = {kind for operation in operations for kind in operation.refusals}
    said = explained(ProblemKind)
    return {_name(kind): _refusal(kind, said[kind][0]) for kind in ProblemKind if kind in refused}


def _name(kind: ProblemKind) -> str:
    return "".join(word.title() for word in kind.value.split("-"))


def _refusal(kind: ProblemKind, when: str) -> Schema:
    example: Schema = {
        "type": kind.reference,
        "title": TITLES.get(kind) or HTTPStatus(kind.status).phrase,
        "status": kind.status,
        "detail": "What it is about this time, in a sentence.",
    }
    content: Schema = {"schema": {"$ref": f"{SCHEMAS}{Problem.__name__}"}, "example": example}
    found: Schema = {"description": " ".join(when.split()), "content": {"application/problem+json": content}}
    if kind is ProblemKind.UNAVAILABLE:
        seconds: Schema = {"description": "Seconds to wait.", "schema": {"type": "integer"}}
        found["headers"] = {"Retry-After": seconds}
    return found
