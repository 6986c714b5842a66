"""What each kind of violation means and what a person does about it; docs/auditor.md has the table of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from services.operations.auditor.findings import Kind


class Meaning(NamedTuple):
    """Sentences for people, in markdown."""

    means: str
    do: str


MONEY = "`payments statement <booking id>`; [BookingMoneyDiffers](runbooks/BookingMoneyDiffers.md)"
TIMERS = "is booking up, does it keep up (`booking_timer_lateness_seconds`)?"
BY_HAND = "who wrote it by hand? Take the row from a backup"

MEANINGS: Mapping[Kind, Meaning] = {
    Kind.SEATS: Meaning(
        "a slot says that other seats are taken than bookings and offers hold: it may be sold twice, or stand empty",
        f"{BY_HAND}; then set `taken` and `active` to what the bookings say",
    ),
    Kind.BOOKING_PAYMENT: Meaning(
        "a booking does not have the money that its state wants, or one of the two is not there",
        "`booking show <booking id>`, `payments statement <booking id>`; a stuck saga first",
    ),
    Kind.HISTORY_GAP: Meaning("lines of a booking's history are missing", f"{BY_HAND}"),
    Kind.HISTORY_STEP: Meaning(
        "a booking's history has a step that is not in the table of states, or does not follow the line before it",
        "`booking show <booking id>`: a fault of ours, or written by hand",
    ),
    Kind.HISTORY_END: Meaning("a booking's state is not what its history ends with", "`booking show <booking id>`"),
    Kind.STREAM_GAP: Meaning(
        "events that wait in an outbox are not numbered one after the other",
        "`outbox status`; was one set aside as unsendable (`dead-letters list <service>`)?",
    ),
    Kind.STREAM_AHEAD: Meaning(
        "notifications has heard events of a booking that booking has not said: booking was set back",
        "[restore](operate/restore.md)",
    ),
    Kind.STREAM_BEHIND: Meaning(
        "notifications has not heard what booking said more than 10 minutes ago, and has heard others since",
        "`dead-letters list notifications --key <booking id>`; `positions show notifications`",
    ),
    Kind.POSTING: Meaning("a posting of the ledger does not sum to zero, or has no entries", BY_HAND),
    Kind.ESCROW: Meaning(
        "what a booking has in escrow is not the same by the payment's row, the balance, and the entries", MONEY
    ),
    Kind.WALLET: Meaning("a wallet's balance is not the sum of its entries", MONEY),
    Kind.STRIPE_DIFFERENCE: Meaning(
        "Stripe, payments' rows and the ledger differ, by payments' own comparison",
        "`payments differences`; [Comparison](../services/payments/README.md#comparison)",
    ),
    Kind.STRIPE_REPORT: Meaning(
        "Stripe has a captured PaymentIntent of ours that no row knows", "`payments reconcile`"
    ),
    Kind.STRIPE_EVENT_ASIDE: Meaning("an event of Stripe's could not be kept", "`payments reconcile`"),
    Kind.PENDING_OVERDUE: Meaning("a booking holds seats 10 seconds after its deadline", TIMERS),
    Kind.OFFER_OVERDUE: Meaning("an offer holds seats 10 seconds after its deadline", TIMERS),
    Kind.NOT_CAPTURED: Meaning(
        "a confirmed booking's money is reserved and has not been taken for 10 minutes",
        "`payments calls`, `saga show <booking id>`: is Stripe away?",
    ),
    Kind.LIVE_AUTHORISATION: Meaning(
        "a booking has ended, and money has been reserved for it for 10 minutes",
        "`payments calls`, `saga show <booking id>`; `saga retry <booking id>`",
    ),
    Kind.SAGA_WITHOUT_TIMER: Meaning(
        "a saga waits for an answer, and nothing will ask again", "`saga retry <booking id>` asks and sets the timer"
    ),
    Kind.TIMER_WITHOUT_ROW: Meaning(
        "a timer will come for a saga, booking or waitlist entry that is not there",
        "it does nothing; where did the row go?",
    ),
    Kind.OUTBOX_STANDS: Meaning(
        "a service's oldest message has waited for Kafka for 10 minutes", "`outbox status`: is there a leader?"
    ),
    Kind.MESSAGES_STAND: Meaning(
        "a service's own message was due 10 minutes ago, and is not blocked", "does the service keep up?"
    ),
    Kind.LETTER_WITHOUT_ROW: Meaning(
        "a letter is being sent for which no delivery waits", "`dead-letters list notifications`"
    ),
    Kind.ROW_WITHOUT_LETTER: Meaning(
        "a delivery is on its way, and no letter is sent: the person will not hear", "`dead-letters list notifications`"
    ),
    Kind.WEBHOOK_WITHOUT_ROW: Meaning("a webhook waits whose event or subscription is not there", BY_HAND),
    Kind.WEBHOOK_STANDS: Meaning(
        "a subscriber that is awake has not been tried for 10 minutes", "is notifications up? `webhooks show`"
    ),
}


def table() -> str:
    """As docs/auditor.md has it."""
    lines = [f"| `{kind}` | {of.means} | {of.do} |" for kind, of in MEANINGS.items()]
    return "\n".join(("| kind | what it means | what to do |", "|---|---|---|", *lines))
