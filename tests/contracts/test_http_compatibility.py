"""The gate over HTTP: what clients ask and read today they can ask and read tomorrow (contract.md, Evolution)."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from booking_contracts.schema import compatibility
from booking_contracts.schema.compatibility import path_incompatibilities
from booking_contracts.schema.http_compatibility import all_documents

OLD: Any = all_documents()
SUBSCRIBE = "notifications post /v1/webhook-subscriptions"
BODY = "parameters.body.application/json"
LIST, ONE = "booking get /v1/bookings", "booking get /v1/bookings/{id}"
Change = Callable[[Any], object]


def parameters(documents: Any) -> Any:
    return documents["booking"]["paths"]["/v1/bookings"]["get"]["parameters"]


def parameter(documents: Any, name: str) -> Any:
    return next(one for one in parameters(documents) if one["name"] == name)


def schema(documents: Any, name: str) -> Any:
    return documents["booking"]["components"]["schemas"][name]


def asked(documents: Any) -> Any:
    return documents["notifications"]["components"]["schemas"]["Subscribe"]


def without(documents: Any, name: str) -> None:
    parameters(documents).remove(parameter(documents, name))


def newly(documents: Any, *, required: bool) -> None:
    new = {"name": "color", "in": "query", "required": required, "schema": {"type": "string"}}
    parameters(documents).append(new)


def lost(documents: Any, field: str) -> None:
    del schema(documents, "Booking")["properties"][field]
    schema(documents, "Booking")["required"].remove(field)


BREAKS: dict[str, tuple[Change, str, str, str]] = {
    "parameter gone": (lambda d: without(d, "include"), LIST, "parameters.query.include", "not a known field"),
    "parameter required": (lambda d: newly(d, required=True), LIST, "parameters.query.color", "is required"),
    "word of a parameter gone": (
        lambda d: parameter(d, "order")["schema"]["enum"].remove("-starts_at"),
        LIST,
        "parameters.query.order",
        "-starts_at",
    ),
    "smaller pages": (
        lambda d: parameter(d, "limit")["schema"].update(maximum=100),
        LIST,
        "parameters.query.limit",
        "maximum",
    ),
    "another default": (
        lambda d: parameter(d, "limit")["schema"].update(default=50),
        LIST,
        "parameters.query.limit",
        "default was 100",
    ),
    "field gone": (lambda d: lost(d, "sequence"), ONE, "answer.sequence", "is not sent"),
    "field may be missing": (
        lambda d: schema(d, "Booking")["required"].remove("seats"),
        ONE,
        "answer.seats",
        "may be left out",
    ),
    "field may be null": (
        lambda d: schema(d, "Booking")["properties"].update(seats={"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        ONE,
        "answer.seats",
        "null",
    ),
    "field in a list of another type": (
        lambda d: schema(d, "Booking")["properties"].update(seats={"type": "string"}),
        LIST,
        "answer.items[*].seats",
        "string may be sent",
    ),
    "new word": (
        lambda d: schema(d, "Booking")["properties"]["state"]["enum"].append("LOST"),
        ONE,
        "answer.state",
        "LOST",
    ),
    "other media type": (
        lambda d: d["booking"]["paths"]["/metrics"]["get"]["responses"]["200"].update(content={"text/html": {}}),
        "booking get /metrics",
        "answer",
        "x-media",
    ),
    "other scope": (
        lambda d: d["booking"]["paths"]["/v1/bookings/{id}"]["get"].update(security=[{"token": ["read:money"]}]),
        ONE,
        "$",
        "read:money",
    ),
    "path gone": (lambda d: d["booking"]["paths"].pop("/v1/bookings/{id}"), ONE, "$", "removed"),
    "field of a body gone": (
        lambda d: asked(d)["properties"].pop("description"),
        SUBSCRIBE,
        f"{BODY}.description",
        "not a known field",
    ),
    "field of a body required": (
        lambda d: asked(d)["required"].append("description"),
        SUBSCRIBE,
        f"{BODY}.description",
        "is required",
    ),
    "shorter text in a body": (
        lambda d: asked(d)["properties"]["url"].update(maxLength=100),
        SUBSCRIBE,
        f"{BODY}.url",
        "maxLength",
    ),
    "service gone": (lambda d: d.pop("payments"), "payments get /v1/ledger", "$", "removed"),
}
FINE: dict[str, Change] = {
    "new field of a body": lambda d: asked(d)["properties"].update(color={"type": "string"}),
    "new parameter": lambda d: newly(d, required=False),
    "larger pages": lambda d: parameter(d, "limit")["schema"].update(maximum=500),
    "new field": lambda d: schema(d, "Booking")["properties"].update(color={"type": "string"}),
    "field never null any more": lambda d: schema(d, "Booking")["properties"].update(
        payment_id={"type": "string", "format": "uuid"}
    ),
    "new path": lambda d: d["booking"]["paths"].update({"/v2/bookings": d["booking"]["paths"]["/v1/bookings"]}),
    "another sentence": lambda d: d["booking"]["paths"]["/v1/bookings"]["get"].update(summary="Bookings"),
    "another refusal": lambda d: d["booking"]["paths"]["/v1/bookings"]["get"]["responses"].update(
        {"429": {"$ref": "#/components/responses/Unavailable"}}
    ),
}


def changed(change: Change) -> Any:
    documents = deepcopy(OLD)
    change(documents)
    return documents


@pytest.mark.requirement("contracts")
@pytest.mark.parametrize("case", BREAKS)
def test_a_change_that_breaks_a_client_is_refused(case: str) -> None:
    change, name, path, problem = BREAKS[case]
    found = path_incompatibilities(OLD, changed(change))
    assert any((one.message, one.path) == (name, path) and problem in one.problem for one in found), found
    assert path_incompatibilities(OLD, changed(change), retired=[one.message for one in found]) == []


@pytest.mark.requirement("contracts")
@pytest.mark.parametrize("case", FINE)
def test_a_change_that_breaks_nobody_passes(case: str) -> None:
    assert path_incompatibilities(OLD, changed(FINE[case])) == []


@pytest.mark.requirement("contracts")
def test_the_command_compares_paths_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "openapi").mkdir()
    for service, document in OLD.items():
        (tmp_path / "openapi" / f"{service}.json").write_text(json.dumps(document))
    change, name, path, problem = BREAKS["parameter gone"]

    assert compatibility.main(["--against", str(tmp_path)], {}, changed(change)) == 1

    told = capsys.readouterr().err
    assert f"{name}  {path}: " in told
    assert problem in told
    assert compatibility.main(["--against", str(tmp_path), "--retire", name], {}, changed(change)) == 0
    assert compatibility.main(["--against", str(tmp_path)], {}, OLD) == 0
