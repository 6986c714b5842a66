"""Which Refunds of Stripe's gave nothing back: those of what was authorised and never captured.

Before version 2025-03-31.basil Stripe wrote a Refund for the rest of a partial capture and for a cancelled
authorisation (changelog "Partially capturing or canceling payments no longer creates a Refund"). Accounts and webhook
endpoints of an older version see them still, also for what somebody captures or cancels in the dashboard.
"""

from __future__ import annotations

from typing import Any

CHARGE = "charge.balance_transaction"
"""What a look at a refund has to expand for this."""
AT_ONCE_SECONDS = 5
"""The rest is let go by the capture itself; a person's refund comes later."""


def is_release(refund: Any) -> bool:
    """Whether a refund, with CHARGE expanded, is of the part that its charge never captured.

    `refund`: a stripe.Refund or the same as JSON. The charge's balance transaction is made by the capture; where Stripe
    does not say when that was, the amount alone decides.
    """
    charge = _of(refund, "charge")
    captured, amount = _of(charge, "amount_captured"), _of(charge, "amount")
    if not isinstance(captured, int) or not isinstance(amount, int):
        return False
    if captured == 0:
        return True
    if _of(refund, "amount") != amount - captured:
        return False
    captured_at = _of(_of(charge, "balance_transaction"), "created")
    return captured_at is None or _of(refund, "created") - captured_at <= AT_ONCE_SECONDS


def _of(found: Any, name: str) -> Any:
    """A field of an object; None where it is only an id, or lacks it."""
    try:
        return found[name]
    except (KeyError, TypeError):
        return None
