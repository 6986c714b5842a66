"""`faststream run loyalty.app:application --factory`, with its settings in the environment."""

from __future__ import annotations

import os

from booking_contracts.faststream import Bookings
from faststream import FastStream
from faststream.kafka import KafkaBroker

from loyalty.bookings_done import BookingsDone
from loyalty.rewards import give_rewards


def application() -> FastStream:
    """Reads KAFKA_BOOTSTRAP_SERVERS, LOYALTY_FILE and LOYALTY_CARD; raises KeyError without one of them."""
    broker = KafkaBroker(os.environ["KAFKA_BOOTSTRAP_SERVERS"], allow_auto_create_topics=False)
    bookings = Bookings(broker, group_id="loyalty", source="/loyalty")
    give_rewards(bookings, BookingsDone(os.environ["LOYALTY_FILE"]), os.environ["LOYALTY_CARD"])
    return FastStream(broker)
