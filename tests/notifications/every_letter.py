"""One letter of each kind, audience and variant."""

from __future__ import annotations

from booking_contracts.booking import BookingConfirmed, BookingEvent
from booking_contracts.envelope import Event

from services.notifications.model.letters import BY_OCCASION, Letter, letters_for, letters_on
from tests.notifications.builders import ADMIN_EMAIL, an
from tests.notifications.test_attendees import TIM
from tests.notifications.test_rendering import EVERY_VARIANT


def every_letter() -> list[tuple[Letter, Event]]:
    """Each with what it is about; of what two letters say alike there may be two."""
    known, coming = an(BookingConfirmed, attendee=TIM), {"attendee": TIM}
    events = [one.model_copy(update=coming) if isinstance(one, BookingEvent) else one for one in EVERY_VARIANT]
    told = [(letter, event) for event in events for letter in letters_for(event, ADMIN_EMAIL, known)]
    last = {kind: known.model_copy(update={"state": state}) for kind, (state, _) in BY_OCCASION.items()}
    return told + [(one, last[kind]) for kind in BY_OCCASION for one in letters_on(kind, last[kind], ADMIN_EMAIL)]
