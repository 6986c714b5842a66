"""Events as if by a peer of a newer build, or a broken one, on the topics that services read from each other."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from tests.hostile.bodies import MUTATIONS
from tests.hostile.drawing import drawn, schemas_on
from tests.hostile.envelopes import framed, with_header
from tests.hostile.records import Due, Hostile
from tests.hostile.town import Command

if TYPE_CHECKING:
    from tests.hostile.kinds import Forge

TOPICS = ("payments.events", "booking.events")
UNKNOWN = ("BookingTeleported", "PaymentForgiven", "WaitlistReshuffled")


@cache
def _schemas() -> list[tuple[str, dict[str, Any]]]:
    return [(name, schema) for name, schema in schemas_on(*TOPICS).items() if schema["x-kind"] == "event"]


def event(forge: Forge) -> Hostile:
    """One event; nobody is answered, so what is due is to be set aside, ignored, or harmless."""
    kind, schema = forge.rng.choice(_schemas())
    body = drawn(forge.rng, schema)
    assert isinstance(body, dict)
    key = str(body.get(schema["x-key"]) or forge.town.uuid())
    made = framed("peers", Command(kind, schema["x-topics"][0], key, body), forge.town.uuid())
    return forge.rng.choice(SPOILT)(forge, with_header(made, b"ce_sequence", b"000000000001"), body)


def _unknown_type(forge: Forge, made: Hostile, _body: dict[str, Any]) -> Hostile:
    domain = made.topic.partition(".")[0]
    kind = f"{domain}.{forge.rng.choice(UNKNOWN)}.v{forge.rng.randint(1, 9)}"
    return replace(with_header(made, b"ce_type", kind.encode()), id=None, due=Due.NOTHING)


def _unknown_fields(forge: Forge, made: Hostile, body: dict[str, Any]) -> Hostile:
    more = {"colour": "blue", "nested": {"deep": [1, 2, {"x": None}]}, "amount2": 10**30}
    return replace(made, id=None, value=json.dumps(body | more).encode(), due=Due.ANYTHING)


def _unknown_word(forge: Forge, made: Hostile, body: dict[str, Any]) -> Hostile:
    """A new state, kind or reason."""
    words = [name for name in ("state", "kind", "reason", "code", "via", "status") if isinstance(body.get(name), str)]
    changed = body | dict.fromkeys(words, "SOMETHING_NEW")
    return replace(made, id=None, value=json.dumps(changed).encode(), due=Due.ANYTHING)


def _spoilt(forge: Forge, made: Hostile, body: dict[str, Any]) -> Hostile:
    mutation = MUTATIONS[forge.rng.choice([name for name in MUTATIONS if name != "sizes"])]
    return replace(made, id=None, value=mutation(forge.rng, body), due=Due.ANYTHING)


def _nameless(forge: Forge, made: Hostile, _body: dict[str, Any]) -> Hostile:
    """Without a readable id or key it cannot be kept apart from others."""
    if forge.rng.random() < 0.5:
        return replace(with_header(made, b"ce_id", forge.rng.choice((None, b"", b"7"))), id=None, due=Due.LETTER)
    return replace(made, key=forge.rng.choice((None, b"\xff\xfe", b"a\x00b")), id=None, due=Due.LETTER)


SPOILT: tuple[Callable[[Forge, Hostile, dict[str, Any]], Hostile], ...] = (
    _unknown_type,
    _unknown_fields,
    _unknown_word,
    _spoilt,
    _nameless,
)
