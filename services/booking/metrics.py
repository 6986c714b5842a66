"""Booking's own metrics; names are what alerts watch (docs/operating.md), and what business looks at."""

from prometheus_client import Counter, Gauge

from services.booking.model.booking import Booking
from services.booking.saga import Saga, Status, Step
from services.booking.work import BookingWork
from services.chassis.unit_of_work import Changed

sagas = Gauge("booking_sagas", "Sagas that are not done", ["step", "status"])
sagas_stuck = Gauge("booking_sagas_stuck", "Sagas parked for an operator")
sagas_unanswered = Gauge(
    "booking_sagas_unanswered", "Sagas that wait although they were asked four times, in 3.5 minutes", ["step"]
)
saga_steps = Counter(
    "booking_saga_steps_total",
    "Steps of sagas that ended: in time, after they were asked again, stuck",
    ["step", "end"],
)
bookings = Gauge("booking_bookings", "Bookings by their state", ["state"])
bookings_entered = Counter("booking_bookings_entered_total", "Bookings that came into a state", ["state"])

ENDS = (Status.DONE, Status.STUCK)
for _step in Step:
    for _end in ("in_time", "late", "stuck"):
        saga_steps.labels(_step, _end)  # from 0 on: what begins at 1 has no rate


def count(work: BookingWork) -> None:
    """What a batch has decided, after its commit."""
    for effect in work.journal:
        if isinstance(effect, Changed):
            before, after = effect.before, effect.after
            if isinstance(after, Booking) and not (isinstance(before, Booking) and before.state is after.state):
                bookings_entered.labels(after.state).inc()
            if isinstance(after, Saga) and isinstance(before, Saga) and before.status not in ENDS:
                _count_end(before, after)


def _count_end(before: Saga, after: Saga) -> None:
    """In time is before it had to be asked again. Who waits for a customer or a bank is asked once.

    A step that another one takes the place of was never answered: that is late where it was asked again, and no end
    where somebody changed their mind.
    """
    if (before.step, before.attempt) != (after.step, after.attempt):
        if before.asked > 1:
            saga_steps.labels(before.step, "late").inc()
    elif after.status in ENDS:
        in_time = "in_time" if after.asked <= 1 else "late"
        saga_steps.labels(after.step, "stuck" if after.status is Status.STUCK else in_time).inc()
