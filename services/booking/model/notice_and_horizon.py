"""How soon and how far ahead an offering can be booked (rules.md, Slots)."""

from __future__ import annotations

from datetime import datetime, timedelta

from booking_contracts.codes import Code, Rejected
from booking_contracts.envelope import rfc3339

from services.booking.model.catalogue import Offering
from services.booking.model.wording import lasting, named, of_lasting


def window(offering: Offering, now: datetime) -> tuple[datetime, datetime]:
    """The first and the last start that can be booked now: minimum notice and horizon, both limits included."""
    return now + timedelta(minutes=offering.minimum_notice_minutes), now + timedelta(days=offering.horizon_days)


def check_window(offering: Offering, starts_at: datetime, now: datetime) -> None:
    """Neither too soon nor too far ahead; the details name the limit."""
    earliest, latest = window(offering, now)
    if starts_at < earliest:
        notice = of_lasting(offering.minimum_notice_minutes)
        raise Rejected(
            Code.NOTICE_TOO_SHORT,
            f"Bookings need {notice} notice; choose a slot that starts at {named(earliest, up=True)} or later.",
            earliest_starts_at=rfc3339(earliest),
        )
    if starts_at > latest:
        raise Rejected(
            Code.BEYOND_HORIZON,
            f"Bookings open {lasting(offering.horizon_days * 24 * 60)} ahead; choose a slot that starts by"
            f" {named(latest)}, or come back later.",
            latest_starts_at=rfc3339(latest),
        )
