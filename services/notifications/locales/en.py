"""The letters in English, from which the catalogues of other languages are made (catalogue.py).

Values in braces come from `locales.fields`.
"""

from services.notifications.locales.language import Language, Wording

_WORDINGS: dict[str, Wording] = {
    "requested.customer": (
        "Request sent: {title}",
        "We have passed your request on to {provider}. Nothing has been charged.",
        "An answer is due by {deadline}; until then your seats are held.",
    ),
    "requested.provider": (
        "Please approve: {title}",
        "{customer} asks for this booking.",
        "Please approve or reject it by {deadline}; after that it expires.",
    ),
    "approved.customer": (
        "Approved: {title}",
        "Your booking with {provider} is approved. We are now trying the payment you chose.",
        "Should it not go through, you can pay until {deadline}.",
    ),
    "approved.provider": (
        "Approved: {title}",
        "The booking of {customer} is approved and will be confirmed as soon as it is paid.",
        "Payment is due by {deadline}.",
    ),
    "rejected.customer": (
        "Not accepted: {title}",
        "{provider} could not accept your booking. Nothing was charged.",
        "Reason: {reason}",
    ),
    "rejected.provider": (
        "Rejected: {title}",
        "The booking of {customer} is rejected; its seats are free again.",
        "Reason: {reason}",
    ),
    "seats_held.customer": (
        "Seats held until paid: {title}",
        "Your seats are held until {deadline}.",
        "If you have not paid yet, please pay by then; after that they are free for others.",
    ),
    "payment_needed.customer": (
        "Payment needed: {title}",
        "Your payment did not go through.",
        "Please pay by {deadline}; until then your seats are held.",
    ),
    "payment_needed.customer.INSUFFICIENT_FUNDS": (
        "Payment needed, please top up: {title}",
        "Your wallet does not hold enough for this booking.",
        "Please top up and pay by {deadline}; until then your seats are held.",
    ),
    "payment_needed.provider": (
        "Waiting for payment: {title}",
        "The payment of {customer} did not go through.",
        "It can be tried again until {deadline}; until then the seats are held.",
    ),
    "action_required.customer.authenticate": (
        "Please confirm your payment: {title}",
        "Your bank asks you to confirm this payment.",
        "Please return to the payment page and confirm it by {deadline}.",
    ),
    "action_required.customer.payment_method": (
        "Please choose how to pay: {title}",
        "Your booking still lacks a payment method.",
        "Please return to the payment page and choose one by {deadline}.",
    ),
    "confirmed.customer": (
        "Confirmed: {title}",
        "Your booking with {provider} is confirmed.",
        "It is attached for your calendar.",
    ),
    "confirmed.provider": (
        "Confirmed: {title}",
        "The booking of {customer} is confirmed.",
        "It is attached for your calendar.",
    ),
    "confirmed.attendee": (
        "Confirmed: {title}",
        "{customer} has booked this for you with {provider}, and it is confirmed.",
        "It is attached for your calendar.",
    ),
    "payment_failed.customer": (
        "Payment failed: {title}",
        "{message}",
        "This booking was not paid and has ended; its seats are free again.",
    ),
    "payment_failed.customer.superseded": (
        "Replaced by your newer booking: {title}",
        "{message}",
        "This earlier try has ended unpaid; your newer one goes on.",
    ),
    "payment_failed.customer.abandoned": (
        "Payment failed: {title}",
        "{message}",
        "This booking was not paid and has ended; its seats are free again.",
    ),
    "capture_failed.customer": (
        "Booking ended, payment failed: {title}",
        "{message}",
        "Your booking had been confirmed, but the payment could not be taken, so it has ended.",
    ),
    "capture_failed.provider": (
        "Booking ended, payment failed: {title}",
        "The booking of {customer} had been confirmed, but the payment could not be taken.",
        "It has ended and its seats are free again.",
    ),
    "capture_failed.attendee": (
        "Booking ended: {title}",
        "What {customer} had booked for you with {provider} has ended and does not take place.",
    ),
    "expired.customer.approval": (
        "Request expired: {title}",
        "{provider} did not answer in time, so your request has expired. Nothing was charged.",
    ),
    "expired.customer.payment": (
        "Booking expired: {title}",
        "This booking was not paid in time; its seats are free again.",
    ),
    "expired.provider.approval": (
        "Request expired: {title}",
        "The request of {customer} was not answered in time; its seats are free again.",
    ),
    "expired.provider.payment": (
        "Booking expired: {title}",
        "The booking of {customer} was not paid in time; its seats are free again.",
    ),
    "rescheduled.customer": (
        "New time: {title}",
        "Your booking with {provider} has a new time: {when}.",
        "The attachment updates your calendar.",
    ),
    "rescheduled.provider": (
        "New time: {title}",
        "The booking of {customer} has a new time: {when}.",
        "The attachment updates your calendar.",
    ),
    "rescheduled.attendee": (
        "New time: {title}",
        "What {customer} has booked for you with {provider} has a new time: {when}.",
        "The attachment updates your calendar.",
    ),
    "cancelled.customer": (
        "Cancelled: {title}",
        "Your booking with {provider} is cancelled.",
        "Reason: {reason}",
    ),
    "cancelled.customer.provider": (
        "Cancelled by {provider}: {title}",
        "{provider} has cancelled your booking.",
        "Reason: {reason}",
    ),
    "cancelled.provider": (
        "Cancelled: {title}",
        "The booking of {customer} is cancelled; its seats are free again.",
        "Reason: {reason}",
    ),
    "cancelled.attendee": (
        "Cancelled: {title}",
        "What {customer} had booked for you with {provider} is cancelled and does not take place.",
    ),
    "waitlist_offer.customer": (
        "A place is free: {title}",
        "What you were waiting for with {provider} has become free: {when}.",
        "It is held for you. Please accept by {deadline}; after that it goes to the next in line.",
    ),
    "waitlist_offer_expired.customer": (
        "Your offer has ended: {title}",
        "The place that was held for you with {provider} was not accepted in time: {when}.",
        "It goes to the next in line. Nothing was charged.",
        "If you still want to come, you can join the waitlist again.",
    ),
    "waitlist_closed.customer": (
        "Waitlist closed: {title}",
        "You were waiting for a place with {provider}: {when}. This waitlist is closed.",
        "Your place on it, and any offer of a place, has ended. Nothing was charged.",
    ),
    "waitlist_closed.customer.not_offered": (
        "No longer offered: {title}",
        "{provider} no longer offers the time you were waiting for: {when}.",
        "Your place on the waitlist, and any offer of a place, has ended. Nothing was charged.",
        "You are welcome to choose another time.",
    ),
    "waitlist_closed.customer.line_over": (
        "No place became free: {title}",
        "No place with {provider} became free in time for you: {when}.",
        "The waitlist is closed. Nothing was charged.",
        "You are welcome to choose another time.",
    ),
    "reminder.customer": (
        "Reminder: {title}",
        "Your booking with {provider} is coming up: {when}.",
    ),
    "reminder.provider": (
        "Reminder: {title}",
        "The booking of {customer} is coming up: {when}.",
    ),
    "reminder.attendee": (
        "Reminder: {title}",
        "What {customer} has booked for you with {provider} is coming up: {when}.",
    ),
    "session_completed.customer": (
        "Please confirm: {title}",
        "Your session with {provider} is marked as completed.",
        "Was everything in order? Please confirm it, or open a dispute, by {deadline}.",
        "After that your payment goes to {provider}.",
    ),
    "completed.customer": (
        "Completed: {title}",
        "Your booking is completed and your payment of {release} has gone to {provider}.",
    ),
    "completed.provider": (
        "Completed: {title}",
        "The booking of {customer} is completed and {release}, less commission, is released to you.",
    ),
    "dispute_opened.customer": (
        "Dispute opened: {title}",
        "We have received the dispute and will look into it. Until then the money stays with us.",
        "Reason: {reason}",
    ),
    "dispute_opened.provider": (
        "Dispute opened: {title}",
        "The booking of {customer} is in dispute. Until it is decided the money stays with us.",
        "Reason: {reason}",
    ),
    "dispute_opened.admin": (
        "Dispute opened: {title}",
        "{customer} disputes a booking with {provider}. Please resolve it.",
        "Reason: {reason}",
    ),
    "dispute_still_open.admin": (
        "Dispute still open: {title}",
        "The dispute of {customer} with {provider} is still waiting for a decision. Please resolve it.",
    ),
    "dispute_resolved.customer": (
        "Dispute resolved: {title}",
        "The dispute is decided: {refund} goes back to you, {release} to {provider}.",
        "{note}",
    ),
    "dispute_resolved.provider": (
        "Dispute resolved: {title}",
        "The dispute is decided: {release}, less commission, goes to you, {refund} back to {customer}.",
        "{note}",
    ),
    "dispute_resolved.admin": (
        "Dispute resolved: {title}",
        "The dispute is decided: {refund} to {customer}, {release} to {provider}.",
        "{note}",
    ),
    "late_payment_returned.customer": (
        "Late payment returned: {title}",
        "Your payment of {amount} arrived after this booking had ended. You get it back in full.",
    ),
    "refund_failed.customer": (
        "Refund failed for now: {title}",
        "Your refund of {amount} could not be paid out yet. We are taking care of it.",
    ),
    "refund_failed.provider": (
        "Refund failed for now: {title}",
        "The refund of {amount} to {customer} could not be paid out yet. We are taking care of it.",
    ),
    "refund_failed.admin": (
        "Refund failed: booking {booking}",
        "Refund {reference} of {amount} failed: {code}.",
    ),
    "payout_failed.admin": (
        "Payout failed: booking {booking}",
        "The payout of {amount} to the provider failed: {code}.",
    ),
    "chargeback_opened.admin": (
        "Chargeback opened: booking {booking}",
        "Chargeback {reference} of {amount} was opened; what is left in escrow is frozen.",
    ),
    "chargeback_closed.admin.won": (
        "Chargeback won: booking {booking}",
        "Chargeback {reference} of {amount} was decided for us.",
    ),
    "chargeback_closed.admin.lost": (
        "Chargeback lost: booking {booking}",
        "Chargeback {reference} of {amount} was decided against us.",
    ),
    "saga_stuck.admin": (
        "Stuck saga: booking {booking}",
        "The saga of this booking is parked as stuck. See it with: bookingctl saga show {booking}",
    ),
}
ENGLISH = Language(
    greeting="Hello {name},",
    closing="This message was sent automatically.",
    unsubscribe="No more reminders",
    labels={
        "title": "Booking",
        "when": "When",
        "previous": "Before",
        "provider": "With",
        "customer": "Customer",
        "attendee": "Attendee",
        "seats": "Seats",
        "price": "Price",
        "refund": "Refund",
        "kept": "Kept",
        "release": "Released",
        "amount": "Amount",
        "booking": "Booking number",
    },
    page={
        "title": "Reminders",
        "question": "Do you want no more reminders of your bookings? Everything else comes as before.",
        "button": "No more reminders",
        "done": "You get no more reminders of your bookings. Everything else comes as before.",
    },
    wordings=_WORDINGS,
)
