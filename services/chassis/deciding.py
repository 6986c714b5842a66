"""Folds a batch's messages in order, in memory (engine.md, Batch 7): each is answered, set aside, or has to wait."""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import structlog
from booking_contracts.codes import Code, Rejected
from booking_contracts.envelope import uuid7
from booking_contracts.headers import safe_text

from services.chassis import metrics, tracing
from services.chassis.blocked_keys import waited_seconds
from services.chassis.dead_letters import Failed
from services.chassis.failures import BadRelease, Broken, Failure, classify
from services.chassis.messages import Accepted, Answer, Deferred, Message, Origin, Refused
from services.chassis.service import Service
from services.chassis.unit_of_work import Send, UnitOfWork

log = structlog.get_logger()
PATIENCE_SECONDS = 3.0
"""How long a command is tried again before it is answered TOO_BUSY (rules.md, Answers)."""


@dataclass(slots=True)
class Decided:
    """What came of a batch's messages."""

    work: UnitOfWork
    answered: list[tuple[Message[Any] | Refused, Send]] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    waiting: list[Message[Any]] = field(default_factory=list)
    """To be tried again by themselves."""
    behind: list[Message[Any]] = field(default_factory=list)
    """Messages of keys that are blocked, or were blocked by one of this batch."""
    refused: list[Refused] = field(default_factory=list)
    outcomes: list[tuple[str, str]] = field(default_factory=list)
    """(type, outcome) of every message that had its turn."""

    def effects(self, kind: type[Any]) -> list[Any]:
        """The journal's effects of one kind, in order."""
        return [effect for effect in self.work.journal if isinstance(effect, kind)]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a message is not to be handled now: the last rung of the ladder (ladder.py)."""

    failure: Failure
    error: Exception


class Decider:
    """Gives every message its turn; with a `verdict`, that is what every message gets."""

    def __init__(
        self,
        service: Service,
        decided: Decided,
        release: BadRelease | None = None,
        verdict: Verdict | None = None,
    ) -> None:
        self._service, self._decided, self._verdict = service, decided, verdict
        self._release = release or BadRelease()
        self._handlers = service.by_type
        self._blocked = {failed.message.key for failed in decided.failed} | {item.key for item in decided.waiting}

    def decide_all(self, messages: Iterable[Message[Any]]) -> None:
        """The messages, in order."""
        for message in messages:
            self.decide(message)

    def decide(self, message: Message[Any]) -> None:
        """One message; when its handler raises, its effects are dropped and its key is blocked."""
        if message.key in self._blocked:
            self._decided.behind.append(message)
            return
        traced, span = tracing.begin(message)
        work = self._decided.work
        work.begin(traced)
        try:
            if self._verdict is not None:
                raise self._verdict.error
            answer = self._answer(traced, work)
        except Broken:
            tracing.end(span, "batch stopped")
            raise
        except Exception as error:
            work.undo()
            self._not_now(traced, error)
            tracing.end(span, repr(error))
        else:
            self._reply(traced, answer)
            tracing.end(span)

    def refuse_all(self) -> None:
        """Answer the records that could not be read, where their ids could.

        Not where a reply may be what failed: under a verdict of a failure that does not pass.
        """
        if self._verdict is not None and not self._verdict.failure.passes:
            return
        for refused in self._decided.refused:
            self._reply(refused, _rejection(refused))

    def _not_now(self, message: Message[Any], error: Exception) -> None:
        """Set a message aside, or where that may pass let it wait; a command waits for 3 s and is answered then."""
        passes = self._verdict.failure.passes if self._verdict is not None else classify(error) is Failure.NEWER
        if passes and self._replies_to(message) is not None and waited_seconds(message) >= PATIENCE_SECONDS:
            self._reply(message, Rejected(Code.TOO_BUSY, "Its rows are held by others; send it again with a new id."))
            return
        self._blocked.add(message.key)
        if passes or self._release.suspected(message.type):
            self._decided.waiting.append(message)
            self._decided.outcomes.append((message.type, "waits"))
            log.warning("message waits, and its key with it", **_ids(message), error=repr(error))
            return
        trace = "".join(traceback.format_exception(error))[-4000:]
        self._decided.failed.append(Failed(message, trace))
        self._decided.outcomes.append((message.type, "failed"))
        log.error("message is set aside, its key is blocked", **_ids(message), traceback=trace)

    def _answer(self, message: Message[Any], work: UnitOfWork) -> Answer:
        try:
            if message.origin is Origin.COMMAND:
                self._service.admit(message.raw.topic, message.body)
            return self._handlers[message.type].decide(message, work) or Accepted()
        except Rejected as rejected:
            work.undo()
            return rejected

    def _replies_to(self, item: Message[Any] | Refused) -> Any:
        return self._service.command_topics.get(item.raw.topic)

    def _reply(self, item: Message[Any] | Refused, answer: Answer) -> None:
        outcome = str(answer.code) if isinstance(answer, Rejected) else "accepted"
        self._decided.outcomes.append((item.type if isinstance(item, Message) else "refused", outcome))
        cause = item if isinstance(item, Message) else _as_cause(item)
        log.debug("message decided", outcome=outcome, **_ids(cause))
        make = self._replies_to(item)
        if make is None or item.id is None or isinstance(answer, Deferred):
            return
        work = self._decided.work
        work.begin(cause)
        work.send(make(item, answer), key=safe_text(item.raw.key), reply_to=item.reply_to)
        sent = work.journal[-1]
        assert isinstance(sent, Send)
        self._decided.answered.append((item, sent))


def count(decided: Decided, release: BadRelease) -> None:
    """Into the metrics, after the commit: what was rolled back is not counted."""
    for kind, outcome in decided.outcomes:
        metrics.messages_handled.labels(kind, outcome).inc()
    metrics.dead_letters.labels("failed").inc(len(decided.failed))
    metrics.dead_letters.labels("refused").inc(len(decided.refused))
    release.count(
        failed=(item.message.type for item in decided.failed),
        succeeded={kind for kind, outcome in decided.outcomes if outcome not in {"failed", "waits"}},
    )


def _ids(message: Message[Any]) -> dict[str, str | None]:
    """What a log line has to name, so that a message's way can be followed."""
    return {
        "type": message.type,
        "key": message.key,
        "message_id": str(message.id),
        "correlation_id": message.correlation_id,
        "trace": message.traceparent,
    }


def _as_cause(refused: Refused) -> Message[Any]:
    """A refused record as the cause of its reply."""
    return Message(
        id=refused.id or uuid7(),
        type=refused.type or "unknown",
        key="",
        body=None,
        origin=Origin.COMMAND,
        raw=refused.raw,
        correlation_id=refused.correlation_id or str(refused.id),
    )


def _rejection(refused: Refused) -> Rejected:
    first = refused.problems[0]
    if refused.code is Code.UNKNOWN_TYPE:
        known = f"{safe_text(refused.type)} is no command of this service; correct ce_type, and send it with a new id."
        return Rejected(refused.code, known, refused.subject, field=first.field, problem=first.problem)
    others = f"it and {len(refused.more)} more (details.errors)" if refused.more else "it"
    return Rejected(
        refused.code,
        f"{first.message} Correct {others} and send the command with a new id.",
        refused.subject,
        field=first.field,
        problem=first.problem,
        errors=[problem.told() for problem in refused.problems],
    )
