"""QuoteCancellation: what a cancellation would give back, promised for a while (requirement refund-policy)."""

from __future__ import annotations

from dataclasses import replace

from booking_contracts.booking import QuoteCancellation
from booking_contracts.envelope import rfc3339
from pydantic import JsonValue

from services.booking.handlers.cancelling import still_cancellable
from services.booking.model import actors, refunds
from services.booking.model.quotes import Quote, supplanted, valid_until
from services.booking.work import BookingWork
from services.chassis.messages import Accepted, Message


def quote_cancellation(message: Message[QuoteCancellation], work: BookingWork) -> Accepted:
    """Possible where the same actor's cancellation is; the quote is for this actor alone."""
    command = message.body
    booking = work.booking(command.booking_id)
    actors.require(command, booking)
    booking = still_cancellable(work, booking, command.actor)
    amounts = refunds.due(booking, command.actor, work.now)
    quote = work.put(
        Quote(
            quote_id=work.new_id(),
            booking_id=booking.booking_id,
            actor=command.actor,
            refund=amounts.refund,
            kept=amounts.kept,
            policy_version=booking.terms.policy_version,
            valid_until=valid_until(booking, command.actor.kind, work.now),
        )
    )
    for older in supplanted(quote, work.all(Quote)):
        work.put(replace(older, dead=True))
    shown: dict[str, JsonValue] = {
        "quote_id": str(quote.quote_id),
        "refund": quote.refund.model_dump(),
        "kept": quote.kept.model_dump(),
        "policy_version": quote.policy_version,
        "valid_until": rfc3339(quote.valid_until),
    }
    return Accepted(booking.booking_id, booking.state, {"quote": shown})
