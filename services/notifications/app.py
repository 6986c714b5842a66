"""The notifications service on one page: every message with its handler, and how the process is put together."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Self

from aiohttp import web
from booking_contracts import booking, payments, topics
from faststream import FastStream
from pydantic import AfterValidator, Field, SecretStr, model_validator

from services.chassis import process
from services.chassis import settings as chassis
from services.chassis.clock import Clock, SystemClock
from services.chassis.database import Session
from services.chassis.http import POOL
from services.chassis.process import Parts
from services.chassis.service import Service, event, local
from services.chassis.unit_of_work import Record
from services.notifications import handlers, http, metrics
from services.notifications.gateway import MailGateway
from services.notifications.header_values import reachable, sender_of
from services.notifications.mail import MailRefused, MailSent
from services.notifications.model.targets import Targets
from services.notifications.sender import Encryption, SmtpSender
from services.notifications.store import NotificationsStore
from services.notifications.subscriptions import handling as webhooks
from services.notifications.subscriptions.gauges import Gauges
from services.notifications.subscriptions.notice import Gateway
from services.notifications.subscriptions.offering import Offered, offered
from services.notifications.subscriptions.posting import Poster
from services.notifications.subscriptions.worker import SubscriptionWorker
from services.notifications.timers import DisputeWaits, MailWaits, ReminderDue, SeatsHeld
from services.notifications.unsubscribing import Links, Unsubscribed
from services.notifications.work import NotificationsWork

HANDLERS = (
    event(booking.BookingRequested, handlers.booking_event),
    event(booking.BookingPlaced, handlers.booking_placed),
    event(booking.BookingApproved, handlers.booking_event),
    event(booking.BookingRejected, handlers.booking_event),
    event(booking.PaymentRequested, handlers.booking_event),
    event(booking.PaymentActionRequired, handlers.booking_event),
    event(booking.BookingConfirmed, handlers.time_agreed),
    event(booking.PaymentFailed, handlers.booking_event),
    event(booking.BookingExpired, handlers.booking_event),
    event(booking.BookingCancelled, handlers.booking_event),
    event(booking.BookingRescheduled, handlers.time_agreed),
    event(booking.SessionCompleted, handlers.booking_event),
    event(booking.BookingCompleted, handlers.booking_event),
    event(booking.DisputeRaised, handlers.dispute_raised),
    event(booking.DisputeResolved, handlers.booking_event),
    event(booking.LatePaymentReturned, handlers.booking_event),
    event(booking.SagaStuck, handlers.booking_event),
    event(booking.WaitlistOffered, handlers.waitlist_event),
    event(booking.WaitlistOfferExpired, handlers.waitlist_event),
    event(booking.WaitlistClosed, handlers.waitlist_event),
    event(payments.RefundFailed, handlers.payment_event),
    event(payments.PayoutFailed, handlers.payment_event),
    event(payments.ChargebackOpened, handlers.payment_event),
    event(payments.ChargebackClosed, handlers.payment_event),
    event(booking.ProviderRegistered, handlers.provider_registered),
    local(ReminderDue, handlers.reminder_due),
    local(SeatsHeld, handlers.seats_held),
    local(DisputeWaits, handlers.dispute_waits),
    local(MailWaits, handlers.mail_waits),
    local(MailSent, handlers.mail_sent),
    local(MailRefused, handlers.mail_refused),
)
SMTP_SECONDS = 20.0
"""For one whole delivery; shorter than the lease of a call, so that no other replica sends it meanwhile."""


def _sendable(mail_from: str) -> str:
    sender_of(mail_from)
    return mail_from


def _of_http(url: str) -> str:
    if re.fullmatch(r'https?://[^\s<>"]+', url) is None:
        raise ValueError("must be a URL, https://…")
    return url


class Settings(chassis.Settings):
    """`mail_from` is an address, with or without a name; the admin is told of what needs a person.

    An address that no mail can go to or come from stops the service at its start, not each of its letters.
    """

    smtp_host: str
    smtp_port: int
    smtp_encryption: Encryption = Encryption.NONE
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    mail_from: Annotated[str, AfterValidator(_sendable)]
    admin_email: Annotated[str, AfterValidator(reachable)]
    webhook_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    """Networks that webhooks may go to beside the public Internet: every other private address is refused."""
    webhook_ports: tuple[int, ...] = (443,)
    """Any, where it is empty."""
    webhook_plain_http: bool = False
    public_url: Annotated[str, AfterValidator(_of_http)] | None = None
    """Where people reach this service from outside: https://bookings.example.org. None: reminders have no link."""
    unsubscribe_secrets: tuple[Annotated[SecretStr, Field(min_length=16)], ...] = ()
    """Sign the links that end reminders: the first one new links, each of them those that were sent."""

    @model_validator(mode="after")
    def _links_are_signed(self) -> Self:
        if (self.public_url is None) is not (self.unsubscribe_secrets == ()):
            raise ValueError("PUBLIC_URL and UNSUBSCRIBE_SECRETS go together: give both, or neither")
        return self

    def unsubscribe_secrets_now(self) -> list[str]:
        """The secrets for a link that is made or followed now."""
        return [secret.get_secret_value() for secret in self.now().unsubscribe_secrets]

    def links(self) -> Links | None:
        """What ends reminders, where we know how people reach us."""
        return None if self.public_url is None else Links(self.public_url, self.unsubscribe_secrets_now)

    @property
    def targets(self) -> Targets:
        """Where webhooks may go."""
        return Targets(self.webhook_networks, self.webhook_ports, self.webhook_plain_http)

    def smtp_password_now(self) -> str | None:
        """The password for a login that happens now."""
        password = self.now().smtp_password
        return password.get_secret_value() if password else None


SERVICE = Service(
    name="notifications",
    handlers=(*offered(HANDLERS), *webhooks.HANDLERS),
    command_topics={},
    event_topics=(topics.BOOKING_EVENTS.name, topics.PAYMENTS_EVENTS.name, topics.CATALOGUE_EVENTS.name),
    new_work=NotificationsWork,
    store=NotificationsStore(),
    gathers_seconds=0.2,
    count=metrics.count,
)
"""As operators need it; what handles messages knows addresses too."""


def service(*, admin_email: str, mail_from: str) -> Service:
    """What the engine has to know."""
    mail_domain = sender_of(mail_from)[1].rpartition("@")[2]
    return replace(SERVICE, new_work=partial(NotificationsWork, admin_email=admin_email, mail_domain=mail_domain))


def build(settings: Settings, clock: Clock) -> Parts:
    """The parts of a notifications process."""
    sender = SmtpSender(
        host=settings.smtp_host,
        port=settings.smtp_port,
        encryption=settings.smtp_encryption,
        username=settings.smtp_username,
        password=settings.smtp_password_now,
        timeout_seconds=SMTP_SECONDS,
    )
    links, unsubscribed = settings.links(), Unsubscribed()
    worker = SubscriptionWorker(
        Session(settings.database, f"{settings.instance}-subscribers"), Poster(settings.targets), clock
    )

    def count(work: NotificationsWork) -> None:
        metrics.count(work)
        if any(isinstance(one, Record) and isinstance(one.row, Offered) for one in work.journal):
            worker.wake()

    def add_routes(app: web.Application, wake: Callable[[], None]) -> None:
        worker.wake_loop = wake
        unsubscribed.pool = app[POOL]
        http.add_routes(app, clock, settings.targets, links)

    letters = MailGateway(sender, settings.mail_from, clock, links, unsubscribed)
    return Parts(
        replace(service(admin_email=settings.admin_email, mail_from=settings.mail_from), count=count),
        settings,
        add_routes=add_routes,
        gateway=Gateway(letters, sender, settings.mail_from),
        background=(worker.run, Gauges(clock).run),
    )


def application() -> FastStream:
    """`faststream run services.notifications.app:application --factory`: the service as production runs it."""
    clock = SystemClock()
    return process.application(build(Settings(), clock), clock)
