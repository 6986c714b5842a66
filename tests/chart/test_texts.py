"""Texts of values stay texts, whatever YAML would take them for without quotes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from deploy.helm.tools import CHART
from tests.chart.rendered import Rendered, helm, render, settings, values_of

pytestmark = pytest.mark.requirement("chart")

NUMBER = "123"
ELSEWHERE = {"kafka.bootstrapServers", "mail.host", "tracingEndpoint", "stripe.apiBase", "mail.publicUrl"}
"""What has a form that a number has not."""


def free_texts(schema: dict[str, Any], root: dict[str, Any], path: str = "") -> Iterator[tuple[str, object]]:
    """Every value that is any text, as a number that is one; and lists and maps of texts, with one in them."""
    while "$ref" in schema:
        place: Any = root
        for name in schema["$ref"].removeprefix("#/").split("/"):
            place = place[name]
        schema = place
    if schema.get("type") == "object" and schema.get("additionalProperties") == {"type": "string"}:
        yield path, {"A": NUMBER}
    elif schema.get("type") == "object":
        for name, inner in schema.get("properties", {}).items():
            yield from free_texts(inner, root, f"{path}.{name}".removeprefix("."))
    elif schema.get("type") == "array" and schema.get("items") == {"type": "string"}:
        yield path, [NUMBER]
    elif schema.get("type") == "string" and not schema.keys() & {"enum", "pattern"} and path not in ELSEWHERE:
        yield path, NUMBER


def numbers(place: object, path: str) -> Iterator[str]:
    if isinstance(place, dict):
        for name, inner in place.items():
            if not isinstance(name, str):
                yield f"{path}.{name!r}"
            yield from numbers(inner, f"{path}.{name}")
    elif isinstance(place, list):
        for number, inner in enumerate(place):
            yield from numbers(inner, f"{path}[{number}]")
    elif place == int(NUMBER):
        yield path


@pytest.mark.parametrize("name", ["autoscaling", "cloudnativepg", "production", "strimzi", "watched"])
def test_a_text_that_looks_like_a_number_is_a_text(tools: None, name: str) -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    changed = [
        part for path, value in free_texts(schema, schema) for part in ("--set-json", f"{path}={json.dumps(value)}")
    ]
    files = [part for file in values_of(name) for part in ("-f", file)]
    made = Rendered(helm("helm4", "template", NUMBER, CHART, "--namespace", NUMBER, *files, *changed))
    assert [path for one in made.objects for path in numbers(one, f"{one['kind']}/{one['metadata']['name']}")] == []


def test_a_role_with_signs_of_a_url_in_its_name_is_that_role(tools: None) -> None:
    """As some clouds name them: role@server."""
    pods = render(
        changed={"services.booking.database.user": "booking@db/a", "services.booking.database.name": "the db"}
    )
    url = settings(pods.containers()["Deployment/booking"])["DATABASE_URL"]
    assert url is not None
    parts = urlsplit(url)
    assert unquote(parts.username or "") == "booking@db/a"
    assert (parts.hostname, unquote(parts.path)) == ("postgresql.example", "/the db")
