"""Where every service's engine keeps messages: by their ids, and by what stands in their headers alone."""

from __future__ import annotations

from collections.abc import Mapping

from services.operations.console.reads.places import LAST, Form, Kind, Query, select, united

BOOKINGS: Mapping[str, str] = {"booking": "booking", "payments": "payment", "notifications": "known_booking"}
"""Which table has the bookings that a service knows: their ids are keys of messages."""


def _of_key(service: str) -> str:
    return (
        f"JOIN {BOOKINGS[service]} b ON b.booking_id = CASE WHEN pg_input_is_valid(m.key, 'uuid') THEN m.key::uuid END"
    )


OPEN_LETTERS = f"""
(SELECT id, message_id, kind, type, headers FROM dead_letter WHERE status = 'open' AND kind <> 'refused'
 ORDER BY created_at DESC, id DESC LIMIT {LAST})
UNION ALL
(SELECT id, message_id, kind, type, headers FROM dead_letter WHERE kind = 'refused'
 ORDER BY created_at DESC, id DESC LIMIT {LAST})
"""


def by_id(service: str) -> Query:
    """Commands, messages, timers, calls, dead letters."""
    answered = f"JOIN {BOOKINGS[service]} b ON b.booking_id = (m.reply::jsonb ->> 'booking_id')::uuid"
    kept = (("local_message", "message that waits", "type"), ("gateway_call", "call", "operation"))
    return united(
        service,
        Form.ID,
        f"command, message, timer, call, dead letter ({service})",
        (
            *(Kind.BOOKING, "b.booking_id", "command", "m.reply_type"),
            f"FROM command_receipt m {answered} WHERE m.command_id = $1",
        ),
        (
            *(Kind.MESSAGE, "command_id", "command", "reply_type || ', ' || received_at"),
            "FROM command_receipt WHERE command_id = $1",
        ),
        (Kind.MESSAGE, "message_id", "message", "'handled, ' || received_at", "FROM inbox WHERE message_id = $1"),
        *(
            (Kind.BOOKING, "b.booking_id", by, f"m.{said}", f"FROM {table} m {_of_key(service)} WHERE m.id = $1")
            for table, by, said in kept
        ),
        *((Kind.MESSAGE, "id", by, said, f"FROM {table} WHERE id = $1") for table, by, said in kept),
        (Kind.LETTER, "id", "dead letter", "kind || ', ' || status", "FROM dead_letter WHERE id = $1"),
        (
            *(Kind.LETTER, "id", "message", "concat_ws(', ', kind, type)"),
            f"FROM ({OPEN_LETTERS}) d WHERE message_id = $1",
        ),
    )


def headers(service: str) -> str:
    """What of the last rows of each table has a text in its headers."""
    has = "position($1 IN m.headers) > 0"
    tables = (
        ("message that waits", "type", "SELECT id, key, type, headers FROM local_message WHERE kind = 'record'"),
        ("timer", "type", "SELECT id, key, type, headers FROM local_message ORDER BY due_at, arrival"),
        ("message to be sent", "topic", "SELECT id, key, topic, headers FROM outbox ORDER BY id DESC"),
        *(
            (
                *("call", "operation"),
                f"SELECT id, key, operation, headers FROM gateway_call WHERE state = '{state}' ORDER BY opened_at DESC",
            )
            for state in ("open", "done")
        ),
    )
    found = [select(service, Kind.LETTER, "id", "header", "type", f"FROM ({OPEN_LETTERS}) m WHERE {has}")]
    for by, said, query in tables:
        rows = f"FROM ({query} LIMIT {LAST}) m"
        known = f"{rows} {_of_key(service)} WHERE {has}"
        found.append(select(service, Kind.BOOKING, "b.booking_id", f"header of a {by}", f"m.{said}", known))
        found.append(select(service, Kind.MESSAGE, "m.id", f"header of a {by}", f"m.{said}", f"{rows} WHERE {has}"))
    return "\nUNION ALL\n".join(found)
