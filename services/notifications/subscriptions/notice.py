"""The letter to the owner of a subscriber that was switched off: durable as every letter, about no booking."""

from __future__ import annotations

from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict

from services.chassis.failures import backoff_seconds
from services.chassis.gateway_calls import OpenCall, TryAgain
from services.notifications.gateway import GIVE_UP_SECONDS, LONGEST_WAIT_SECONDS, MailGateway
from services.notifications.header_values import reachable, sender_of
from services.notifications.mail import MailRefused, MailSent
from services.notifications.model.deliveries import message_id
from services.notifications.sender import Mail, MailSender, Sent
from services.notifications.sender import TryAgain as TryMailAgain
from services.notifications.subscriptions.messages import NoticeEnded

SEND_NOTICE = "send_notice"
TEXT = """\
Your webhook {url} (subscription {subscription_id}) was switched off on {written_at:%Y-%m-%d %H:%M} UTC: {why}.

Nothing is sent to it until it is switched on again. When your receiver answers again, ask the operators of the booking
system to do so, and to send what it has missed: events of the last 30 days are kept.
"""


class Notice(BaseModel):
    """All that it takes to write the letter, the same each time it is sent."""

    model_config = ConfigDict(frozen=True)
    subscription_id: UUID
    recipient: str
    url: str
    why: str
    written_at: datetime


class Gateway:
    """Letters to people and to owners, by the same server. `mail_from` is an address, with or without a name."""

    def __init__(self, letters: MailGateway, sender: MailSender, mail_from: str) -> None:
        self._letters, self._sender, self._mail_from = letters, sender, mail_from

    async def call(self, call: OpenCall) -> MailSent | MailRefused | NoticeEnded | TryAgain:
        """Send one; a server that is away is asked again for three days."""
        if call.operation != SEND_NOTICE:
            return await self._letters.call(call)
        notice = Notice.model_validate_json(call.parameters)
        outcome = await self._sender.send(written(notice, self._mail_from))
        if isinstance(outcome, Sent):
            return NoticeEnded(subscription_id=notice.subscription_id)
        if isinstance(outcome, TryMailAgain) and call.age_seconds <= GIVE_UP_SECONDS:
            wait = backoff_seconds(call.tries, first=0.5, most=LONGEST_WAIT_SECONDS)
            return TryAgain(outcome.reason, after_seconds=wait)
        return NoticeEnded(subscription_id=notice.subscription_id, reason=outcome.reason)


def written(notice: Notice, mail_from: str) -> Mail:
    """The letter as it goes over the wire."""
    _, address = sender_of(mail_from)
    recipient = reachable(notice.recipient)
    number = uuid5(notice.subscription_id, f"disabled {notice.written_at.isoformat()}")
    message = EmailMessage(policy=SMTP)
    message["From"] = mail_from
    message["To"] = recipient
    message["Subject"] = "Your webhook was switched off"
    message["Date"] = format_datetime(notice.written_at)
    message["Message-ID"] = message_id(number, address.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(TEXT.format(**notice.model_dump()))
    return Mail(sender=address, recipient=recipient, content=message.as_bytes())
