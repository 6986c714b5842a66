"""Faults on demand: which request or webhook fails, and how."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from stripe_simulator.cards import DECLINES, GENERIC, Decline
from stripe_simulator.errors import JsonObject
from stripe_simulator.operations import NAMES

API_KINDS = ("latency", "timeout_before", "timeout_after", "connection_reset", "500", "429")
CHARGING = ("payment_intents.create", "payment_intents.confirm")
"""Where an issuer can say no, whatever the card."""
WEBHOOK_KINDS = ("lost", "late", "duplicate", "reordered")
DEFAULT_SECONDS = {"latency": 0.5, "timeout_before": 3.0, "timeout_after": 3.0, "late": 3.0, "reordered": 1.0}
LONGEST_HANG_SECONDS = 5.0
FIELDS = frozenset({"operation", "kind", "rate", "count", "seconds", "retry_after", "effect", "seed", "decline_code"})


class FaultRefused(ValueError):
    """The list of faults cannot be taken: the message names the entry and what to change."""


@dataclass(slots=True)
class Fault:
    """One entry of the list. It fires with probability `rate`, at most `left` times (None: no limit)."""

    operation: str
    kind: str
    rate: float
    left: int | None
    seconds: float
    retry_after: float | None
    effect: bool
    decline: Decline | None
    given: JsonObject
    chance: random.Random = field(repr=False)
    fired: int = 0

    def fires(self) -> bool:
        if self.left == 0 or (self.rate < 1 and self.chance.random() >= self.rate):
            return False
        if self.left is not None:
            self.left -= 1
        self.fired += 1
        return True

    def shown(self) -> JsonObject:
        """The entry as given, with how often it has fired."""
        return {**self.given, "fired": self.fired}


@dataclass(frozen=True, slots=True)
class Plan:
    """What one request meets: a delay in seconds, then at most one fault."""

    delay_seconds: float = 0.0
    fault: Fault | None = None


NO_FAULT = Plan()


class Faults:
    """The current list. The first entry that fires wins, after any latency."""

    def __init__(self) -> None:
        self._list: list[Fault] = []

    def replace(self, entries: object) -> None:
        """Take a new list. Raises FaultRefused, and keeps the old one, when any entry is wrong."""
        if not isinstance(entries, list):
            raise FaultRefused("Send a JSON list of faults; [] clears it.")
        self._list = [_parse(position, entry) for position, entry in enumerate(entries)]

    def shown(self) -> list[JsonObject]:
        return [fault.shown() for fault in self._list]

    def for_request(self, operation: str, replay: bool) -> Plan:
        """What happens to an API request. A replayed answer meets no new 500."""
        if not self._list:
            return NO_FAULT
        delay_seconds = 0.0
        for fault in self._list:
            if fault.operation not in (operation, "*") or fault.kind in WEBHOOK_KINDS:
                continue
            if (replay and fault.kind == "500") or not fault.fires():
                continue
            if fault.kind != "latency":
                return Plan(delay_seconds, fault)
            delay_seconds += fault.seconds
        return Plan(delay_seconds)

    def for_webhook(self) -> Fault | None:
        """What happens to the delivery of the next event."""
        for fault in self._list:
            if fault.operation in ("webhook", "*") and fault.kind in WEBHOOK_KINDS and fault.fires():
                return fault
        return None


def _parse(position: int, entry: object) -> Fault:
    def refuse(problem: str) -> FaultRefused:
        return FaultRefused(f"faults[{position}]: {problem}")

    if not isinstance(entry, dict):
        raise refuse("must be an object with operation and kind.")
    given = cast(JsonObject, entry)
    unknown = set(given) - FIELDS
    if unknown:
        raise refuse(f"unknown field {sorted(unknown)[0]}; known: {', '.join(sorted(FIELDS))}.")
    operation, kind = given.get("operation"), str(given.get("kind"))
    if not isinstance(operation, str) or operation not in NAMES | {"*", "webhook"}:
        raise refuse(f"unknown operation {operation!r}; known: *, webhook, {', '.join(sorted(NAMES))}.")
    kinds = {"*": API_KINDS + WEBHOOK_KINDS, "webhook": WEBHOOK_KINDS}.get(operation, API_KINDS)
    if operation in CHARGING:
        kinds += ("declined",)
    if kind not in kinds:
        raise refuse(f"unknown kind {kind!r} for {operation}; known: {', '.join(kinds)}.")
    number = _numbers(given, refuse)
    seconds = number("seconds", 0, 3600)
    if kind.startswith("timeout_") and seconds is not None and seconds > LONGEST_HANG_SECONDS:
        raise refuse(f"seconds must be at most {LONGEST_HANG_SECONDS:.0f} for a time-out.")
    decline_code = str(given.get("decline_code", GENERIC.decline_code))
    if decline_code not in DECLINES:
        raise refuse(f"unknown decline_code {decline_code!r}; known: {', '.join(sorted(DECLINES))}.")
    rate, count, seed = number("rate", 0, 1), number("count", 0, 1e9), number("seed", 0, 1e18)
    return Fault(
        operation=operation,
        kind=kind,
        rate=1.0 if rate is None else rate,
        left=None if count is None else int(count),
        seconds=DEFAULT_SECONDS.get(kind, 0.0) if seconds is None else seconds,
        retry_after=number("retry_after", 0, 3600),
        effect=given.get("effect") is True,
        decline=DECLINES[decline_code] if kind == "declined" else None,
        given=given,
        chance=random.Random(None if seed is None else int(seed)),
    )


def _numbers(given: JsonObject, refuse: Callable[[str], FaultRefused]) -> Callable[[str, float, float], float | None]:
    def number(name: str, low: float, high: float) -> float | None:
        value = given.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise refuse(f"{name} must be a number from {low:g} to {high:g}.")
        return float(value)

    return number
