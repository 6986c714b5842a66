"""Notifications' own metrics; names are what alerts watch (README.md, Alerts)."""

from prometheus_client import Counter, Histogram

from services.chassis.unit_of_work import Changed
from services.notifications.model.deliveries import Delivery, State
from services.notifications.work import NotificationsWork

outcomes = Counter("booking_mail_outcomes_total", "Tries to hand a mail to the server, by outcome", ["outcome"])
letters = Counter("booking_letters_total", "Letters that were written, and that succeeded or failed", ["state"])
letter_seconds = Histogram(
    "booking_letter_seconds",
    "From when a letter was written to when a mail server had it",
    buckets=(1, 5, 15, 60, 300, 900, 3600, 86400),
)
"""300: what is promised (docs/runbooks/BookingLettersLate.md)."""
for _state in State:
    letters.labels(_state)  # from 0 on: what begins at 1 has no rate


def count(work: NotificationsWork) -> None:
    """What a batch has decided, after its commit."""
    for effect in work.journal:
        if isinstance(effect, Changed) and isinstance(after := effect.after, Delivery):
            before = effect.before
            if before is None or (isinstance(before, Delivery) and before.state is not after.state):
                letters.labels(after.state).inc()
                if after.state is State.SUCCEEDED and after.settled_at is not None:
                    letter_seconds.observe((after.settled_at - after.created_at).total_seconds())
