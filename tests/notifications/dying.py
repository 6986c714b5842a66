"""`python -m tests.notifications.dying letters|webhooks <database> <port or time>`: a worker that is killed by itself
(kill -9) when its first letter or webhook was taken and no row says so yet."""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime

from deploy.local.crashing import crash_at
from services.chassis import crash_points
from services.chassis.clock import SystemClock
from services.chassis.crash_points import Point
from services.chassis.database import Session
from services.chassis.gateway_worker import GatewayWorker
from services.notifications.gateway import MailGateway
from services.notifications.sender import SmtpSender
from services.notifications.subscriptions.posting import Poster
from services.notifications.subscriptions.worker import SubscriptionWorker
from tests.chassis.harness import SetClock
from tests.notifications.receivers import HERE


def letters(session: Session, port: str) -> GatewayWorker:
    """To the mail server on that port."""
    sender = SmtpSender(host="127.0.0.1", port=int(port), local_hostname="client.example.org")
    gateway = MailGateway(sender, "no-reply@example.org", SystemClock())
    return GatewayWorker(gateway, session, lambda: None)


def webhooks(session: Session, now: str) -> SubscriptionWorker:
    """Those that are due at that time."""
    return SubscriptionWorker(session, Poster(HERE), SetClock(datetime.fromisoformat(now)))


if __name__ == "__main__":
    what, database, given = sys.argv[1:]
    crash_points.on_reaching(crash_at(Point.AFTER_ANSWER))
    session = Session(database, "dying")
    worker = letters(session, given) if what == "letters" else webhooks(session, given)
    asyncio.run(worker.run())
