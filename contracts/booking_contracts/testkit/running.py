"""A booking system that was started for tests, whoever started it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass


class NotStarted(Exception):
    """There is no booking system to test with; the message says why, and what to do."""


@dataclass(frozen=True)
class Running:
    """A system that answers: how it is reached, as a stack.env has it (contract.md, The local stack), and what it said.

    `logs()` are process → all that it has written so far.
    """

    env: Mapping[str, str]
    logs: Callable[[], Mapping[str, str]]
