"""Every kind of single hostile record, and the stream of them for a seed. What needs more is in acts.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from uuid import UUID

from booking_contracts.schema.accepts import Schema
from booking_contracts.testkit import sample
from booking_contracts.testkit.people import ADMIN, customer_actor

from tests.hostile import envelopes, peers
from tests.hostile.bodies import MUTATIONS, Mutation
from tests.hostile.drawing import COMMAND_TOPICS, drawn, schemas_on
from tests.hostile.envelopes import framed
from tests.hostile.records import Due, Hostile
from tests.hostile.town import Command, Town, command

DRAWN_SHARE = 0.3
"""So many bodies are drawn from a schema; the others are about venues and bookings that exist."""


class Forge:
    """Makes records. `others` are ids of bookings that belong to ordinary customers."""

    def __init__(self, town: Town, others: Sequence[UUID] = ()) -> None:
        self.town, self.rng, self.others = town, town.rng, others
        self._used: list[Hostile] = []

    @cached_property
    def _schemas(self) -> list[tuple[str, Schema]]:
        return [*schemas_on(*COMMAND_TOPICS).items()]

    def make(self, kind: str) -> Hostile:
        """One record of a kind."""
        return KINDS[kind][0](self)

    def stream(self, count: int, chosen: Sequence[str] = ()) -> Iterator[Hostile]:
        """So many records of all kinds, or of those chosen."""
        names = [name for name in KINDS if not chosen or name in chosen]
        weights = [KINDS[name][1] for name in names]
        for kind in self.rng.choices(names, weights, k=count) if names else ():
            record = self.make(kind)
            if record.due is Due.REPLY and record.may_be_accepted:
                self._used.append(record)
            yield record

    def command(self) -> Command:
        if self.rng.random() >= DRAWN_SHARE:
            return self.town.plausible()
        kind, schema = self.rng.choice(self._schemas)
        body = drawn(self.rng, schema)
        assert isinstance(body, dict)
        actor, topics = body.get("actor"), schema["x-topics"]
        assert isinstance(topics, list)
        admin = isinstance(actor, dict) and actor.get("kind") == "admin"
        topic = str(topics[-1] if admin else topics[0])
        return Command(kind, topic, str(body.get(str(schema["x-key"]), self.town.uuid())), body)

    def record(self, kind: str) -> Hostile:
        return framed(kind, self.command(), self.town.uuid())

    def spoilt_body(self, kind: str, mutation: Mutation) -> Hostile:
        spoilt = self.command()
        record = framed(kind, spoilt, self.town.uuid())
        return replace(record, value=mutation(self.rng, spoilt.body))

    def spoilt_frame(self, kind: str, spoil: Callable[[Town, Hostile], Hostile]) -> Hostile:
        return spoil(self.town, self.record(kind))

    def repeated(self) -> Hostile:
        """An id that was used before in that service, with the same body or another."""
        if not self._used:
            return self.record("repeated ids")
        first = self.rng.choice(self._used[-100:])
        if self.rng.random() < 0.5:
            return replace(first, kind="repeated ids")
        again = framed("repeated ids", self.town.place(), UUID(first.id))
        return replace(again, topic=first.topic, key=again.key, id=first.id)

    def about_others(self) -> Hostile:
        """By somebody whom it does not concern."""
        booking_id = self.rng.choice(self.others) if self.others else self.town.uuid()
        make = self.rng.choice((sample.cancel_booking, sample.quote_cancellation, sample.pay_booking))
        made = command(make(booking_id=booking_id, actor=customer_actor("thief")))
        return replace(framed("others' bookings", made, self.town.uuid()), may_be_accepted=False)

    def out_of_place(self) -> Hostile:
        """On a topic where its actor has no business."""
        booking_id, who = self.town.booked()
        actor, topic = self.rng.choice(((customer_actor(who), "booking.admin-commands"), (ADMIN, "booking.commands")))
        made = command(sample.cancel_booking(booking_id=booking_id, actor=actor))
        return replace(framed("wrong topics", made, self.town.uuid()), topic=topic, may_be_accepted=False)

    def dear(self) -> Hostile:
        """Numbers that fit each by itself, and not when multiplied: 10^12 a seat, many seats."""
        venue = self.town.venue(self.rng.choice((1, 2, 100_000)))
        price = self.rng.choice((10**12, 10**12 - 1, 10**10))
        if self.rng.random() < 0.5 and self.town.dear:
            venue = self.rng.choice(self.town.dear)
            made = self.town.place(venue, seats=self.rng.choice((1, 2, 1_000, 100_000)))
        else:
            self.town.dear.append(venue)
            made = self.rng.choice(venue.opening(price))
        return framed("products", made, self.town.uuid())


def _bodies(name: str) -> Callable[[Forge], Hostile]:
    return partial(Forge.spoilt_body, kind=name, mutation=MUTATIONS[name])


def _frames(name: str, spoil: Callable[[Town, Hostile], Hostile]) -> Callable[[Forge], Hostile]:
    return partial(Forge.spoilt_frame, kind=name, spoil=spoil)


KINDS: dict[str, tuple[Callable[[Forge], Hostile], float]] = {
    **{name: (_bodies(name), weight) for name, weight in zip(MUTATIONS, (10, 10, 8, 3, 8, 2, 6, 6), strict=True)},
    "keys": (_frames("keys", envelopes.keys), 7),
    "header names": (_frames("header names", envelopes.header_names), 5),
    "header values": (_frames("header values", envelopes.header_values), 5),
    "ids": (_frames("ids", envelopes.ids), 5),
    "message types": (_frames("message types", envelopes.message_types), 5),
    "undecodable": (_frames("undecodable", envelopes.undecodable), 2),
    "codecs": (_frames("codecs", envelopes.codecs), 5),
    "repeated ids": (Forge.repeated, 4),
    "others' bookings": (Forge.about_others, 3),
    "wrong topics": (Forge.out_of_place, 2),
    "products": (Forge.dear, 5),
    "peers": (peers.event, 5),
    "sound": (partial(Forge.record, kind="sound"), 5),
}
"""By name: how a record is made, and its share."""
