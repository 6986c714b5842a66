"""Sessions of a PostgreSQL database: who is there, who waits on whom; and ending one that keeps others waiting.

PostgreSQL lets a role end sessions of its own role and of no other. Nothing more is granted here: what is of another
role (a migration, a superuser) is ended by who may (docs/operate/console.md, Sessions).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.chassis.database import Connection
from services.chassis.operator import NotPossible

SHOWN = 100
ENDED_WITHIN_MS = 3_000
SESSIONS = """
WITH waits AS MATERIALIZED (
    SELECT pid, pg_blocking_pids(pid) AS behind FROM (SELECT DISTINCT pid FROM pg_locks WHERE NOT granted) l
), blocks AS (
    SELECT b.pid, count(*) AS count FROM waits, unnest(behind) b (pid) GROUP BY b.pid
), held AS MATERIALIZED (
    SELECT l.pid, string_agg(DISTINCT c.relname, ', ' ORDER BY c.relname) AS tables
    FROM pg_locks l JOIN pg_class c ON c.oid = l.relation AND c.relkind = 'r'
    WHERE l.granted AND l.mode <> 'AccessShareLock'
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    GROUP BY l.pid
)
SELECT a.pid, a.usename AS role, a.usename = current_user AS ours, a.application_name AS application,
       host(a.client_addr) AS address, a.backend_start AS since, a.state, a.xact_start AS transaction_since,
       CASE WHEN a.state = 'active' THEN extract(epoch FROM clock_timestamp() - a.query_start)::float8 END AS seconds,
       concat_ws(': ', a.wait_event_type, a.wait_event) AS waits_for, coalesce(w.behind, '{}') AS behind,
       coalesce(b.count, 0) AS blocks, h.tables, a.query AS statement
FROM pg_stat_activity a LEFT JOIN waits w USING (pid) LEFT JOIN blocks b USING (pid) LEFT JOIN held h USING (pid)
WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND ($1::int IS NULL OR a.pid = $1)
ORDER BY coalesce(b.count, 0) DESC, w.pid IS NULL, a.state IS DISTINCT FROM 'active', a.xact_start, a.pid LIMIT $2
"""
"""Of another role only its name, what it holds and whom it keeps waiting are to be seen."""
END = """
SELECT pg_terminate_backend(a.pid, $3) FROM pg_stat_activity a
WHERE a.pid = $1 AND a.backend_start = $2 AND a.datname = current_database() AND a.usename = current_user
  AND a.pid = ANY(ARRAY(SELECT unnest(pg_blocking_pids(l.pid)) FROM pg_locks l WHERE NOT l.granted))
"""
"""A number is given again once its session is over: `backend_start` says which one is meant."""
VALUES = re.compile(
    r"""
    (?P<keep> "(?:[^"]|"")*" | \$\d+ | [A-Za-z_][\w$]*(?!['\w$]) )
    | \b[eE]'(?:[^'\\]|\\.|'')*(?:'|\Z)
    | (?:\b[A-Za-z])?'(?:[^']|'')*(?:'|\Z)
    | \$(?P<tag>\w*)\$.*?(?:\$(?P=tag)\$|\Z)
    | (?P<comment> --[^\n]* | /\*(?:.*\*/|.*) )
    | \d[\w.]*
    """,
    re.DOTALL | re.VERBOSE,
)
"""Names and parameters, which are kept; else what somebody typed: texts, numbers, comments. PostgreSQL cuts long
statements: a text may have no end."""


@dataclass(frozen=True, slots=True)
class Session:
    """`ours`: of the role that looks; of others what is None is not told. `seconds`: how long its statement has run;
    `behind`: sessions that it waits for; `blocks`: how many wait for it; `tables`: what it has locked, but for reading.
    `statement` has no values in it."""

    pid: int
    role: str | None
    ours: bool | None
    application: str | None
    address: str | None
    since: datetime | None
    state: str | None
    transaction_since: datetime | None
    seconds: float | None
    waits_for: str
    behind: Sequence[int]
    blocks: int
    tables: str | None
    statement: str


async def sessions(connection: Connection, pid: int | None = None) -> list[Session]:
    """Those of this database but its own, or the one of this number: who keeps others waiting first, then who waits,
    then who works; SHOWN, and one more where there are more."""
    rows = await connection.fetch(SESSIONS, pid, SHOWN + 1)
    return [Session(**{**row, "statement": without_values(row["statement"] or "")}) for row in rows]


async def blocking(connection: Connection, pid: int, since: datetime | None = None) -> Session:
    """The session of this number, that began then where that is said, if this role can end it. Raises NotPossible."""
    found = next(iter(await sessions(connection, pid)), None)
    if found is None or (found.ours and since not in (None, found.since)):
        raise NotPossible(f"session {pid} is over")
    if not found.ours:
        whose = f"role {found.role}" if found.role else "the server itself"
        raise NotPossible(
            f"session {pid} is of {whose}: PostgreSQL lets a service end none but its own. A superuser ends it: "
            f"SELECT pg_terminate_backend({pid})"
        )
    if not found.blocks:
        raise NotPossible(f"session {pid} keeps nobody waiting any more")
    if found.behind:
        first = ", ".join(map(str, found.behind))
        raise NotPossible(f"session {pid} waits itself, for {first}: look at that one first")
    return found


async def end(connection: Connection, pid: int, since: datetime | None = None) -> str:
    """End it: what its transaction has done is rolled back, and who waits for it goes on. Raises NotPossible."""
    found = await blocking(connection, pid, since)
    ended = await connection.fetchval(END, pid, found.since, ENDED_WITHIN_MS)
    if ended is None:
        raise NotPossible(f"session {pid} keeps nobody waiting any more")
    return f"session {pid} is ended" if ended else f"session {pid} was told to end, and has not yet: look again"


def without_values(statement: str) -> str:
    """A statement with a sign for each value and without comments: nobody's data stands in it."""

    def sign(found: re.Match[str]) -> str:
        return " " if found["comment"] else found["keep"] or "?"

    return re.sub(r"\s+", " ", VALUES.sub(sign, statement)).strip()
