"""Is it us, Kafka, PostgreSQL, Stripe or the mail server: what the numbers say, with why. Pure: no I/O, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from services.operations.console.kafka import Seen
from services.operations.console.parts import Part
from services.operations.console.reads.engine import Engine
from services.operations.console.reads.heard import Heard
from services.operations.console.reads.waiting_for_people import Audit, Sagas, Told

OUTBOX_SECONDS = 10.0
BEHIND_SECONDS = 10.0
TIMERS_SECONDS = 10.0
BLOCKED_SECONDS = 10.0
"""What waits longer is not on its way any more; docs/runbooks has alerts a little later."""
CALLS_SECONDS = 60.0
"""A call that is tried again for so long is not a hiccup."""
ANSWER_SECONDS = 0.1
STATEMENT_SECONDS = 5.0
LOCKS = 5
"""So many sessions that wait for a lock: two or three are a busy provider."""
RECENT_MINUTES = (2, 10)
"""The few tell at once that nothing is paid any more, the many where little is booked."""
UNPAID = 5
"""So many bookings that were not paid, and more than were: it is not the customers."""
AUDIT_SECONDS = 900.0
"""A pass of the auditor takes less than ten minutes."""


class Tone(StrEnum):
    """Also the classes of the style sheet."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


Finding = tuple[Tone, str]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The worst of what was found; `why` has the worst first, and what is well where there is nothing. `known`: what
    is said in any case."""

    name: str
    tone: Tone
    why: tuple[str, ...]
    known: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Readings:
    """All that was read, or why not. `kafka` None: not seen of late, `kafka_why` says why. `circuits`: of payments'
    replicas that were asked, those that let no call to Stripe through."""

    engines: Mapping[str, Part[Engine]]
    sagas: Part[Sagas]
    money: Part[Mapping[tuple[str, str], float]]
    told: Part[Told]
    audit: Part[Audit]
    stripe: Part[Heard]
    kafka: Seen | None
    kafka_why: str | None
    circuits: int = 0
    paid: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    """By so many of the last minutes: bookings that were confirmed, and those that were not paid."""

    @property
    def seen(self) -> list[Engine]:
        """Of the services whose database answered."""
        return [part.data for part in self.engines.values() if part.data is not None]


def verdicts(of: Readings) -> list[Verdict]:
    """In one row: us, then whom we rest on."""
    return [
        _verdict("Us", ours(of), "every service runs, and nothing waits for long"),
        _verdict("Kafka", kafka(of), "it answers"),
        _verdict("PostgreSQL", postgresql(of), "every database answers at once"),
        _verdict("Stripe", stripe(of), "no call waits for its answer", of.stripe.data.said if of.stripe.data else ()),
        _verdict("Mail server", _outside(of, "notifications"), "no mail waits for it"),
    ]


def _verdict(name: str, findings: Iterator[Finding], well: str, known: Iterable[str] = ()) -> Verdict:
    found = sorted(findings, key=lambda one: list(Tone).index(one[0]), reverse=True) or [(Tone.GOOD, well)]
    return Verdict(name, found[0][0], tuple(why for _, why in found), tuple(known))


def ours(of: Readings) -> Iterator[Finding]:
    """What we do ourselves, or do not."""
    for engine in of.seen:
        name = engine.service
        members = None if of.kafka is None else of.kafka.members.get(name, 0)
        if not engine.replicas or members == 0:
            yield Tone.BAD, f"no replica of {name} works" if not members else f"no replica of {name} is at its database"
        if engine.letters:
            yield Tone.BAD, f"{name} has dead letters ({engine.letters}); keys that wait behind them: {engine.blocked}"
        elif engine.blocked and engine.blocked_seconds > BLOCKED_SECONDS:
            waits = f"messages of {engine.blocked} keys of {name} wait, for {engine.blocked_seconds:.0f} s at most"
            yield Tone.WARN, f"{waits}: somebody holds their rows (PostgreSQL), or a newer build wrote them"
        if engine.timers_seconds > TIMERS_SECONDS:
            yield Tone.WARN, f"timers of {name} are {engine.timers_seconds:.0f} s late"
        if engine.outbox_seconds > OUTBOX_SECONDS:
            yield Tone.WARN, f"the outbox of {name} waits for {engine.outbox_seconds:.0f} s"
        lags = {} if of.kafka is None else of.kafka.lags.get(name, {})
        for topic, lag in lags.items():
            if lag.seconds > BEHIND_SECONDS:
                yield Tone.WARN, f"{name} is {lag.seconds:.0f} s behind in {topic}: {lag.records} records"
    if of.sagas.data is not None and of.sagas.data.stuck:
        yield Tone.BAD, f"sagas are stuck: {of.sagas.data.stuck}"
    if of.sagas.data is not None and of.sagas.data.unanswered:
        yield Tone.WARN, f"payments does not answer, however often it is asked: sagas {of.sagas.data.unanswered}"
    if of.audit.data is not None:
        yield from _audited(of.audit.data)


def _audited(audit: Audit) -> Iterator[Finding]:
    if audit.findings:
        yield (
            Tone.BAD,
            "the auditor finds what does not agree: "
            + ", ".join(f"{kind} ({count})" for kind, count in audit.findings.items()),
        )
    if audit.problem is not None:
        yield Tone.WARN, f"the auditor cannot look: {audit.problem}"
    elif audit.seconds is None or audit.seconds > AUDIT_SECONDS:
        yield Tone.WARN, "the auditor does not look: is `bookingctl audit run` there?"


def kafka(of: Readings) -> Iterator[Finding]:
    """Whether it answers, and takes what we send."""
    if of.kafka is None:
        yield Tone.BAD, of.kafka_why or "what it said is too old"
        return
    old = [engine.service for engine in of.seen if engine.outbox_seconds > OUTBOX_SECONDS and engine.replicas]
    if old:
        yield Tone.WARN, f"it may not take what we send: the outbox of {', '.join(old)} waits"


def postgresql(of: Readings) -> Iterator[Finding]:
    """Whether each database answers, at once."""
    for why in (*(part.why for part in of.engines.values()), of.audit.why):
        if why is not None:
            yield Tone.BAD, why
    for engine in of.seen:
        name = f"the database of {engine.service}"
        if engine.answer_seconds > ANSWER_SECONDS:
            yield Tone.WARN, f"{name} takes {engine.answer_seconds * 1000:.0f} ms for the least question"
        if engine.longest_seconds > STATEMENT_SECONDS:
            yield Tone.WARN, f"a statement in {name} runs for {engine.longest_seconds:.0f} s"
        if engine.waiting_for_locks >= LOCKS:
            yield Tone.WARN, f"{engine.waiting_for_locks} sessions of {name} wait for a lock"
        for holder in engine.holders:
            yield Tone.WARN, f"in {name}, {holder}"


def stripe(of: Readings) -> Iterator[Finding]:
    """Whether it answers, tells what happens, and lets people pay."""
    if of.circuits:
        yield Tone.BAD, f"{of.circuits} replicas let no call through: ten in a row had no answer"
    yield from _outside(of, "payments")
    for late in of.stripe.data.amiss if of.stripe.data else ():
        yield Tone.WARN, late
    for minutes, (confirmed, unpaid) in of.paid.items():
        if unpaid >= max(UNPAID, confirmed):
            said = f"{unpaid:.0f} bookings of the last {minutes} minutes were not paid, {confirmed:.0f} were"
            yield Tone.WARN, f"{said}: it declines what it did not, or payments hears nothing"
            return


def _outside(of: Readings, service: str) -> Iterator[Finding]:
    """Whom a service calls: what it was told instead of an answer."""
    engine = of.engines[service].data
    if engine is None:
        yield Tone.WARN, f"not known: the calls are in the database of {service}"
    elif engine.failing_calls:
        tone = Tone.BAD if engine.failing_seconds > CALLS_SECONDS else Tone.WARN
        since = f"{engine.failing_calls} calls are tried again, the oldest for {engine.failing_seconds:.0f} s"
        yield tone, f"{since}: {engine.call_error}"
