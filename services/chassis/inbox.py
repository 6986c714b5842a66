"""Effectively once per message id (requirement inbox): what was handled before is dropped.

Events and local messages have an inbox row or a row of their own to delete; a command's receipt, which holds its
reply, is its inbox.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any
from uuid import UUID

from services.chassis import metrics
from services.chassis.messages import Message, Origin, Refused
from services.chassis.statements import Row, Statements
from services.chassis.unit_of_work import Send

Item = Message[Any] | Refused  # what a batch holds, in order


class Inbox:
    """Which of a batch's items were handled before: asked for with the next `send`, told by `fresh` after it.

    Ids that occur twice in the batch are removed in memory first. A client may name its command as an event is named:
    that makes neither of them a repetition of the other. `replied` are the topics whose commands have receipts.
    """

    def __init__(self, writes: Statements, items: Sequence[Item], replied: Container[str]) -> None:
        self._items = items
        self._first: dict[tuple[bool, UUID], Item] = {}
        for item in items:
            if item.id is not None:
                self._first.setdefault((_is_command(item), item.id), item)
        self._commands = {
            item.id: item for item in self._first.values() if _is_command(item) and item.raw.topic in replied
        }
        self._events = sorted(
            item.id
            for item in self._first.values()
            if isinstance(item, Message) and item.origin is Origin.EVENT and item.raw.row is None
        )
        self._receipts, self._admitted = self._ask_for_receipts(writes), self._admit(writes)

    def _ask_for_receipts(self, writes: Statements) -> list[Row]:
        if not self._commands:
            return []
        query = "SELECT command_id, body_hash FROM command_receipt WHERE command_id = ANY($1)"
        return writes.read("command_id, body_hash", query, list(self._commands))

    def _admit(self, writes: Statements) -> list[Row]:
        """Insert sorted by id: unsorted inserts of two replicas deadlock."""
        if not self._events:
            return []
        insert = "INSERT INTO inbox (message_id) SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING RETURNING message_id"
        return writes.change("message_id", insert, self._events)

    def fresh(self) -> list[Item]:
        """The items not handled before, in order."""
        seen = {row["command_id"]: row["body_hash"] for row in self._receipts}
        admitted = {row["message_id"] for row in self._admitted}
        metrics.messages_repeated.labels("command").inc(len(seen))
        metrics.messages_repeated.labels("event").inc(len(self._events) - len(admitted))
        metrics.command_id_reused.inc(sum(self._commands[known].body_hash != seen[known] for known in seen))
        repeated = {(True, known) for known in seen} | {(False, known) for known in set(self._events) - admitted}
        fresh = {id(item) for name, item in self._first.items() if name not in repeated}
        return [item for item in self._items if item.id is None or id(item) in fresh]


def _is_command(item: Item) -> bool:
    return isinstance(item, Refused) or item.origin is Origin.COMMAND


def save_receipts(writes: Statements, answered: Sequence[tuple[Item, Send]]) -> None:
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
