"""The booking service on one page: every message with its handler, and how the process is put together."""

from __future__ import annotations

from booking_contracts import booking as messages
from booking_contracts import payments, topics
from booking_contracts.booking import BookingCommand, CommandAccepted, CommandRejected
from booking_contracts.codes import Rejected
from booking_contracts.envelope import Command, MessageBody
from faststream import FastStream

from services.booking import gauges, http, metrics
from services.booking.availability_process import CalendarProcess
from services.booking.contact import READING
from services.booking.handlers import (
    approving,
    cancelling,
    catalogue,
    disputes,
    opening_and_closing,
    paying,
    payment_events,
    placing,
    quoting,
    rescheduling,
    schedule,
    sessions,
    timers,
    waitlist,
)
from services.booking.lifecycle import freed_seats, hours_gone
from services.booking.local_messages import (
    AskAgain,
    DeadlineReached,
    EntryDue,
    HoursChanged,
    LineClosing,
    SeatsLeft,
    SlotClosing,
)
from services.booking.model import actors
from services.booking.store.load import BookingStore
from services.booking.work import BookingWork
from services.chassis import process
from services.chassis.clock import Clock, SystemClock
from services.chassis.messages import Answer, Message, Refused
from services.chassis.process import Parts
from services.chassis.service import Service, command, event, local
from services.chassis.settings import Settings

HANDLERS = (
    command(messages.RegisterProvider, catalogue.register_provider),
    command(messages.DefineOffering, catalogue.define_offering),
    command(messages.SetSchedule, schedule.set_schedule),
    command(messages.OpenSlot, opening_and_closing.open_slot),
    command(messages.CloseSlot, opening_and_closing.close_slot),
    command(messages.PlaceBooking, placing.place_booking),
    command(messages.ApproveBooking, approving.approve_booking),
    command(messages.RejectBooking, approving.reject_booking),
    command(messages.PayBooking, paying.pay_booking),
    command(messages.AbandonPayment, paying.abandon_payment),
    command(messages.QuoteCancellation, quoting.quote_cancellation),
    command(messages.CancelBooking, cancelling.cancel_booking),
    command(messages.RescheduleBooking, rescheduling.reschedule_booking),
    command(messages.CompleteSession, sessions.complete_session),
    command(messages.ConfirmSession, sessions.confirm_session),
    command(messages.RaiseDispute, disputes.raise_dispute),
    command(messages.ResolveDispute, disputes.resolve_dispute),
    command(messages.JoinWaitlist, waitlist.join_waitlist),
    command(messages.LeaveWaitlist, waitlist.leave_waitlist),
    command(messages.AcceptOffer, waitlist.accept_offer),
    event(payments.PaymentAuthorized, payment_events.authorized),
    event(payments.PaymentActionRequired, payment_events.action_required),
    event(payments.PaymentDeclined, payment_events.declined),
    event(payments.PaymentCaptured, payment_events.captured),
    event(payments.CaptureFailed, payment_events.capture_failed),
    event(payments.PaymentVoided, payment_events.voided),
    event(payments.PaymentSettled, payment_events.settled),
    event(payments.RefundSucceeded, payment_events.remembered),
    event(payments.RefundFailed, payment_events.remembered),
    event(payments.PayoutFailed, payment_events.remembered),
    event(payments.ChargebackOpened, payment_events.chargeback_opened),
    event(payments.ChargebackClosed, payment_events.chargeback_closed),
    local(DeadlineReached, timers.deadline_reached),
    local(AskAgain, timers.ask_again),
    local(EntryDue, timers.entry_due),
    local(SeatsLeft, timers.seats_left),
    local(SlotClosing, opening_and_closing.slot_closing),
    local(LineClosing, hours_gone.line_closing),
    local(HoursChanged, hours_gone.hours_changed),
)


def reply(item: Message[BookingCommand] | Refused, answer: Answer) -> MessageBody:
    """The one reply to a command."""
    assert item.id is not None, "only commands with a readable id are answered"
    subject = answer.subject or getattr(getattr(item, "body", None), "booking_id", None)
    if isinstance(answer, Rejected):
        return CommandRejected(
            command_id=item.id,
            booking_id=subject,
            code=answer.code,
            message=answer.message,
            details=answer.details,
        )
    return CommandAccepted(command_id=item.id, booking_id=subject, state=answer.state, result=dict(answer.result))


def admit(topic: str, body: Command) -> None:
    """Whether the sender may use the topic at all."""
    assert isinstance(body, BookingCommand)
    actors.require_topic(body.actor, topic)


SERVICE = Service(
    name="booking",
    handlers=tuple(freed_seats.passing_on(handler) for handler in HANDLERS),
    command_topics={topics.BOOKING_COMMANDS.name: reply, topics.BOOKING_ADMIN_COMMANDS.name: reply},
    event_topics=(topics.PAYMENTS_EVENTS.name,),
    new_work=BookingWork,
    store=BookingStore(),
    admit=admit,
    reading=READING,
    nobody_waits_for=frozenset({payments.PaymentCaptured.ce_type, payments.PaymentSettled.ce_type}),
    count=metrics.count,
)


def build(settings: Settings, clock: Clock) -> Parts:
    """The parts of a booking process."""
    return Parts(
        SERVICE,
        settings,
        add_routes=lambda app, wake: http.add_routes(app, clock, CalendarProcess({})),
        background=(gauges.run,),
    )


def application() -> FastStream:
    """`faststream run services.booking.app:application --factory`: the service as production runs it."""
    clock = SystemClock()
    return process.application(build(Settings(), clock), clock)
