"""Stripe's test payment methods and what happens when each is charged (pages "Testing", "Decline codes")."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Decline:
    """Why an issuer says no: the error's code, its decline_code, and the sentence shown to the payer."""

    code: str
    decline_code: str
    message: str


@dataclass(frozen=True, slots=True)
class Card:
    """One test card. `refund` and `disputed` tell what happens after a successful charge; `processing`
    that the bank answers later."""

    brand: str
    last4: str
    decline: Decline | None = None
    authenticate: bool = False
    refund: Literal["succeeds", "fails_later", "pending_first"] = "succeeds"
    disputed: bool = False
    processing: bool = False

    def details(self) -> dict[str, object]:
        """The fields that PaymentMethod.card and Charge.payment_method_details.card share."""
        return {
            "brand": self.brand,
            "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
            "country": "US",
            "exp_month": 12,
            "exp_year": 2034,
            "fingerprint": f"simulated{self.last4}",
            "funding": "credit",
            "last4": self.last4,
            "regulated_status": "unregulated",
            "wallet": None,
        }


DECLINED = "Your card was declined."
GENERIC = Decline("card_declined", "generic_decline", DECLINED)
INSUFFICIENT = Decline("card_declined", "insufficient_funds", "Your card has insufficient funds.")
AUTHENTICATION_REQUIRED = Decline(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
)
PROCESSING = "An error occurred while processing your card. Try again in a little bit."

FRAUDULENT = Decline("card_declined", "fraudulent", DECLINED)

_DECLINED_CARDS = {
    "chargeDeclined": Card("visa", "0002", GENERIC),
    "chargeDeclinedFraudulent": Card("visa", "0019", FRAUDULENT),
    "chargeDeclinedInsufficientFunds": Card("visa", "9995", INSUFFICIENT),
    "chargeDeclinedLostCard": Card("visa", "9987", Decline("card_declined", "lost_card", DECLINED)),
    "chargeDeclinedStolenCard": Card("visa", "9979", Decline("card_declined", "stolen_card", DECLINED)),
    "chargeDeclinedExpiredCard": Card(
        "visa", "0069", Decline("expired_card", "expired_card", "Your card has expired.")
    ),
    "chargeDeclinedIncorrectCvc": Card(
        "visa", "0127", Decline("incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect.")
    ),
    "chargeDeclinedProcessingError": Card("visa", "0119", Decline("processing_error", "processing_error", PROCESSING)),
    "chargeDeclinedVelocityLimitExceeded": Card(
        "visa", "6975", Decline("card_declined", "card_velocity_exceeded", DECLINED)
    ),
}

_OTHER_CARDS = {
    "visa": Card("visa", "4242"),
    "visa_debit": Card("visa", "5556"),
    "mastercard": Card("mastercard", "4444"),
    "mastercard_debit": Card("mastercard", "8210"),
    "amex": Card("amex", "0005"),
    "discover": Card("discover", "1117"),
    "jcb": Card("jcb", "0505"),
    "unionpay": Card("unionpay", "0005"),
    "bypassPending": Card("visa", "0077"),
    "chargeCustomerFail": Card("visa", "0341", GENERIC),
    "authenticationRequired": Card("visa", "3184", authenticate=True),
    "authenticationRequiredChargeDeclinedInsufficientFunds": Card("visa", "3178", INSUFFICIENT, authenticate=True),
    "threeDSecure2Required": Card("visa", "3220", authenticate=True),
    "threeDSecureRequired": Card("visa", "3063", authenticate=True),
    "threeDSecureOptional": Card("visa", "3055"),
    "refundFail": Card("visa", "5126", refund="fails_later"),
    "pendingRefund": Card("visa", "7726", refund="pending_first"),
    "createDispute": Card("visa", "0259", disputed=True),
    "processing": Card("visa", "0077", processing=True),
}

CARDS: dict[str, Card] = {
    **{f"pm_card_{name}": card for name, card in (_OTHER_CARDS | _DECLINED_CARDS).items()},
    **{f"pm_card_visa_{name}": card for name, card in _DECLINED_CARDS.items()},
}

DECLINES: dict[str, Decline] = {card.decline.decline_code: card.decline for card in CARDS.values() if card.decline}
"""By their decline_code."""

NUMBERS: dict[str, str] = {
    "4242424242424242": "pm_card_visa",
    "5555555555554444": "pm_card_mastercard",
    "4000000000000002": "pm_card_chargeDeclined",
    "4100000000000019": "pm_card_chargeDeclinedFraudulent",
    "4000000000009995": "pm_card_chargeDeclinedInsufficientFunds",
    "4000002760003184": "pm_card_authenticationRequired",
    "4000000000003220": "pm_card_threeDSecure2Required",
    "4000000000005126": "pm_card_refundFail",
    "4000000000007726": "pm_card_pendingRefund",
    "4000000000000259": "pm_card_createDispute",
}
