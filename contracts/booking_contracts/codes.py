"""Rejection codes: why a command was refused (contract.md, Replies).

A code's docstring says when it comes, what to do `Next`, and which `Details` it has: `make contracts` writes
generated/codes.md of them.
"""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from pydantic import JsonValue


class Code(StrEnum):
    """A stable word for why a command was refused."""

    INVALID_COMMAND = "INVALID_COMMAND"
    """The body, a header or the key is not what the schema says. Or a value does not fit what is stored: more seats
    than the slot has, a price or refund that no card can carry, the start that the booking has already, another key
    than the offering's provider.
    Next: correct everything in `errors` and send the command with a new id; unchanged it is refused again.
    Details: `field` and `problem` of the first error, `errors`; of a top-up `field`, `decline_code`, `retryable`."""
    UNKNOWN_TYPE = "UNKNOWN_TYPE"
    """`ce_type` names no command that the service behind this topic takes.
    Next: correct `ce_type`, or send it to the topic that the type belongs to; with a new id.
    Details: `field` (`ce_type`), `problem`."""
    BOOKING_NOT_FOUND = "BOOKING_NOT_FOUND"
    """There is no booking with this `booking_id`.
    Next: check the id. If PlaceBooking was refused, there is none; if it has no reply yet, wait for that."""
    BOOKING_EXISTS = "BOOKING_EXISTS"
    """The `booking_id` of PlaceBooking or AcceptOffer is taken. Or, with `booking_id` in the details: who comes has a
    living booking on that slot, and the offering takes one per person.
    Next: in the first case choose a new id; in the second change or cancel the booking that is named.
    Details: `booking_id`, in the second case alone."""
    OFFERING_NOT_FOUND = "OFFERING_NOT_FOUND"
    """There is no offering with this `offering_id`.
    Next: check the id; DefineOffering has to be answered before others can name the offering."""
    PROVIDER_NOT_FOUND = "PROVIDER_NOT_FOUND"
    """There is no provider with this `provider_id`.
    Next: check the id; an admin registers providers with RegisterProvider."""
    SLOT_NOT_OFFERED = "SLOT_NOT_OFFERED"
    """Nothing of this offering starts at `starts_at`: neither the schedule nor OpenSlot offers it, or CloseSlot closed
    it.
    Next: read the availability and choose one of its slots."""
    SLOT_IN_PAST = "SLOT_IN_PAST"
    """The slot has started.
    Next: choose a later slot. Where CloseSlot meets this, cancel the slot's bookings one by one."""
    NOTICE_TOO_SHORT = "NOTICE_TOO_SHORT"
    """The slot starts sooner than the offering's minimum notice allows.
    Next: choose a slot that starts at `earliest_starts_at` or later.
    Details: `earliest_starts_at`."""
    BEYOND_HORIZON = "BEYOND_HORIZON"
    """The slot starts later than the offering can be booked ahead.
    Next: choose a slot that starts at `latest_starts_at` or earlier, or come back later.
    Details: `latest_starts_at`."""
    SLOT_FULL = "SLOT_FULL"
    """Fewer seats are left on the slot than are asked for.
    Next: accept the offer that `entry_id` names where `entry_state` is OFFERED; else book one of `alternatives`, ask
    for at most `seats_left` seats, or send JoinWaitlist where `waitlist_open` is true.
    Details: `seats_left`, `waitlist_open`, `alternatives`; `entry_id`, `entry_state`, `deadline` of an own entry."""
    PROVIDER_BUSY = "PROVIDER_BUSY"
    """The slot, its buffers included, overlaps another slot of the provider where seats are taken.
    Next: choose another slot."""
    PRICE_CHANGED = "PRICE_CHANGED"
    """`expected_price` of PlaceBooking is not what the seats cost now.
    Next: show `price` to the customer; if they agree, send it as `expected_price` with a new id.
    Details: `price`."""
    NOT_ALLOWED = "NOT_ALLOWED"
    """The actor may not do this: it is another's booking, entry, offering or wallet, it is an admin's alone, an admin
    sent it to another topic than `booking.admin-commands`, or the actor is `system`.
    Next: send it for who may; admins on their own topic. Sending it again changes nothing."""
    ILLEGAL_TRANSITION = "ILLEGAL_TRANSITION"
    """The booking, or the entry of the waitlist, is in a state in which the command has no place. PayBooking meets it
    also while an earlier payment is under way (`reason` is `payment_in_progress`).
    Next: read the booking, and decide by the state that it has now; wait for that payment, or send AbandonPayment
    first.
    Details: `state`; `reason` of PayBooking."""
    ALREADY_CANCELLED = "ALREADY_CANCELLED"
    """CancelBooking or QuoteCancellation is about a booking that is cancelled.
    Next: nothing; what a cancellation gives back was told in BookingCancelled."""
    DEADLINE_PASSED = "DEADLINE_PASSED"
    """Too late: to approve, reject or pay (the booking has expired), or for this actor to cancel or move it. Or, with
    `held_seconds` in the details: the customer's unpaid tries have held the slot for as long as they may.
    Next: place a new booking. In the second case pay `pending_booking_id`, choose another slot, or come back after
    `until`.
    Details: `held_seconds`, `until`, `pending_booking_id`, in the second case alone."""
    TOO_EARLY = "TOO_EARLY"
    """CompleteSession came before the session's end, or RaiseDispute before its start.
    Next: send it again then, with a new id; before its start a session can be cancelled."""
    WINDOW_CLOSED = "WINDOW_CLOSED"
    """ConfirmSession or RaiseDispute is about a booking that is COMPLETED: its money is released to the provider.
    Next: nothing can be disputed here any more; turn to an admin."""
    AMOUNT_MISMATCH = "AMOUNT_MISMATCH"
    """`refund` and `release` of ResolveDispute do not add up to the escrow, or have another currency.
    Next: share out exactly `escrow`.
    Details: `escrow`."""
    QUOTE_EXPIRED = "QUOTE_EXPIRED"
    """`quote_id` of CancelBooking names no quote that holds: it is unknown, another actor's or too old, or the booking
    was paid or moved since. Nothing was cancelled.
    Next: send QuoteCancellation again and show its amounts, or cancel without a quote."""
    ENTRY_NOT_FOUND = "ENTRY_NOT_FOUND"
    """There is no entry of a waitlist with this `entry_id`.
    Next: check the id. If JoinWaitlist was refused, there is none."""
    ALREADY_WAITING = "ALREADY_WAITING"
    """JoinWaitlist: the customer waits for this slot already, or has an offer there; or the `entry_id` is taken.
    Next: accept the offer, or leave the entry that is named before joining for other seats; if none is named, use a new
    id.
    Details: `entry_id`, `entry_state`, `deadline` of the own entry."""
    SLOT_AVAILABLE = "SLOT_AVAILABLE"
    """JoinWaitlist: the seats are free, there is nothing to wait for.
    Next: send PlaceBooking.
    Details: `seats_left`."""
    WAITLIST_CLOSED = "WAITLIST_CLOSED"
    """JoinWaitlist: the offering has no waitlist, or the slot starts within the minimum notice.
    Next: choose another slot."""
    OFFER_EXPIRED = "OFFER_EXPIRED"
    """AcceptOffer or LeaveWaitlist: the offer's deadline is over and the entry has ended.
    Next: send JoinWaitlist again, with a new `entry_id`."""
    TOO_BUSY = "TOO_BUSY"
    """Others held the rows that the command needs for 3 seconds; or OpenSlot came while CloseSlot still cancels
    bookings of that slot. Nothing was changed.
    Next: send it again with a new id, after a moment."""
    DISCARDED = "DISCARDED"
    """The command was set aside because of a fault of ours, and an operator gave it up. Nothing was changed.
    Next: if it is still wanted, send it again with a new id."""
    INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS"
    """WithdrawFromWallet: the wallet does not hold that much that can go back to cards of past top-ups; or, with
    `withdrawn` in the details, only a part could.
    Next: ask for at most `withdrawable`; what is left after a part, later.
    Details: `withdrawable`, or `withdrawn`, `available` and `locked`."""
    CARD_DECLINED = "CARD_DECLINED"
    """TopUpWallet: the bank declined the card, or wants the customer to authenticate, which a top-up does not offer.
    Next: where `retryable` is true try again, else another card; with a new id.
    Details: `decline_code`, `retryable`."""


class Rejected(Exception):
    """A command is refused: a stable code, a sentence that tells the sender what to do, and details.

    `subject` is the booking that the command was about, where there is one. Details of INVALID_COMMAND are the field
    and the problem of the first error, and `errors`: each of them as {field, problem, message} (refusals.Problem), 20
    at most; where none are named, the one that the details are about.
    """

    def __init__(self, code: Code, message: str, subject: UUID | None = None, **details: JsonValue) -> None:
        super().__init__(f"{code}: {message}")
        if code is Code.INVALID_COMMAND and "errors" not in details:
            details["errors"] = [{**details, "message": message}]
        self.code, self.message, self.subject, self.details = code, message, subject, details
