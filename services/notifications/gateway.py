"""Letters to mail, and mail to the server: rendered here, not in a batch."""

from __future__ import annotations

from collections import OrderedDict
from uuid import UUID

import structlog

from services.chassis.clock import Clock
from services.chassis.database import UNAVAILABLE
from services.chassis.failures import backoff_seconds
from services.chassis.gateway_calls import OpenCall, TryAgain
from services.notifications import metrics
from services.notifications.header_values import Unaddressable
from services.notifications.mail import SEND_MAIL, MailRefused, MailSent, MailToSend
from services.notifications.model.letters import Kind
from services.notifications.rendering import render
from services.notifications.sender import Faulty, MailSender, Outcome, Refused, Sent
from services.notifications.unsubscribing import Links, Unsubscribed

GIVE_UP_SECONDS = 3 * 24 * 60 * 60
LONGEST_WAIT_SECONDS = 15 * 60
REMEMBERED = 10_000
NOT_WANTED = "unsubscribed: no reminders are wanted"

log = structlog.get_logger()


class MailGateway:
    """`mail_from` is an address, with or without a name; `clock` says which letters are of no use any more. `links` end
    reminders, if there are any; `unsubscribed` knows who did.

    A letter that the server took is remembered here until its result is committed: a call that comes again
    because the database was away is not sent twice. After a crash it is, under the same Message-ID.
    """

    def __init__(
        self,
        sender: MailSender,
        mail_from: str,
        clock: Clock,
        links: Links | None = None,
        unsubscribed: Unsubscribed | None = None,
    ) -> None:
        self._sender, self._mail_from, self._clock, self._links = sender, mail_from, clock, links
        self._unsubscribed = unsubscribed or Unsubscribed()
        self._taken: OrderedDict[UUID, None] = OrderedDict()

    async def call(self, call: OpenCall) -> MailSent | MailRefused | TryAgain:
        """Send one letter; a server that is away is asked again for three days."""
        assert call.operation == SEND_MAIL, f"{call.operation} is no operation of this gateway"
        mail = MailToSend.model_validate_json(call.parameters)
        if call.id in self._taken:
            return MailSent(delivery_id=mail.delivery_id)
        if mail.until is not None and self._clock.now() >= mail.until:
            return MailRefused(delivery_id=mail.delivery_id, reason=f"too late: it was of use until {mail.until}")
        if mail.kind is Kind.REMINDER:
            try:
                if await self._unsubscribed.has(mail.recipient):
                    return MailRefused(delivery_id=mail.delivery_id, reason=NOT_WANTED)
            except UNAVAILABLE as fault:
                return TryAgain(f"nobody knows whether reminders are wanted: {type(fault).__name__}")
        outcome = await self._attempt(mail)
        metrics.outcomes.labels(type(outcome).__name__).inc()
        if isinstance(outcome, Sent):
            self._remember(call.id)
            return MailSent(delivery_id=mail.delivery_id)
        if isinstance(outcome, Faulty):
            log.error("a letter of ours is not taken", key=call.key, kind=mail.kind, reason=outcome.reason)
        if isinstance(outcome, Refused | Faulty):
            return MailRefused(delivery_id=mail.delivery_id, reason=outcome.reason)
        if call.age_seconds > GIVE_UP_SECONDS:
            return MailRefused(delivery_id=mail.delivery_id, reason=f"given up after 3 days: {outcome.reason}")
        wait = backoff_seconds(call.tries, first=0.5, most=LONGEST_WAIT_SECONDS)
        return TryAgain(outcome.reason, after_seconds=wait)

    async def _attempt(self, mail: MailToSend) -> Outcome:
        try:
            rendered = render(
                mail.letter(),
                sender=self._mail_from,
                message_id=mail.message_id,
                now=mail.written_at,
                sequence=mail.sequence,
                unsubscribe_url=self._link(mail),
            )
        except Unaddressable as problem:
            return Refused(str(problem))
        return await self._sender.send(rendered)

    def _link(self, mail: MailToSend) -> str | None:
        reminds = mail.kind is Kind.REMINDER
        return self._links.to_end_reminders(mail.recipient) if reminds and self._links is not None else None

    def _remember(self, call_id: UUID) -> None:
        self._taken[call_id] = None
        if len(self._taken) > REMEMBERED:
            self._taken.popitem(last=False)
