"""The plans that PostgreSQL really used for what the code really sent: auto_explain tells the session itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import asyncpg

from services.chassis.database import Connection, Pool

AUTO_EXPLAIN = {
    "session_preload_libraries": "auto_explain",
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_analyze": "on",
    "auto_explain.log_timing": "off",
    "auto_explain.log_format": "json",
    "auto_explain.log_level": "notice",
}


@dataclass(frozen=True)
class Scan:
    """One table's part in a statement. `rows` were looked at, those that a filter removed included."""

    query: str
    table: str
    kind: str
    rows: int


@dataclass
class Plans:
    """Scans of every statement sent through its connections. Only a superuser may ask for them: `url` is one's."""

    url: str
    scans: list[Scan] = field(default_factory=list)

    async def pool(self, settings: Mapping[str, str], size: int = 4) -> Pool:
        """A pool of such sessions, planned as `settings` say."""
        listen = self._listen
        return await asyncpg.create_pool(
            self.url,
            min_size=1,
            max_size=size,
            setup=listen,
            server_settings={**settings, **AUTO_EXPLAIN},
        )

    async def session(self, settings: Mapping[str, str]) -> Connection:
        """One such session."""
        connection = await asyncpg.connect(self.url, server_settings={**settings, **AUTO_EXPLAIN})
        await self._listen(connection)
        return connection

    def taken(self) -> list[Scan]:
        """The scans since the last call."""
        found, self.scans = self.scans, []
        return found

    async def _listen(self, connection: Any) -> None:
        connection.add_log_listener(self._heard)

    def _heard(self, _: object, message: Any) -> None:
        _, marker, plan = cast(str, message.message).partition("plan:\n")
        if marker:
            found = json.loads(plan)
            self.scans += _scans(found["Query Text"], found["Plan"])


def _scans(query: str, node: Mapping[str, Any]) -> Iterator[Scan]:
    removed = sum(int(count) for name, count in node.items() if name.startswith("Rows Removed by"))
    rows = int((node.get("Actual Rows", 0) + removed) * node.get("Actual Loops", 1))
    if "Relation Name" in node and "Scan" in node["Node Type"]:
        yield Scan(query, node["Relation Name"], node["Node Type"], rows)
    for child in node.get("Plans", ()):
        yield from _scans(query, child)
