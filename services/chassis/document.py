"""A service's AsyncAPI document for FastStream's tools, cut out of contracts' one source.

FastStream's own generator knows neither a message's headers nor its key. `faststream docs gen
services.booking.app:application --factory` writes it, `docs serve` shows it.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import Any

from booking_contracts.schema.asyncapi import document
from booking_contracts.schema.json_schema import all_schemas
from faststream.specification.base import Specification, SpecificationFactory

from services.chassis.service import Service


class Part(Specification):
    """The part of the whole document that one service sends and receives."""

    def __init__(self, service: str) -> None:
        self._service = service

    @property
    def title(self) -> str:
        """The document's name."""
        return f"{self._service} service"

    def to_jsonable(self) -> Any:
        """Its operations, their channels and messages, with the schemas in place of references to files."""
        whole: Any = json.loads(json.dumps(document(version("booking-contracts"))))
        operations = {name: one for name, one in whole["operations"].items() if one["tags"][0]["name"] == self._service}
        used = [one["channel"] for one in operations.values()]
        used += [one["reply"]["channel"] for one in operations.values() if "reply" in one]
        channels = {name: whole["channels"][name] for name in {channel["$ref"].rpartition("/")[2] for channel in used}}
        names = {name for channel in channels.values() for name in channel["messages"]}
        messages, schemas = whole["components"]["messages"], all_schemas()
        for name in names & schemas.keys():
            messages[name]["payload"] = {"schema": schemas[name], "schemaFormat": SCHEMA_FORMAT}
        return {
            **whole,
            "info": {**whole["info"], "title": self.title},
            "channels": dict(sorted(channels.items())),
            "operations": operations,
            "components": {**whole["components"], "messages": {name: messages[name] for name in sorted(names)}},
        }

    def to_json(self) -> str:
        """The document as text."""
        return json.dumps(self.to_jsonable(), indent=2)

    def to_yaml(self) -> str:
        """Needs PyYAML, as development does."""
        import yaml

        return str(yaml.safe_dump(self.to_jsonable(), sort_keys=False, allow_unicode=True))


SCHEMA_FORMAT = "application/schema+json;version=draft-2020-12"


class Document(SpecificationFactory):
    """FastStream asks it for the specification of its application."""

    def __init__(self, service: Service) -> None:
        self.title, self.description, self.version = f"{service.name} service", None, version("booking-contracts")
        self.contact = self.license = None
        self._service = service.name

    def add_broker(self, broker: Any, /) -> SpecificationFactory:
        """The document comes from contracts, whatever the broker's subscribers are."""
        return self

    def add_http_route(self, path: str, handler: Any) -> None:  # type: ignore[override]
        """HTTP is no part of it."""

    def to_specification(self) -> Specification:
        """The service's part of contracts' document."""
        return Part(self._service)
