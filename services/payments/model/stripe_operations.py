"""What is asked of Stripe, by name. The names are stored with each call: they are never changed."""

from __future__ import annotations

from enum import StrEnum


class StripeOperation(StrEnum):
    """What is asked about other things than the PaymentIntent of an attempt (payment.py: Operation)."""

    LEFTOVER = "leftover"
    """Cancel a PaymentIntent that nobody wants."""
    REFUND = "refund"
    RETRIEVE_REFUND = "retrieve_refund"
    DASHBOARD_REFUND = "dashboard_refund"
    """Look at a refund that was made at Stripe, not by us."""
    TRANSFER = "transfer"
    DISPUTE = "dispute"
    """Look at a dispute."""
    TOP_UP = "top_up"
    WITHDRAW = "withdraw"
    RETRIEVE_PART = "retrieve_part"
    """Look at the refund of a top-up."""
