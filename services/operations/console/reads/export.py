"""A booking's page as one JSON document, for a report to somebody else: /booking/<id>.json, `booking show --json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.chassis.statements import Row
from services.operations.console.formats import without_people
from services.operations.console.reads.booking import Shown
from services.operations.console.reads.few import Few
from services.operations.console.reads.letters import stored, text_of
from services.operations.console.reads.raw import asides, correlations, raws, traces
from services.operations.console.reads.statement import Statement
from services.operations.console.reads.timeline.marks import Mark

PEOPLE = frozenset(
    f"{who}_{what}" for who in ("customer", "attendee", "provider") for what in ("name", "email", "phone")
)
OF_LETTERS = frozenset({"recipient", "reason"})
"""Mail servers like to repeat the address."""
OF_ASIDE = frozenset({"error", "headers", "body"})
FROM_OUTSIDE = frozenset({"failure", "problem", "detail", "outcome", "what", "reason", "subject"})
SYSTEM = "system"


def masked(value: object) -> str | None:
    """Personal data without what is personal: its first character."""
    return None if value is None or value == "" else f"{str(value)[0]}•••"


def prose(row: Row, *, unmasked: bool) -> str | None:
    """The reason in a line of history; what people wrote may name somebody."""
    reason: str | None = row["reason"]
    return reason if unmasked or row["actor_kind"] == SYSTEM else masked(reason)


def document(shown: Shown, *, unmasked: bool) -> Mapping[str, Any]:
    """Without `unmasked` no name, address or text of anybody stands in it. Values are as the databases have them; money
    in minor units."""
    booking, payments = shown.booking, shown.payments
    return {
        "booking_id": shown.booking_id,
        "unmasked": unmasked,
        "away": list(shown.away),
        "correlation_ids": list(correlations(shown)),
        "trace_ids": list(traces(shown)),
        "booking": _row(booking.booking, PEOPLE, unmasked),
        "saga": _row(booking.saga, unmasked=unmasked),
        "states": [
            {"state": stay.state, "since": stay.since, "until": stay.until, "seconds": stay.seconds}
            for stay in shown.stays
        ],
        "timeline": [_mark(mark, unmasked) for mark in shown.timeline.marks],
        "payment": _row(payments.payment),
        "ledger": _ledger(payments.statement),
        "settlements": _rows(payments.settlements),
        "refunds": _rows(payments.refunds, unmasked=unmasked),
        "payouts": _rows(payments.payouts, unmasked=unmasked),
        "disputes": _rows(payments.disputes),
        "refunds_by_hand": _rows(payments.by_hand),
        "history": [{**row, "reason": prose(row, unmasked=unmasked)} for row in booking.history.rows],
        "saga_log": _rows(booking.log, unmasked=unmasked),
        "letters": _letters(shown, unmasked),
        "webhooks": _rows(shown.notifications.webhooks, frozenset({"reason"}), unmasked),
        "set_aside": {
            service: {
                "blocked": _row(aside.block),
                "dead_letters": _rows(aside.letters, OF_ASIDE, unmasked),
                "behind": _rows(aside.behind),
            }
            for service, aside in asides(shown)
        },
        "findings": _rows(shown.operations.findings, unmasked=unmasked),
        "acts": _rows(shown.operations.acts, unmasked=unmasked),
        "messages": [
            {"id": raw.id, "title": raw.title, "at": raw.at, "text": raw.text if unmasked or not raw.personal else None}
            for raw in raws(shown)
        ],
    }


def _row(row: Row | None, personal: frozenset[str] = frozenset(), unmasked: bool = True) -> dict[str, Any] | None:
    if row is None:
        return None
    return {name: value if unmasked else _masked(name, value, personal) for name, value in row.items()}


def _masked(name: str, value: object, personal: frozenset[str]) -> object:
    if name in personal:
        return masked(value)
    return without_people(value) if name in FROM_OUTSIDE and isinstance(value, str) else value


def _rows(few: Few, personal: frozenset[str] = frozenset(), unmasked: bool = True) -> Sequence[Mapping[str, Any]]:
    return [{name: _text(value) for name, value in (_row(row, personal, unmasked) or {}).items()} for row in few.rows]


def _text(value: object) -> object:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _mark(mark: Mark, unmasked: bool) -> Mapping[str, Any]:
    return {
        "at": mark.at,
        "until": mark.until,
        "seconds": mark.seconds,
        "from": mark.sender,
        "to": mark.hearer,
        "kind": mark.kind,
        "label": mark.label,
        "detail": mark.detail if unmasked else without_people(mark.detail),
        "tone": mark.tone,
        "message_id": mark.message_id,
    }


def _ledger(statement: Statement) -> Mapping[str, Any]:
    sums = [
        {"account": account, "currency": currency, "amount_minor": minor}
        for (account, currency), minor in statement.by_account.items()
    ]
    return {"entries": _rows(statement.entries), "by_account": sums, "in_all": dict(statement.in_all)}


def _letters(shown: Shown, unmasked: bool) -> Sequence[Mapping[str, Any]]:
    found = stored(shown.notifications) if unmasked else {}
    letters = []
    for row in _rows(shown.notifications.letters, OF_LETTERS, unmasked):
        letter = found.get(str(row["delivery_id"]))
        text = None if letter is None else text_of(letter)
        told = {"subject": text and text.subject, "body": text and text.body}
        letters.append({**{name: value for name, value in row.items() if name != "mail"}, **told})
    return letters
