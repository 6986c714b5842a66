"""A booking system that was started for tests, whoever started it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


class NotStarted(Exception):
    """There is no booking system to test with; the message says why, and what to do."""


@dataclass(frozen=True)
class Running:
    """A system that answers: how it is reached, as a stack.env has it (contract.md, The local stack), and what it said.

    `logs()` are process → all that it has written so far. Services are stopped in order; they have started when they
    are ready, which raises NotStarted where they do not get so. They may answer elsewhere then: `env` says where.
    """

    env: Mapping[str, str]
    logs: Callable[[], Mapping[str, str]]
    stop_services: Callable[[], None]
    start_services: Callable[[], None]
