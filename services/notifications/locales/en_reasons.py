"""Why a payment failed or a booking was called off, in English: what other languages translate, by the codes that
booking and payments tell. English letters say what the event says, which may name an amount besides; tests compare
it with services/booking/lifecycle/failed_and_expired.py and services/payments/model/declines.py."""

REASONS = {
    # PaymentFailed.reason: each of them has its sentence, whatever the code
    "declined": "Your payment was declined and nothing was charged. Please book again with another card.",
    "INSUFFICIENT_FUNDS": "There is not enough money for this booking; nothing was charged.",
    "abandoned": "You left the payment. Nothing was charged, and the slot is still available.",
    "superseded": "You started again; this try was replaced by your newer one. Nothing was charged for it.",
    "action_failed": "Your bank did not confirm the payment; nothing was charged. Please try again.",
    "capture_failed": "Your payment could not be collected, so the booking had to be ended. Nothing was charged.",
    # PaymentFailed.code: of those that say more
    "card_declined": "The card was declined and nothing was charged. Please try another card.",
    "generic_decline": "The card was declined and nothing was charged. Please try another card.",
    "do_not_honor": "The card was declined and nothing was charged. Please try another card.",
    "expired_card": "The card has expired; nothing was charged. Please try another card.",
    "incorrect_cvc": "The card's security code is wrong; nothing was charged. Please check it and try again.",
    "invalid_cvc": "The card's security code is wrong; nothing was charged. Please check it and try again.",
    "incorrect_number": "The card number is wrong; nothing was charged. Please check it and try again.",
    "invalid_number": "The card number is wrong; nothing was charged. Please check it and try again.",
    "card_velocity_exceeded": "The card's limit is reached; nothing was charged. Please try another card.",
    "withdrawal_count_limit_exceeded": "The card's limit is reached; nothing was charged. Please try another card.",
    "processing_error": "The card could not be processed; nothing was charged. Please try again in a moment.",
    "issuer_not_available": "The bank does not answer; nothing was charged. Please try again in a moment.",
    "try_again_later": "The bank does not answer; nothing was charged. Please try again in a moment.",
    "currency_not_supported": "The card does not support this currency; nothing was charged. Please try another card.",
    "authentication_required": "The card asks for a confirmation by its bank; nothing was charged. "
    "Please try another card.",
    "resource_missing": "The card is not known any more; nothing was charged. Please enter it again.",
    "expired": "The time to pay was over before the payment began; nothing was charged.",
    "already_paid": "This booking is paid already; nothing more was charged.",
    "amount_not_in_card_steps": "This amount cannot be paid by card; nothing was charged.",
    "amount_too_small": "This amount cannot be paid by card; nothing was charged.",
    "amount_too_large": "This amount cannot be paid by card; nothing was charged.",
    "currency_not_supported_by_account": "This amount cannot be paid by card; nothing was charged.",
    "invalid_charge_amount_no_decimal_compatible": "This amount cannot be paid by card; nothing was charged.",
    "parameter_invalid_integer": "This amount cannot be paid by card; nothing was charged.",
    "parameter_invalid_empty": "This amount cannot be paid by card; nothing was charged.",
    "parameter_missing": "This amount cannot be paid by card; nothing was charged.",
    "parameter_unknown": "This amount cannot be paid by card; nothing was charged.",
    # BookingCancelled.cause
    "slot_closed": "The time is no longer offered.",
}
