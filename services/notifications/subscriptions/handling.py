"""What handlers decide about webhooks: outcomes are told, and the owner of a subscriber that is switched off."""

from __future__ import annotations

from booking_contracts.notifications import DeliveryFailed, DeliverySucceeded

from services.chassis.messages import Message
from services.chassis.service import local
from services.notifications.subscriptions.messages import NoticeEnded, SubscriberDisabled, WebhookEnded
from services.notifications.subscriptions.notice import SEND_NOTICE, Notice
from services.notifications.work import NotificationsWork


def webhook_ended(message: Message[WebhookEnded], work: NotificationsWork) -> None:
    """Told as what became of a letter is; the recipient is the subscription."""
    ended = message.body
    of = {"booking_id": ended.booking_id, "event_id": ended.event_id, "channel": "webhook"}
    of["recipient"] = str(ended.subscription_id)
    if ended.reason is None:
        work.tell(DeliverySucceeded.model_validate(of))
    else:
        work.tell(DeliveryFailed.model_validate(of | {"reason": ended.reason}))


def subscriber_disabled(message: Message[SubscriberDisabled], work: NotificationsWork) -> None:
    """Its owner gets a letter."""
    disabled = message.body
    notice = Notice(
        subscription_id=disabled.subscription_id,
        recipient=disabled.owner_email,
        url=disabled.url,
        why=disabled.why,
        written_at=disabled.disabled_at,
    )
    work.call(
        SEND_NOTICE,
        subject=f"notice:{message.id}",
        key=str(disabled.subscription_id),
        parameters=notice,
        idempotency_key=str(message.id),
    )


def notice_ended(_: Message[NoticeEnded], __: NotificationsWork) -> None:
    """The call is done; the alert tells the admin, whether the owner could be reached or not."""


HANDLERS = (
    local(WebhookEnded, webhook_ended),
    local(SubscriberDisabled, subscriber_disabled),
    local(NoticeEnded, notice_ended),
)
