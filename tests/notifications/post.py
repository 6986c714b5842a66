"""The real handlers on an in-memory unit of work: given messages, then letters, reminders and outcomes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from booking_contracts.envelope import Event
from booking_contracts.notifications import DeliveryEvent, DeliveryFailed, DeliverySucceeded
from pydantic import BaseModel

from services.chassis.messages import LocalBody, Message, Origin, Raw
from services.chassis.unit_of_work import Call, Changed, Remind, Send
from services.notifications.app import service
from services.notifications.mail import MailRefused, MailSent, MailToSend
from services.notifications.model.deliveries import Delivery, State
from services.notifications.model.known import KnownBooking
from services.notifications.model.letters import Kind
from services.notifications.work import NotificationsWork
from tests.notifications.builders import ADMIN_EMAIL, BOOKING_ID, NOW

SERVICE = service(admin_email=ADMIN_EMAIL, mail_from="Bookings <no-reply@example.org>")


class Post:
    """One booking's letters. Events get rising sequence numbers unless the test says otherwise."""

    def __init__(self, now: datetime = NOW) -> None:
        self.work: NotificationsWork = SERVICE.new_work(now)
        self._sequence = 0

    def at(self, now: datetime) -> Post:
        """The same at another instant."""
        self.work.now = now
        return self

    def hear(self, event: Event, *, message_id: UUID | None = None, sequence: int | None = None) -> UUID:
        """An event's turn; returns its id."""
        self._sequence = sequence or self._sequence + 1
        return self._decide(event, event.key, [("ce_sequence", f"{self._sequence:012d}")], message_id or uuid4())

    def fire(self, body: LocalBody) -> None:
        """A local message's turn."""
        self._decide(body, str(BOOKING_ID), [], uuid4())

    def fire_timers(self, until: datetime) -> None:
        """Every timer that is due by then, each at its time, those that they set included."""
        fired: set[UUID] = set()
        while due := [timer for timer in self.timers if timer.due_at <= until and timer.id not in fired]:
            first = min(due, key=lambda timer: timer.due_at)
            fired.add(first.id)
            self.at(first.due_at).fire(first.body)

    def fire_late_timers(self, now: datetime) -> None:
        """Every timer that is due by then, all at that time, as after an outage; then those that they set at once."""
        late = [timer for timer in self.timers if timer.due_at <= now]
        for timer in late:
            self.at(now).fire(timer.body)
        for timer in self.timers:
            if now < timer.due_at <= now + timedelta(minutes=1) and timer not in late:
                self.at(timer.due_at).fire(timer.body)

    def answered(self, recipient: str, reason: str | None = None) -> Kind:
        """The mail server's word on what is on its way to somebody; returns what that was."""
        asked = [MailToSend.model_validate_json(call.parameters) for call in self.calls]
        pending = {row.delivery_id for row in self.deliveries if row.state is State.PENDING}
        (mail,) = [mail for mail in asked if mail.recipient == recipient and mail.delivery_id in pending]
        sent = MailSent(delivery_id=mail.delivery_id)
        self.fire(sent if reason is None else MailRefused(delivery_id=mail.delivery_id, reason=reason))
        return mail.kind

    def _decide(self, body: BaseModel, key: str, headers: list[tuple[str, str]], message_id: UUID) -> UUID:
        kind: str = body.ce_type  # type: ignore[attr-defined]
        origin = Origin.LOCAL if isinstance(body, LocalBody) else Origin.EVENT
        message = Message(message_id, kind, key, body, origin, Raw("", 0, 0, key.encode(), headers, b""), "correlation")
        self.work.begin(message)
        decide: Callable[..., object] = SERVICE.by_type[kind].decide
        decide(message, self.work)
        return message_id

    @property
    def timers(self) -> list[Remind]:
        return [effect for effect in self.work.journal if isinstance(effect, Remind)]

    @property
    def calls(self) -> list[Call]:
        return [effect for effect in self.work.journal if isinstance(effect, Call)]

    @property
    def mails(self) -> list[MailToSend]:
        """The letters that were written, in order, on their way or still in their line."""
        given = {call.subject: call.parameters for call in self.calls}
        changes = [effect for effect in self.work.journal if isinstance(effect, Changed)]
        written = [c.after for c in changes if c.before is None and isinstance(c.after, Delivery)]
        return [MailToSend.model_validate_json(given.get(str(one.delivery_id)) or one.mail or "") for one in written]

    def on_their_way(self, recipient: str) -> list[Kind]:
        """What the mail server was asked to take for somebody, in order."""
        asked = [MailToSend.model_validate_json(call.parameters) for call in self.calls]
        return [mail.kind for mail in asked if mail.recipient == recipient]

    @property
    def deliveries(self) -> list[Delivery]:
        return list(self.work.all(Delivery))

    @property
    def known(self) -> KnownBooking | None:
        return self.work.find(KnownBooking, BOOKING_ID)

    @property
    def told(self) -> list[tuple[int | None, DeliveryEvent]]:
        """(sequence, outcome) of every delivery that was settled, in order."""
        kinds: dict[str, type[DeliveryEvent]] = {kind.ce_type: kind for kind in (DeliverySucceeded, DeliveryFailed)}
        sends = [effect for effect in self.work.journal if isinstance(effect, Send)]
        return [(send.sequence, kinds[send.type].model_validate_json(send.body)) for send in sends]

    def written(self, kind: Kind) -> list[str]:
        """The recipients of letters of a kind, in order."""
        return [mail.recipient for mail in self.mails if mail.kind is kind]


def days(number: float) -> timedelta:
    return timedelta(days=number)
