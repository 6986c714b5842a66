"""Why a payment failed or a booking was called off, in German: by the codes that booking and payments tell.

What they say in English stands in services/booking/lifecycle/failed_and_expired.py and
services/payments/model/declines.py.
"""

_NOTHING = "es wurde nichts abgebucht."
_OTHER_CARD = f"{_NOTHING} Bitte versuchen Sie es mit einer anderen Karte."
_SOON_AGAIN = f"{_NOTHING} Bitte versuchen Sie es gleich noch einmal."
_DECLINED = f"Die Karte wurde abgelehnt; {_OTHER_CARD}"
_WRONG_CVC = f"Die Prüfnummer der Karte stimmt nicht; {_NOTHING} Bitte prüfen Sie sie und versuchen Sie es noch einmal."
_WRONG_NUMBER = f"Die Kartennummer stimmt nicht; {_NOTHING} Bitte prüfen Sie sie und versuchen Sie es noch einmal."
_LIMIT = f"Das Limit der Karte ist erreicht; {_OTHER_CARD}"
_NO_ANSWER = f"Die Bank antwortet nicht; {_SOON_AGAIN}"
_NOT_BY_CARD = f"Dieser Betrag kann nicht mit Karte bezahlt werden; {_NOTHING}"

GERMAN_REASONS = {
    # PaymentFailed.reason: each of them has its sentence, whatever the code
    "declined": f"Die Zahlung kam nicht zustande; {_NOTHING} Bitte buchen Sie noch einmal, am besten mit einer anderen "
    "Zahlungsart.",
    "INSUFFICIENT_FUNDS": f"Das Geld reicht für diese Buchung nicht aus; {_NOTHING}",
    "abandoned": "Sie haben die Zahlung abgebrochen. Es wurde nichts abgebucht, und der Termin ist noch frei.",
    "superseded": "Sie haben neu begonnen; dieser Versuch ist durch Ihren neueren ersetzt und kostet nichts.",
    "action_failed": f"Ihre Bank hat die Zahlung nicht bestätigt; {_NOTHING} Bitte versuchen Sie es noch einmal.",
    "capture_failed": "Ihre Zahlung konnte nicht eingezogen werden, deshalb musste die Buchung beendet werden. "
    "Es wurde nichts abgebucht.",
    # PaymentFailed.code: of those that say more
    "card_declined": _DECLINED,
    "generic_decline": _DECLINED,
    "do_not_honor": _DECLINED,
    "expired_card": f"Die Karte ist abgelaufen; {_OTHER_CARD}",
    "incorrect_cvc": _WRONG_CVC,
    "invalid_cvc": _WRONG_CVC,
    "incorrect_number": _WRONG_NUMBER,
    "invalid_number": _WRONG_NUMBER,
    "card_velocity_exceeded": _LIMIT,
    "withdrawal_count_limit_exceeded": _LIMIT,
    "processing_error": f"Die Karte konnte nicht belastet werden; {_SOON_AGAIN}",
    "issuer_not_available": _NO_ANSWER,
    "try_again_later": _NO_ANSWER,
    "currency_not_supported": f"In dieser Währung kann mit der Karte nicht bezahlt werden; {_NOTHING}",
    "authentication_required": f"Die Karte verlangt eine Bestätigung durch ihre Bank; {_OTHER_CARD}",
    "resource_missing": f"Die Karte ist nicht mehr bekannt; {_NOTHING} Bitte geben Sie sie noch einmal ein.",
    "expired": f"Die Zeit zum Bezahlen war vorbei, ehe die Zahlung begann; {_NOTHING}",
    "already_paid": "Diese Buchung ist schon bezahlt; es wurde nicht noch einmal abgebucht.",
    "amount_not_in_card_steps": _NOT_BY_CARD,
    "amount_too_small": _NOT_BY_CARD,
    "amount_too_large": _NOT_BY_CARD,
    "currency_not_supported_by_account": _NOT_BY_CARD,
    "invalid_charge_amount_no_decimal_compatible": _NOT_BY_CARD,
    "parameter_invalid_integer": _NOT_BY_CARD,
    "parameter_invalid_empty": _NOT_BY_CARD,
    "parameter_missing": _NOT_BY_CARD,
    "parameter_unknown": _NOT_BY_CARD,
    # BookingCancelled.cause
    "slot_closed": "Der Termin wird nicht mehr angeboten.",
}
