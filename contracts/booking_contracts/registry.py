"""Every message once: which there are, what each is for, and on which topics it travels."""

from __future__ import annotations

from enum import StrEnum

from booking_contracts import booking, notifications, payments, topics
from booking_contracts.envelope import Command, MessageBody

Message = type[MessageBody]


class Kind(StrEnum):
    """What a message is for; it decides which changes of it are compatible (schema/compatibility.py)."""

    COMMAND = "command"
    REPLY = "reply"
    EVENT = "event"


_REPLIES: tuple[Message, ...] = (*booking.REPLIES, *payments.WALLET_REPLIES)

BY_TOPIC: dict[str, tuple[Message, ...]] = {
    topics.BOOKING_COMMANDS.name: booking.COMMANDS,
    topics.BOOKING_ADMIN_COMMANDS.name: booking.COMMANDS,
    topics.BOOKING_REPLIES.name: booking.REPLIES,
    topics.BOOKING_EVENTS.name: booking.EVENTS,
    topics.CATALOGUE_EVENTS.name: booking.CATALOGUE_EVENTS,
    topics.PAYMENTS_COMMANDS.name: payments.COMMANDS,
    topics.WALLET_COMMANDS.name: payments.WALLET_COMMANDS,
    topics.WALLET_REPLIES.name: payments.WALLET_REPLIES,
    topics.PAYMENTS_EVENTS.name: payments.EVENTS,
    topics.NOTIFICATIONS_EVENTS.name: notifications.EVENTS,
}
BY_TYPE: dict[str, Message] = {message.ce_type: message for found in BY_TOPIC.values() for message in found}
REPLY_TOPICS: dict[str, str] = {
    topics.BOOKING_COMMANDS.name: topics.BOOKING_REPLIES.name,
    topics.BOOKING_ADMIN_COMMANDS.name: topics.BOOKING_REPLIES.name,
    topics.WALLET_COMMANDS.name: topics.WALLET_REPLIES.name,
}
"""Where a command is answered. Commands to payments are answered by events alone."""


def kind_of(message: Message) -> Kind:
    """Whether a message asks, answers, or tells."""
    if issubclass(message, Command):
        return Kind.COMMAND
    return Kind.REPLY if message in _REPLIES else Kind.EVENT


def topics_of(message: Message) -> list[str]:
    """The topics that carry a message, in the order of `topics.TOPICS`."""
    return [name for name, found in BY_TOPIC.items() if message in found]
