"""What a refusal of Stripe's means to the customer (docs.stripe.com: Decline codes; Error codes)."""

from __future__ import annotations

from dataclasses import dataclass

from booking_contracts.currencies import card_step_minor
from booking_contracts.types import Money


@dataclass(frozen=True, slots=True)
class Decline:
    """`retryable`: whether another try, or another card, can help. The message may be shown to the customer."""

    code: str
    retryable: bool
    customer_message: str


INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS"
GENERAL = "The card was declined and nothing was charged. Please try another card."

SENTENCES = {
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
}
"""Codes that say why. Lost, stolen and suspected cards are not told apart to the customer: Stripe asks for that."""

FINAL = frozenset(
    {
        "amount_too_small",
        "amount_too_large",
        "parameter_invalid_integer",
        "parameter_invalid_empty",
        "parameter_missing",
        "parameter_unknown",
        "currency_not_supported_by_account",
        "invalid_charge_amount_no_decimal_compatible",
    }
)
"""Refusals of the request itself: no card and no further try can help."""

MINOR_UNIT_DIFFERS = frozenset({"ISK", "UGX", "MGA"})
"""Currencies whose minor unit is another one at Stripe than in ISO 4217: a card would be charged a wrong amount."""
NOT_BY_CARD = Decline(
    "currency_not_supported", False, "This currency cannot be paid by card here; nothing was charged."
)
EXPIRED = Decline("expired", False, "The time to pay was over before the payment began; nothing was charged.")
ALREADY_PAID = Decline("already_paid", False, "This booking is paid already; nothing more was charged.")
NO_FUNDS = Decline(INSUFFICIENT_FUNDS, True, "There is not enough money in the wallet; nothing was charged.")
ACTION_FAILED = Decline("action_failed", True, "The bank did not confirm the payment; nothing was charged.")


def not_chargeable(amount: Money) -> Decline | None:
    """Why no card can be charged this amount, known before Stripe is asked; None where one can."""
    if amount.currency in MINOR_UNIT_DIFFERS:
        return NOT_BY_CARD
    step = card_step_minor(amount.currency)
    if amount.amount % step == 0:
        return None
    return Decline(
        "amount_not_in_card_steps",
        False,
        f"A card is charged in steps of {step} minor units of {amount.currency}, and this amount is none of them; "
        "nothing was charged.",
    )


def decline(error_code: str | None, decline_code: str | None = None, *, of_request: bool = False) -> Decline:
    """Stripe's error code and, for cards, the issuer's decline code, as what the event says.

    `of_request`: Stripe refused the request, not the card; only a card that it does not know can be another one.
    """
    code = decline_code or error_code or "generic_decline"
    if error_code == EXPIRED.code:
        return EXPIRED
    if error_code == "payment_intent_authentication_failure":
        return ACTION_FAILED
    if code == "insufficient_funds":
        return Decline(INSUFFICIENT_FUNDS, True, "There is not enough money on the card; nothing was charged.")
    if code in FINAL:
        return Decline(code, False, "This amount cannot be paid by card; nothing was charged.")
    if of_request and code not in SENTENCES:
        return Decline(code, False, "This payment cannot be made by card; nothing was charged.")
    return Decline(code, True, SENTENCES.get(code, GENERAL))
