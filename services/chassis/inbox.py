"""Effectively once per message id (requirement inbox): what was handled before is dropped.

Events and local messages have an inbox row or a row of their own to delete; a command's receipt, which holds its
reply, is its inbox.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from services.chassis import metrics
from services.chassis.database import Connection
from services.chassis.messages import Message, Origin, Refused
from services.chassis.unit_of_work import Send
from services.chassis.writes import Writes

Item = Message[Any] | Refused  # what a batch holds, in order


async def drop_repeated(connection: Connection, items: Sequence[Item]) -> list[Item]:
    """The items not handled before, in order; ids that occur twice in the batch are removed in memory first.

    A client may name its command as an event is named: that makes neither of them a repetition of the other.
    """
    first: dict[tuple[bool, UUID], Item] = {}
    for item in items:
        if item.id is not None:
            first.setdefault((_is_command(item), item.id), item)
    commands = [item for item in first.values() if _is_command(item)]
    events = [
        item.id
        for item in first.values()
        if isinstance(item, Message) and item.origin is Origin.EVENT and item.raw.row is None
    ]
    seen = await _receipts(connection, commands)
    admitted = await _admit(connection, events)
    repeated = {(True, known) for known in seen} | {(False, known) for known in set(events) - admitted}
    metrics.messages_repeated.labels("command").inc(len(seen))
    metrics.messages_repeated.labels("event").inc(len(events) - len(admitted))
    fresh = {id(item) for name, item in first.items() if name not in repeated}
    return [item for item in items if item.id is None or id(item) in fresh]


def _is_command(item: Item) -> bool:
    return isinstance(item, Refused) or item.origin is Origin.COMMAND


async def _receipts(connection: Connection, commands: Sequence[Item]) -> dict[UUID, bytes]:
    if not commands:
        return {}
    rows = await connection.fetch(
        "SELECT command_id, body_hash FROM command_receipt WHERE command_id = ANY($1)",
        [item.id for item in commands],
    )
    seen = {row["command_id"]: row["body_hash"] for row in rows}
    for item in commands:
        if item.id in seen and seen[item.id] != item.body_hash:
            metrics.command_id_reused.inc()
    return seen


async def _admit(connection: Connection, ids: Sequence[UUID]) -> set[UUID]:
    """Insert sorted by id: unsorted inserts of two replicas deadlock."""
    if not ids:
        return set()
    rows = await connection.fetch(
        "INSERT INTO inbox (message_id) SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING RETURNING message_id",
        sorted(ids),
    )
    return {row["message_id"] for row in rows}


def save_receipts(writes: Writes, answered: Sequence[tuple[Item, Send]]) -> None:
    """Keep each command's one reply; an id that another replica answered meanwhile violates the key (class 23)."""
    if not answered:
        return
    ordered = sorted(answered, key=lambda pair: str(pair[0].id))
    writes.add(
        """
        INSERT INTO command_receipt (command_id, body_hash, reply_type, reply)
        SELECT * FROM unnest($1::uuid[], $2::bytea[], $3::text[], $4::text[])
        """,
        [item.id for item, _ in ordered],
        [item.body_hash for item, _ in ordered],
        [reply.type for _, reply in ordered],
        [reply.body.decode() for _, reply in ordered],
    )
