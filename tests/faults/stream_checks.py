"""What the topics must hold: order, one reply, nothing lost."""

from __future__ import annotations

from collections import defaultdict

from tests.faults.facts import Facts

SEQUENCED = ("booking.events", "catalogue.events", "payments.events", "notifications.events")
REPLIES = ("booking.replies", "wallet.replies")


def order(facts: Facts) -> list[str]:
    """First occurrences of each key's events bear 1, 2, 3 … without a gap."""
    seen: set[tuple[str, str]] = set()
    last: defaultdict[tuple[str, str], int] = defaultdict(int)
    wrong = []
    for record in facts.records:
        if record.topic not in SEQUENCED or (record.topic, record.id) in seen:
            continue
        seen.add((record.topic, record.id))
        stream = (record.topic, record.key)
        if record.sequence != last[stream] + 1:
            wrong.append(f"{record.topic} {record.key}: {record.type} has {record.sequence} after {last[stream]}")
        last[stream] = record.sequence or 0
    return wrong


def tail(facts: Facts) -> list[str]:
    """The last event of a booking or waitlist entry that the database counted is on the topic."""
    heard: defaultdict[str, int] = defaultdict(int)
    for record in facts.records:
        if record.topic == "booking.events":
            heard[record.key] = max(heard[record.key], record.sequence or 0)
    counted = {booking.booking_id: booking.sequence for booking in facts.bookings}
    counted |= {one.entry_id: one.sequence for one in facts.line}
    return [
        f"{key}: event {sequence} was counted, {heard[key]} published"
        for key, sequence in counted.items()
        if heard[key] != sequence
    ]


def one_reply(facts: Facts) -> list[str]:
    """Not two replies to a command, under whatever ids."""
    ids: defaultdict[str, set[str]] = defaultdict(set)
    for record in facts.records:
        if record.topic in REPLIES:
            ids[str(record.body["command_id"])].add(record.id)
    return [f"command {command} has {len(found)} replies" for command, found in ids.items() if len(found) > 1]


def no_lost_command(facts: Facts) -> list[str]:
    """Every command that Kafka took was answered."""
    answered = {str(record.body["command_id"]) for record in facts.records if record.topic in REPLIES}
    return [f"command {command} was never answered" for command in sorted(facts.published - answered)]
