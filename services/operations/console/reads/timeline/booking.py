"""Booking's part of a timeline: what came in, what it asked of payments, what it waits for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from services.booking.saga import Status, Step
from services.chassis.statements import Row
from services.operations.console.reads.clocks import Both, Clocks
from services.operations.console.reads.few import Few
from services.operations.console.reads.in_booking import InBooking
from services.operations.console.reads.timeline.marks import Kind, Lane, Mark, Tone, short

COMMANDS = {
    Step.AUTHORIZE: "AuthorizePayment",
    Step.CAPTURE: "CapturePayment",
    Step.VOID: "VoidPayment",
    Step.SETTLE: "SettlePayment",
}
"""What a step asks of payments (booking/saga.py)."""
ANSWERS = (
    (Step.AUTHORIZE, "authorized", "PaymentAuthorized"),
    (Step.AUTHORIZE, "declined: ", "PaymentDeclined"),
    (Step.AUTHORIZE, "customer has to act: ", "PaymentActionRequired"),
    (Step.AUTHORIZE, "voided", "PaymentVoided"),
    (Step.CAPTURE, "captured", "PaymentCaptured"),
    (Step.CAPTURE, "failed: ", "CaptureFailed"),
    (Step.VOID, "voided", "PaymentVoided"),
    (Step.SETTLE, "settled by ", "PaymentSettled"),
)
"""What a line of the saga's log begins with, and which answer of payments that was: most of them leave no history
(booking/handlers/payment_events.py)."""
LOCAL = "local."


def clocks_of(found: InBooking) -> Iterator[Both]:
    """When messages came by the machine's clock, and when they were handled by the service's: in one transaction."""
    came = {key: row["received_at"] for rows in (found.receipts, found.heard) for key, row in rows.items()}
    for row in found.history.rows:
        if row["causation_id"] in came:
            yield Both(came[row["causation_id"]], row["at"])


def marks_of(found: InBooking, clocks: Clocks) -> Iterator[Mark]:
    """In no order."""
    heard = [mark for rows in _by_message(found.history) for mark in _heard(rows, found, clocks)]
    yield from heard
    known = {(mark.label, mark.until) for mark in heard}
    for line in found.log.rows:
        mark = _step(line)
        if mark.sender is not Lane.PAYMENTS or (mark.label, mark.at) not in known:
            yield mark
    yield from _ahead(found)


def _by_message(history: Few) -> Sequence[Sequence[Row]]:
    """A message may change a booking twice: what its deadline did, then what it asks for."""
    found: dict[tuple[UUID | None, str, datetime], list[Row]] = {}
    for row in history.rows:
        found.setdefault((row["causation_id"], row["type"], row["at"]), []).append(row)
    return list(found.values())


def _heard(rows: Sequence[Row], found: InBooking, clocks: Clocks) -> Iterator[Mark]:
    row = rows[-1]
    kind: str = row["type"]
    detail = "; ".join(map(_change, rows))
    if kind.startswith(LOCAL):
        yield Mark(row["at"], Lane.BOOKING, Lane.BOOKING, Kind.TIMER, short(kind), detail)
        return
    sent = clocks.made(row["causation_id"]) or row["at"]
    sender = Lane.PAYMENTS if kind.startswith("payments.") else Lane.CALLER
    yield Mark(
        min(sent, row["at"]),
        sender,
        Lane.BOOKING,
        Kind.MESSAGE,
        short(kind),
        detail if sender is Lane.PAYMENTS else f"{row['actor_kind']} {row['actor_id']}: {detail}",
        until=row["at"],
        message_id=row["causation_id"],
    )
    receipt = found.receipts.get(row["causation_id"])
    if receipt is not None:
        yield Mark(row["at"], Lane.BOOKING, Lane.CALLER, Kind.MESSAGE, short(receipt["reply_type"]), "the one reply")


def _change(row: Row) -> str:
    """Without its reason, which people may have written."""
    before, after = row["from_state"], row["to_state"]
    if before is None:
        return f"→ {after}"
    return f"stays {after}" if before == after else f"{before} → {after}"


def _step(line: Row) -> Mark:
    step, what, attempt = line["step"], line["what"], f"attempt {line['attempt']}"
    if what == "asked" or what.startswith("asked again"):
        ways = (Lane.BOOKING, Lane.PAYMENTS, Kind.MESSAGE, str(COMMANDS.get(step, step)))
        return Mark(line["at"], *ways, attempt if what == "asked" else f"{attempt}, {what}")
    for of, beginning, answer in ANSWERS:
        if of == step and what.startswith(beginning):
            return Mark(line["at"], Lane.PAYMENTS, Lane.BOOKING, Kind.MESSAGE, answer, f"{attempt}: {what}")
    ways = (Lane.BOOKING, Lane.BOOKING, Kind.STEP, f"saga, {step}: {what}")
    return Mark(line["at"], *ways, attempt, tone=Tone.FAILED if what.startswith("stuck") else Tone.DONE)


def _ahead(found: InBooking) -> Iterator[Mark]:
    saga, booking = found.saga, found.booking
    here = (Lane.BOOKING, Lane.BOOKING, Kind.TIMER)
    if saga is not None and saga["status"] == Status.WAITING:
        detail = f"asked {saga['asked']} times so far"
        yield Mark(saga["ask_again_at"], *here, f"asks again: {saga['step']}", detail, tone=Tone.PLANNED)
    if booking is not None and booking["due_at"] is not None:
        yield Mark(booking["due_at"], *here, "time takes the next step", f"of {booking['state']}", tone=Tone.PLANNED)
