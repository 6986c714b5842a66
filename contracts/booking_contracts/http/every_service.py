"""What every service can be asked: how it is, what it is, and what became of a command."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue, RootModel

from booking_contracts.codes import Code
from booking_contracts.http.operation import Answer, ById, Operation
from booking_contracts.problems import PAGE, ProblemKind
from booking_contracts.types import Id

DESCRIPTION = "/openapi.json"
"""Where every service shows what it can be asked: generated/openapi/<service>.json."""


class Ok(Answer):
    """All is well."""

    ok: Literal[True]


class Problem(Answer):
    """A refusal (RFC 9457). `type` leads to the section of codes.md that says when it comes and what to do next."""

    type: str
    title: str
    status: int
    detail: str


class StoredAccepted(Answer):
    """The reply `booking.CommandAccepted.v1`, as it was sent."""

    command_id: Id
    booking_id: Id | None = None
    state: str | None = None
    result: dict[str, JsonValue] = Field(default_factory=dict)
    type: Literal["booking.CommandAccepted.v1"]


class StoredRejected(Answer):
    """The reply `booking.CommandRejected.v1`, as it was sent."""

    command_id: Id
    booking_id: Id | None = None
    code: Code
    message: str
    details: dict[str, JsonValue] = Field(default_factory=dict)
    type: Literal["booking.CommandRejected.v1"]


class BookingReply(RootModel[Annotated[StoredAccepted | StoredRejected, Field(discriminator="type")]]):
    """The reply to a command of `booking.commands` or `booking.admin-commands`."""


class StoredWalletAccepted(Answer):
    """The reply `wallet.CommandAccepted.v1`, as it was sent."""

    command_id: Id
    result: dict[str, JsonValue] = Field(default_factory=dict)
    type: Literal["wallet.CommandAccepted.v1"]


class StoredWalletRejected(Answer):
    """The reply `wallet.CommandRejected.v1`, as it was sent."""

    command_id: Id
    code: Code
    message: str
    details: dict[str, JsonValue] = Field(default_factory=dict)
    type: Literal["wallet.CommandRejected.v1"]


class WalletReply(RootModel[Annotated[StoredWalletAccepted | StoredWalletRejected, Field(discriminator="type")]]):
    """The reply to a command of `wallet.commands`."""


def command_reply(reply: type[BookingReply] | type[WalletReply]) -> Operation:
    """For the services that clients send commands to."""
    return Operation(
        "commandReply",
        "/v1/commands/{id}",
        "The reply to a command",
        reply,
        "read:bookings",
        ById,
        (ProblemKind.NOT_FOUND,),
        "The body of the one reply and its type, for as long as it is kept (30 days). `id` is the command's `ce_id`.",
    )


NOT_READY = (ProblemKind.NOT_READY,)
OPERATIONS = (
    Operation("live", "/health/live", "Whether the process is alive", Ok, problems=NOT_READY),
    Operation("ready", "/health/ready", "Whether all of it works, Kafka included", Ok, problems=NOT_READY),
    Operation("startup", "/health/startup", "Whether it has started", Ok, problems=NOT_READY),
    Operation(
        "serving", "/health/serving", "Whether it can be asked over HTTP, with or without Kafka", Ok, problems=NOT_READY
    ),
    Operation("metrics", "/metrics", "Metrics for Prometheus", "text/plain"),
    Operation("codes", PAGE, "What rejection codes and types of problems mean", "text/markdown"),
    Operation("description", DESCRIPTION, "This document", "application/json"),
)
"""No token is needed: nothing of a customer is shown."""
