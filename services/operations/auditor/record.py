"""What is wrong as far as is known: in memory, in the log, in metrics, and as rows of the database `operations`.

Where that database is away, all goes on without it, and the rows are written when it is there again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import asyncpg
import structlog

from services.chassis.database import AMISS, ASKED_RARELY, Connection, Session, Where, columns
from services.operations.auditor import metrics
from services.operations.auditor.check_types import MOST
from services.operations.auditor.findings import Finding, Key, Kind

log = structlog.get_logger()

SAW = """
INSERT INTO violation AS v (kind, subject, detail, ids, booking_id, payment_id)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::jsonb[], $5::uuid[], $6::uuid[])
ON CONFLICT (kind, subject) WHERE gone_at IS NULL
DO UPDATE SET last_seen = now(), detail = EXCLUDED.detail, ids = EXCLUDED.ids
    WHERE v.last_seen < now() - interval '30 seconds' OR v.detail <> EXCLUDED.detail
"""
GONE = """
UPDATE violation v SET gone_at = now() FROM unnest($1::text[], $2::text[]) AS g (kind, subject)
WHERE (v.kind, v.subject) = (g.kind, g.subject) AND v.gone_at IS NULL
"""
OPEN = """
SELECT kind, subject, detail, ids, booking_id, payment_id FROM violation WHERE gone_at IS NULL
ORDER BY first_seen LIMIT 10000
"""
PASSES = """
INSERT INTO audit_pass (name, position, began_at, ended_at, rows, seconds, problem)
SELECT * FROM unnest($1::text[], $2::jsonb[], $3::timestamptz[], $4::timestamptz[], $5::bigint[], $6::float8[],
                     $7::text[])
ON CONFLICT (name) DO UPDATE SET
    position = EXCLUDED.position, began_at = EXCLUDED.began_at, ended_at = EXCLUDED.ended_at, rows = EXCLUDED.rows,
    seconds = EXCLUDED.seconds, problem = EXCLUDED.problem
"""
KINDS = frozenset(Kind)
"""A build beside this one may know others."""
POSITIONS = "SELECT name, position ->> 'after' AS after FROM audit_pass WHERE ended_at IS NULL"


@dataclass(slots=True)
class Pass:
    """How far a walk is: `after` which key, None once it has ended; what it cost, without its rests."""

    began_at: datetime
    after: str | None = None
    ended_at: datetime | None = None
    rows: int = 0
    seconds: float = 0.0
    problem: str | None = None


class Record:
    """`where`: the database of operations; None where nobody has said."""

    def __init__(self, where: Where | None) -> None:
        self._session = Session(where, "auditor", ASKED_RARELY) if where is not None else None
        self.open: dict[Key, Finding] = {}
        self.passes: dict[str, Pass] = {}
        self.problem: str | None = None
        self._gone: dict[Key, Finding] = {}

    def saw(self, found: Iterable[Finding]) -> None:
        """These count. What is new is an error in the log."""
        kept = Counter(kind for kind, _ in self.open)
        for one in found:
            if one.key not in self.open:
                if kept[one.kind] >= MOST:
                    log.error("more of a kind than are kept", kind=one.kind, kept=MOST)
                    break
                kept[one.kind] += 1
                log.error("violation", **one.row())
            self.open[one.key] = one
            self._gone.pop(one.key, None)
        self._count()

    def well(self, keys: Iterable[Key]) -> None:
        """A later look has found nothing wrong with these."""
        for key in keys:
            one = self.open.pop(key, None)
            if one is not None:
                log.info("violation is gone", **one.row())
                self._gone[key] = one
        self._count()

    def of(self, kinds: Collection[Kind]) -> list[Finding]:
        """What is open of some kinds."""
        return [one for one in self.open.values() if one.kind in kinds]

    def _count(self) -> None:
        counted = Counter(kind for kind, _ in self.open)
        for kind in Kind:
            metrics.violations.labels(kind).set(counted[kind])

    async def keep(self) -> None:
        """Write what is new, and take over what a life before this one has left open."""
        problem = "OPERATIONS_DATABASE_URL is not set"
        if self._session is not None:
            try:
                async with self._session.transaction() as connection:
                    gone = dict(self._gone)
                    await self._write(connection, gone)
                    left = await connection.fetch(OPEN)
                self._gone = {key: one for key, one in self._gone.items() if key not in gone}
                self._take_over(left)
                problem = ""
            except AMISS as error:
                problem = repr(error)
                await self._session.close()
        metrics.unkept.set(bool(problem))
        if problem and self.problem is None:
            log.warning("what is found cannot be kept", error=problem)
        self.problem = f"what is found cannot be kept: {problem}" if problem else None

    async def _write(self, connection: Connection, gone: Mapping[Key, Finding]) -> None:
        """What came and went between two writes has a row, too."""
        if seen := {**gone, **self.open}:
            rows = [
                (one.kind, one.subject, one.detail, json.dumps(dict(one.ids)), one.booking_id, one.payment_id)
                for _, one in sorted(seen.items())
            ]
            await connection.execute(SAW, *columns(rows))
        if gone:
            await connection.execute(GONE, *columns(sorted(gone)))
        if self.passes:
            lines = [
                (name, json.dumps({"after": of.after}), of.began_at, of.ended_at, of.rows, of.seconds, of.problem)
                for name, of in sorted(self.passes.items())
            ]
            await connection.execute(PASSES, *columns(lines))

    def _take_over(self, rows: list[asyncpg.Record]) -> None:
        for kind, subject, detail, ids, booking_id, payment_id in map(tuple, rows):
            if kind in KINDS and (Kind(kind), subject) not in self.open.keys() | self._gone.keys():
                finding = Finding(Kind(kind), subject, detail, json.loads(ids), booking_id, payment_id)
                self.open[finding.key] = finding
        self._count()

    async def positions(self) -> dict[str, str]:
        """Where each walk's pass stood when it was last kept; nothing where that cannot be known."""
        try:
            rows = await (await self._session.connection()).fetch(POSITIONS) if self._session is not None else []
        except AMISS:
            rows = []
        return {row["name"]: row["after"] for row in rows if row["after"]}

    async def close(self) -> None:
        """Give the connection back."""
        if self._session is not None:
            await self._session.close()
