"""What can go wrong for a client of the booking system; each error says what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID


class ClientError(Exception):
    """Any failure of BookingClient. A refused command is none: it is a CommandRejected reply."""


class KeyRequired(ClientError):
    """The body does not hold the Kafka key (OpenSlot, CloseSlot)."""

    def __init__(self, ce_type: str, field: str) -> None:
        super().__init__(f"{ce_type} has no {field} in its body: pass key=<{field}> to publish() or ask().")


class NotPublished(ClientError):
    """Kafka did not acknowledge the command. `command_id` is its id."""

    def __init__(self, command_id: UUID, reason: Exception) -> None:
        super().__init__(
            f"Command {command_id} was not acknowledged ({reason!r}) and may or may not have been written: "
            "publish it again with the same command_id, it is handled once."
        )
        self.command_id = command_id


class NoReply(ClientError):
    """No reply came in time. `command_id` is the command's id."""

    def __init__(self, command_id: UUID, timeout_seconds: float) -> None:
        super().__init__(
            f"No reply to command {command_id} within {timeout_seconds:g} s. It may still be handled: wait longer, "
            "read GET /v1/commands/{id}, or publish it again with the same command_id, it is handled once."
        )
        self.command_id = command_id


class NoOutcome(ClientError):
    """None of the awaited events came in time. `seen` are the types that did come, in order."""

    def __init__(self, key: str, awaited: Sequence[str], seen: Sequence[str], timeout_seconds: float) -> None:
        super().__init__(
            f"{key}: none of {', '.join(awaited)} within {timeout_seconds:g} s; "
            f"seen: {', '.join(seen) or 'nothing'}. Wait longer, or read its state over HTTP."
        )
        self.seen = tuple(seen)


class TopicsMissing(ClientError):
    """Topics do not exist, or may not be read with these credentials."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(
            f"Cannot read {', '.join(names)}: create them (`bookingctl topics apply`) or ask for read access."
        )


class NotListening(ClientError):
    """The client is not started, was closed, or lost its consumer; what it awaited will not come."""

    def __init__(self, reason: object) -> None:
        super().__init__(f"The client is not listening ({reason}): open a new BookingClient and read again over HTTP.")
