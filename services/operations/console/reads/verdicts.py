"""Is it us, Kafka, PostgreSQL, Stripe, the mail server, a subscriber, or money that waits for a person: what the
numbers say, with why, each with the address of what it blames. Pure: no I/O, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from services.operations.console.formats import span
from services.operations.console.kafka import Seen
from services.operations.console.parts import Part
from services.operations.console.reads import behind
from services.operations.console.reads.engine import Engine
from services.operations.console.reads.heard import Heard
from services.operations.console.reads.queues import Queue
from services.operations.console.reads.waiting_for_people import Ailing, Audit, Money, Sagas, Told

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


@dataclass(frozen=True, slots=True)
class Reason:
    """`path`: what is to blame, or the list that has it, without prefix; nothing where all is well."""

    tone: Tone
    said: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The worst of what was found; `why` has the worst first, and what is well where there is nothing. `known`: what
    is said in any case, `path` the list behind that."""

    name: str
    tone: Tone
    why: tuple[Reason, ...]
    known: tuple[str, ...] = ()
    path: str = ""


@dataclass(frozen=True, slots=True)
class Readings:
    """All that was read, or why not. `kafka` None: not seen of late, `kafka_why` says why. `circuits`: of payments'
    replicas that were asked, those that let no call to Stripe through."""

    engines: Mapping[str, Part[Engine]]
    sagas: Part[Sagas]
    money: Part[Money]
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
    """In one row: us, whom we rest on, whom we tell, and what only a person moves on."""
    return [
        _verdict("Us", ours(of), "every service runs, and nothing waits for long"),
        _verdict("Kafka", kafka(of), "it answers"),
        _verdict("PostgreSQL", postgresql(of), "every database answers at once"),
        _verdict(
            "Stripe",
            stripe(of),
            "no call waits for its answer",
            of.stripe.data.said if of.stripe.data else (),
            behind.STRIPE,
        ),
        _verdict("Mail server", _outside(of, "notifications"), "no mail waits for it"),
        _verdict("Subscribers", subscribers(of), "each takes what it is sent"),
        _verdict("Money", money(of), "none is parked"),
    ]


def _verdict(name: str, reasons: Iterator[Reason], well: str, known: Iterable[str] = (), path: str = "") -> Verdict:
    found = sorted(reasons, key=lambda one: list(Tone).index(one.tone), reverse=True) or [Reason(Tone.GOOD, well)]
    return Verdict(name, found[0].tone, tuple(found), tuple(known), path)


def _bad(said: str, path: str) -> Reason:
    return Reason(Tone.BAD, said, path)


def _warn(said: str, path: str) -> Reason:
    return Reason(Tone.WARN, said, path)


def ours(of: Readings) -> Iterator[Reason]:
    """What we do ourselves, or do not."""
    for engine in of.seen:
        yield from _runs(engine, of.kafka)
        yield from _waits(engine)
    sagas = of.sagas.data
    if sagas is not None and sagas.stuck:
        yield _bad(f"sagas are stuck: {sagas.stuck}", behind.stuck(sagas))
    if sagas is not None and sagas.unanswered:
        said = f"payments does not answer, however often it is asked: sagas {sagas.unanswered}"
        yield _warn(said, behind.UNANSWERED)
    if of.audit.data is not None:
        yield from _audited(of.audit.data)


def _runs(engine: Engine, kafka: Seen | None) -> Iterator[Reason]:
    """Whether somebody is there, and keeps up."""
    name = engine.service
    members = None if kafka is None else len(kafka.readers.get(name, ()))
    if not engine.replicas or members == 0:
        said = f"no replica of {name} works" if not members else f"no replica of {name} is at its database"
        yield _bad(said, behind.replicas(name))
    for topic, lag in ({} if kafka is None else kafka.lags.get(name, {})).items():
        if lag.seconds > BEHIND_SECONDS:
            said = f"{name} is {lag.seconds:.0f} s behind in {topic}: {lag.records} records"
            yield _warn(said, behind.group(name))


def _waits(engine: Engine) -> Iterator[Reason]:
    """What a service has not done."""
    name = engine.service
    if engine.letters:
        said = f"{name} has dead letters ({engine.letters}); keys that wait behind them: {engine.blocked}"
        yield _bad(said, behind.letters(engine))
    elif engine.blocked and engine.blocked_seconds > BLOCKED_SECONDS:
        waits = f"messages of {engine.blocked} keys of {name} wait, for {engine.blocked_seconds:.0f} s at most"
        said = f"{waits}: somebody holds their rows (PostgreSQL), or a newer build wrote them"
        yield _warn(said, behind.blocked(engine))
    if engine.timers_seconds > TIMERS_SECONDS:
        yield _warn(f"timers of {name} are {engine.timers_seconds:.0f} s late", behind.queue(name, Queue.TIMERS))
    if engine.outbox_seconds > OUTBOX_SECONDS:
        said = f"the outbox of {name} waits for {engine.outbox_seconds:.0f} s"
        yield _warn(said, behind.queue(name, Queue.OUTBOX))


def _audited(audit: Audit) -> Iterator[Reason]:
    if audit.findings:
        kinds = ", ".join(f"{kind} ({count})" for kind, count in audit.findings.items())
        yield _bad(f"the auditor finds what does not agree: {kinds}", behind.findings(audit))
    if audit.problem is not None:
        yield _warn(f"the auditor cannot look: {audit.problem}", behind.FINDINGS)
    elif audit.seconds is None or audit.seconds > AUDIT_SECONDS:
        yield _warn("the auditor does not look: is `bookingctl audit run` there?", behind.FINDINGS)


def kafka(of: Readings) -> Iterator[Reason]:
    """Whether it answers, and takes what we send."""
    if of.kafka is None:
        yield _bad(of.kafka_why or "what it said is too old", behind.GROUPS)
        return
    old = [engine.service for engine in of.seen if engine.outbox_seconds > OUTBOX_SECONDS and engine.replicas]
    if old:
        said = f"it may not take what we send: the outbox of {', '.join(old)} waits"
        yield _warn(said, behind.queue(old[0], Queue.OUTBOX))


def postgresql(of: Readings) -> Iterator[Reason]:
    """Whether each database answers, at once."""
    parts: tuple[Part[Engine] | Part[Audit], ...] = (*of.engines.values(), of.audit)
    for part in parts:
        if part.why is not None:
            yield _bad(part.why, behind.database(part.name))
    for engine in of.seen:
        for said in _slow(engine):
            yield _warn(said, behind.database(engine.service))


def _slow(engine: Engine) -> Iterator[str]:
    name = f"the database of {engine.service}"
    if engine.answer_seconds > ANSWER_SECONDS:
        yield f"{name} takes {engine.answer_seconds * 1000:.0f} ms for the least question"
    if engine.longest_seconds > STATEMENT_SECONDS:
        yield f"a statement in {name} runs for {engine.longest_seconds:.0f} s"
    if engine.waiting_for_locks >= LOCKS:
        yield f"{engine.waiting_for_locks} sessions of {name} wait for a lock"
    for holder in engine.holders:
        yield f"in {name}, {holder}"


def stripe(of: Readings) -> Iterator[Reason]:
    """Whether it answers, tells what happens, and lets people pay."""
    if of.circuits:
        said = f"{of.circuits} replicas let no call through: ten in a row had no answer"
        yield _bad(said, behind.STRIPE)
    yield from _outside(of, "payments")
    for late in of.stripe.data.amiss if of.stripe.data else ():
        yield _warn(late, behind.STRIPE)
    for minutes, (confirmed, unpaid) in of.paid.items():
        if unpaid >= max(UNPAID, confirmed):
            said = f"{unpaid:.0f} bookings of the last {minutes} minutes were not paid, {confirmed:.0f} were"
            yield _warn(f"{said}: it declines what it did not, or payments hears nothing", behind.UNPAID)
            return


def _outside(of: Readings, service: str) -> Iterator[Reason]:
    """Whom a service calls: what it was told instead of an answer."""
    engine = of.engines[service].data
    if engine is None:
        yield _warn(f"not known: the calls are in the database of {service}", behind.database(service))
    elif engine.failing_calls:
        tone = Tone.BAD if engine.failing_seconds > CALLS_SECONDS else Tone.WARN
        since = f"{engine.failing_calls} calls are tried again, the oldest for {engine.failing_seconds:.0f} s"
        yield Reason(tone, f"{since}: {engine.call_error}", behind.queue(service, Queue.FAILING))


def subscribers(of: Readings) -> Iterator[Reason]:
    """Whether each takes what it is sent."""
    if of.told.data is None:
        yield _warn("not known: they are in the database of notifications", behind.database("notifications"))
        return
    for one in of.told.data.ailing:
        yield Reason(Tone.BAD if one.dead else Tone.WARN, _ails(one), behind.subscription(one.subscription_id))


def _ails(one: Ailing) -> str:
    since = "" if one.seconds is None else f" for {span(one.seconds)}"
    what = "took nothing and is switched off" if one.off else f"takes nothing{since}"
    return f"{one.url} {what}: {one.last_error or 'it does not say why'}"


def money(of: Readings) -> Iterator[Reason]:
    """What moves no more by itself."""
    if of.money.data is None:
        yield _warn("not known: it is in the database of payments", behind.database("payments"))
        return
    found = of.money.data
    for kind in ("refunds", "payouts"):
        if parked := found.total(f"{kind}_failed", "true"):
            why = found.why_parked.get(kind) or "it is not said why"
            yield _bad(f"{kind} are parked: {parked}; one of them for {why}", behind.MONEY)
    if waiting := found.total("payouts_without_account"):
        yield _warn(f"payouts have no account to go to: {waiting}", behind.MONEY)
