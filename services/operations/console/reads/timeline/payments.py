"""Payments' part of a timeline: calls to Stripe, what Stripe told by itself, postings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from services.chassis.statements import Row
from services.operations.console.reads.clocks import Both, Clocks
from services.operations.console.reads.in_payments import InPayments
from services.operations.console.reads.timeline.marks import Kind, Lane, Mark, Tone

ENDS: Mapping[str, frozenset[str]] = {
    "authorize": frozenset({"PaymentAuthorized", "PaymentActionRequired", "PaymentDeclined", "PaymentVoided"}),
    "capture": frozenset({"posted: capture", "PaymentCaptured", "CaptureFailed"}),
    "void": frozenset({"PaymentVoided"}),
    "refund": frozenset({"RefundSucceeded", "RefundFailed"}),
}
"""What payments says or posts when it has the answer to a call: its row does not tell when that was."""


def clocks_of(found: InPayments) -> Iterator[Both]:
    """When calls were written down, by both clocks."""
    for call in found.calls.rows:
        if call["asked_at"] is not None:
            yield Both(call["opened_at"], call["asked_at"])


def marks_of(found: InPayments, clocks: Clocks, said: Sequence[Mark]) -> Iterator[Mark]:
    """In no order. `said`: what booking heard of payments."""
    posted = list(map(_posted, found.statement.postings))
    yield from posted
    answers = sorted((*said, *posted), key=lambda mark: mark.at)
    for call in found.calls.rows:
        yield _call(call, clocks, answers)
    for event in found.events.rows:
        yield _told(event, clocks)


def _call(call: Row, clocks: Clocks, answers: Sequence[Mark]) -> Mark:
    began = call["asked_at"] or clocks.of(call["opened_at"])
    is_open = call["state"] == "open"
    tries = call["tries"] + 1
    detail = [f"key {call['idempotency_key']}"]
    if tries > 1:
        detail.append(f"{tries} tries")
    if is_open and call["last_error"]:
        detail.append(call["last_error"])
    tone = Tone.DONE if not is_open else Tone.FAILED if call["last_error"] else Tone.OPEN
    until = None if is_open else _answered(call["operation"], began, answers)
    ids = (Lane.PAYMENTS, Lane.STRIPE, Kind.CALL, call["operation"])
    return Mark(began, *ids, ", ".join(detail), until=until, tone=tone, message_id=call["id"])


def _answered(operation: str, began: datetime, answers: Sequence[Mark]) -> datetime | None:
    """The first word of payments after it that only its answer brings."""
    ends = ENDS.get(operation, frozenset())
    return next((mark.at for mark in answers if mark.at >= began and mark.label in ends), None)


def _told(event: Row, clocks: Clocks) -> Mark:
    """By webhook, or found by the sweeper."""
    aside = event["set_aside"]
    return Mark(
        clocks.of(event["received_at"]),
        Lane.STRIPE,
        Lane.PAYMENTS,
        Kind.WEBHOOK,
        event["type"],
        event["event_id"] if aside is None else f"{event['event_id']} could not be kept: {aside}",
        tone=Tone.DONE if aside is None else Tone.FAILED,
        message_id=event["event_id"],
    )


def _posted(posting: Sequence[Row]) -> Mark:
    first = posting[0]
    label = f"posted: {first['cause'].partition(':')[0]}"
    detail = ", ".join(f"{entry['account']} {entry['amount_minor']:+d} {entry['currency']}" for entry in posting)
    return Mark(
        first["at"], Lane.PAYMENTS, Lane.PAYMENTS, Kind.MONEY, label, detail, message_id=first["transaction_id"]
    )
