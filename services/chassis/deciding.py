"""Folds a batch's messages in order, in memory (engine.md, Batch 7): each is answered, set aside, or held back."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from typing import Any

import structlog
from booking_contracts.codes import Code, Rejected
from booking_contracts.envelope import uuid7

from services.chassis import metrics, tracing
from services.chassis.dead_letters import Failed
from services.chassis.failures import Broken, Busy
from services.chassis.handlers import Service
from services.chassis.messages import Accepted, Answer, Deferred, Message, Origin, Refused
from services.chassis.unit_of_work import Send, UnitOfWork

log = structlog.get_logger()


@dataclass(slots=True)
class Decided:
    """What came of a batch's messages."""

    work: UnitOfWork
    answered: list[tuple[Message[Any] | Refused, Send]] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    held: list[tuple[Message[Any], bool]] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)

    def effects(self, kind: type[Any]) -> list[Any]:
        """The journal's effects of one kind, in order."""
        return [effect for effect in self.work.journal if isinstance(effect, kind)]


class Decider:
    """Gives every message its turn."""

    def __init__(self, service: Service, decided: Decided) -> None:
        self._service, self._decided = service, decided
        self._handlers = service.by_type
        self._blocked = {failed.message.key for failed in decided.failed}

    def decide(self, message: Message[Any], poison: Exception | None = None) -> None:
        """One message; when its handler raises, its effects are dropped and its key is blocked."""
        if message.key in self._blocked:
            self._decided.held.append((message, False))
            return
        traced, span = tracing.begin(message)
        work = self._decided.work
        work.begin(traced)
        try:
            if poison is not None:
                raise poison
            answer = self._answer(traced, work)
        except (Broken, Busy):
            tracing.end(span, "batch stopped")
            raise
        except Exception as error:
            work.undo()
            self._fail(message, error)
            tracing.end(span, repr(error))
        else:
            self._reply(traced, answer)
            tracing.end(span)

    def refuse(self, refused: Refused) -> None:
        """Answer a record that could not be read, where its id could."""
        rejected = Rejected(
            refused.code, _sentence(refused), refused.subject, field=refused.field, problem=refused.problem
        )
        self._reply(refused, rejected)

    def _fail(self, message: Message[Any], error: Exception) -> None:
        self._blocked.add(message.key)
        self._decided.failed.append(Failed(message, "".join(traceback.format_exception(error))[-4000:]))
        metrics.messages_handled.labels(message.type, "failed").inc()
        log.error("handler failed, key is blocked", **_ids(message), exc_info=error)

    def _answer(self, message: Message[Any], work: UnitOfWork) -> Answer:
        try:
            if message.origin is Origin.COMMAND:
                self._service.admit(message.raw.topic, message.body)
            return self._handlers[message.type].decide(message, work) or Accepted()
        except Rejected as rejected:
            work.undo()
            return rejected

    def _reply(self, item: Message[Any] | Refused, answer: Answer) -> None:
        outcome = answer.code if isinstance(answer, Rejected) else "accepted"
        metrics.messages_handled.labels(item.type if isinstance(item, Message) else "refused", outcome).inc()
        cause = item if isinstance(item, Message) else _as_cause(item)
        log.debug("message decided", outcome=outcome, **_ids(cause))
        make = self._service.command_topics.get(item.raw.topic)
        if make is None or item.id is None or isinstance(answer, Deferred):
            return
        work = self._decided.work
        work.begin(cause)
        work.send(make(item, answer), key=(item.raw.key or b"").decode("utf-8", "replace"), reply_to=item.reply_to)
        sent = work.journal[-1]
        assert isinstance(sent, Send)
        self._decided.answered.append((item, sent))


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


def _sentence(refused: Refused) -> str:
    if refused.code is Code.UNKNOWN_TYPE:
        return f"{refused.type} is no command of this service; see the contract's list of commands."
    return f"{refused.field}: {refused.problem}. Correct it and send the command with a new id."
